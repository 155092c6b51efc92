"""What the dashboard asks: each answer from the copy that is published at that moment."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import Any

import ibis

from warehouse.base.settings import Home
from warehouse.lake.connections import open_published_ibis
from warehouse.lake.files import current_files
from warehouse.serving import queries
from warehouse.serving.dashboard.statements import Statements
from warehouse.serving.excerpts import (
    LAKE_TABLES,
    Segment,
    decode_tokens,
    document_by_id,
    excerpt,
    load_vocabulary,
    open_lake,
)
from warehouse.serving.report.results import experiment_verdict, flagged_signatures
from warehouse.serving.report.wording import signature_title
from warehouse.serving.status import status
from warehouse.serving.strategies import Strategies, read_strategies
from warehouse.serving.units import UnitName, corpus_unit
from warehouse.text.vocabulary import Vocabulary

Rows = list[dict[str, Any]]

_DOCUMENTS_SHOWN = 25
_KEPT_BYTES = 16 << 20  # of Parquet in a table: some 100 MB in memory, and answers in half the time
_TOKENS_AROUND = 60
_TOKENS_OF_BEGINNING = 16
_TOKENS_FROM_START = 500


@dataclass(frozen=True)
class Overview:
    """What the first page says.

    Attributes:
        totals: of the corpus: n_docs, n_tokens; None where it has no document.
        languages: of the corpus, largest first: lang, n_docs, n_tokens, token_share.
        verdict: whether the default strategy won, see `wording.verdict`; None without an experiment.
        doubts: the failure signatures that are flagged in the experiment, in words.
        stale: what failed or is older than what it is made from: what, why, fix.
    """

    totals: dict[str, Any] | None
    languages: Rows
    verdict: dict[str, Any] | None
    doubts: list[str]
    stale: list[dict[str, str]]


@dataclass
class _Kept:
    """A backend kept open between questions, for as long as what it reads stays the same.

    Opening costs more than most answers, and one at a time asks: DuckDB uses all threads for each.
    """

    lock: RLock = field(default_factory=RLock)
    reads: object = None
    stack: ExitStack = field(default_factory=ExitStack)
    backend: Any = None
    statements: Statements = field(default_factory=Statements)

    @contextmanager
    def use(self, reads: object, open_it: Callable[[], Any]) -> Iterator[Any]:
        with self.lock:
            if self.reads != reads or self.backend is None:
                self.stack.close()
                self.backend = None
                self.backend, self.statements = self.stack.enter_context(open_it()), Statements()
                self.reads = reads
            yield self.backend

    def answer(self, query: Callable[..., ibis.Table], values: Sequence[str | int], options: dict[str, Any]) -> Rows:
        """Return the rows of a question that was compiled when it was first asked. Call it within `use`."""
        sql, parameters = self.statements.bind(self.backend, query, values, options)
        return self.backend.con.execute(sql, parameters).to_arrow_table().to_pylist()


_PUBLISHED, _LAKE = _Kept(), _Kept()


@contextmanager
def _published(home: Home) -> Iterator[Any]:
    with _PUBLISHED.use(home.published_file.resolve(), lambda: open_published_ibis(home)) as warehouse:
        yield warehouse


@contextmanager
def _lake(home: Home) -> Iterator[Any]:
    files = tuple((file, _version(file)) for table in LAKE_TABLES for file in current_files(home, table))
    with _LAKE.use((home, files), lambda: open_lake(home, read_at_once_bytes=_KEPT_BYTES)) as raw:
        yield raw


def _version(file: Path) -> tuple[int, int, int]:
    """Return what changes when a file is replaced or written to; nobody can set it, as they can a modification time."""
    found = file.stat()
    return found.st_ino, found.st_size, found.st_ctime_ns


def ask(home: Home, query: Callable[..., ibis.Table], *arguments: Any, **options: Any) -> Rows:
    """Run a named query on the published copy; no rows when its mart is not built."""
    with _published(home) as warehouse:
        try:
            return query(warehouse, *arguments, **options).to_pyarrow().to_pylist()
        except ibis.common.exceptions.TableNotFound:
            return []


def strategies(home: Home) -> Strategies:
    """Return the strategies that the published copy lists."""
    with _published(home) as warehouse:
        return read_strategies(warehouse)


def unit(home: Home, corpus: str | None) -> UnitName:
    """Return what the published counts of a corpus count; documents when there is no corpus."""
    with _published(home) as warehouse:
        return corpus_unit(warehouse, *([corpus] if corpus else []))


def ask_often(home: Home, query: Callable[..., ibis.Table], *values: str | int, **options: Any) -> Rows:
    """Answer as `ask`, for a question that does nothing with its values but compare them: it is compiled only once."""
    with _published(home):
        try:
            return _PUBLISHED.answer(query, values, options)
        except ibis.common.exceptions.TableNotFound:
            return []


def candidates(home: Home, corpus: str, pair: dict[str, Any], *, top_k: int = 10) -> Rows:
    """Return a pair's candidates, one row per token with rank and score by every method; planted ones are marked."""
    found = ask_often(
        home,
        queries.candidates_by_method,
        corpus,
        pair["source_word"],
        pair["source_lang"],
        pair["target_lang"],
        top_k=top_k,
    )
    own = [row for row in found if row["item_id"] == pair["item_id"]]
    planted = planted_tokens(home, corpus, pair["item_id"])
    is_reviewed = any(row["review_status"] for row in own)
    order = [row["score_method"] for row in ask_often(home, queries.score_methods)]
    methods = [method for method in order if any(row["score_method"] == method for row in own)]
    tokens: dict[int, dict[str, Any]] = {}
    for row in sorted(own, key=lambda row: (methods.index(row["score_method"]), row["pivot_rank"])):
        token = tokens.setdefault(
            row["token_id"],
            {"token": row["token"]}
            | ({"planted": row["token_id"] in planted} if planted else {})
            | {f"{method} {what}": None for method in methods[:1] for what in ("rank", "score")}
            | {
                f"with {pair['source_word']}": row["source_rate"],
                f"with {pair['target_word']}": row["target_rate"],
                "of all": row["background_rate"],
            }
            | {f"{method} {what}": None for method in methods[1:] for what in ("rank", "score")}
            | ({"review": row["review_status"]} if is_reviewed else {})
            | {"token_id": row["token_id"]},
        )
        token[f"{row['score_method']} rank"] = row["pivot_rank"]
        token[f"{row['score_method']} score"] = row["pivot_score"]
    return list(tokens.values())


def planted_tokens(home: Home, corpus: str, item_id: int) -> set[int]:
    """Return the tokens planted as pivots of an item; empty where the truth is not known."""
    rows = ask_often(home, queries.planted_pivots, corpus)
    return {row["token_id"] for row in rows if row["item_id"] == item_id and row["token_id"] is not None}


def overview(home: Home, corpus: str | None, experiment: str | None) -> Overview:
    """Return what came out for a corpus and an experiment, and what of the home is stale."""
    with _published(home) as warehouse:
        known = read_strategies(warehouse)
        found = experiment_verdict(warehouse, experiment, known) if experiment else None
        flagged = flagged_signatures(warehouse, experiment) if experiment else []
    described = status(home)
    return Overview(
        totals=next(iter(ask(home, queries.corpora, corpus=corpus)), None) if corpus else None,
        languages=ask(home, queries.corpus_languages, corpus) if corpus else [],
        verdict=found,
        doubts=[signature_title(name) for name in flagged],
        stale=[*described["attention"], *described["stale"]],
    )


def beginnings(home: Home, corpus: str, rows: Rows) -> Rows:
    """Return rows of documents with how each begins, its id last: nobody knows a document by nineteen digits."""
    if not rows:
        return []
    asked = ", ".join(str(int(row["doc_id"])) for row in rows)
    with _lake(home) as raw:
        found = raw.con.execute(
            f"select doc_id, token_ids[:{_TOKENS_OF_BEGINNING}] from raw.documents"
            f" where corpus = ? and doc_id in ({asked})",
            [corpus],
        ).fetchall()
    begins: dict[int, str] = {}
    if found:  # a home may have lost them, and the tokenizer with them
        vocabulary = _vocabulary(home, _tokenizer_hash(home, home.published_file.resolve(), corpus))
        begins = {doc_id: " ".join(decode_tokens(vocabulary, token_ids)[0].split()) for doc_id, token_ids in found}
    return [{"begins": begins.get(row["doc_id"])} | _id_last(row) for row in rows]


def _id_last(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "doc_id"} | {"doc_id": row["doc_id"]}


def documents_behind(home: Home, corpus: str, pair: dict[str, Any], token_id: int) -> Rows:
    """Return documents that hold a candidate beside a word of its pair, those with both words first."""
    wanted = (corpus, pair["source_word"], pair["source_lang"], pair["target_word"], pair["target_lang"], token_id)
    with _lake(home):
        return _LAKE.answer(_first_documents_behind, wanted, {})


def _first_documents_behind(raw: Any, *wanted: Any) -> ibis.Table:
    return queries.documents_behind_pivot(raw, *wanted).limit(_DOCUMENTS_SHOWN).drop("shard_id")


def traces(home: Home, experiment: str, pair: dict[str, Any]) -> Rows:
    """Return a pair's layer traces in the runs of an experiment."""
    with _lake(home) as raw:
        found = queries.word_layer_traces(raw, experiment, pair["item_id"], pair["source_lang"], pair["target_lang"])
        return found.to_pyarrow().to_pylist()


def read_document(
    home: Home,
    corpus: str,
    doc_id: int,
    *,
    pair: dict[str, Any] | None,
    marked: frozenset[int],
    from_start: bool = False,
) -> list[Segment]:
    """Return a document's text around the first match, or from its start, with words and tokens marked."""
    with _lake(home):
        document = next(iter(_LAKE.answer(document_by_id, (corpus, doc_id), {})), None)
        if document is None:
            return [("This document is no longer in the lake.", None)]
        words = _matches(corpus, doc_id, pair) if pair else {}
    vocabulary = _vocabulary(home, _tokenizer_hash(home, home.published_file.resolve(), corpus))
    return excerpt(
        vocabulary,
        document["token_ids"],
        words=words,
        marked_tokens=marked,
        around=0 if from_start else None,
        context_tokens=_TOKENS_FROM_START if from_start else _TOKENS_AROUND,
    )


def _matches(corpus: str, doc_id: int, pair: dict[str, Any]) -> dict[str, tuple[str, list[int]]]:
    """Return kind of word -> (word, indices of the tokens in which its matches begin) in one document."""
    wanted = {kind: (pair[f"{kind}_lang"], pair[f"{kind}_word"]) for kind in ("source", "target")}
    rows = _LAKE.answer(_occurrences, (corpus, doc_id, *wanted["source"], *wanted["target"]), {})
    return {
        kind: (
            word,
            [start for row in rows if (row["lang"], row["word"]) == (lang, word) for start in row["token_starts"]],
        )
        for kind, (lang, word) in wanted.items()
    }


def _occurrences(
    raw: Any, corpus: str, doc_id: int, source_lang: str, source_word: str, target_lang: str, target_word: str
) -> ibis.Table:
    """Where two words stand in a document: lang, word, token_starts."""
    words, found = raw.table("words", database="raw"), raw.table("word_documents", database="raw")
    these = words.filter(
        ((words.lang == source_lang) & (words.word == source_word))
        | ((words.lang == target_lang) & (words.word == target_word))
    )
    found = found.filter((found.corpus == corpus) & (found.doc_id == doc_id))
    return found.join(these, "word_id").select("lang", "word", "token_starts")


@lru_cache(maxsize=4)
def _vocabulary(home: Home, tokenizer_hash: str) -> Vocabulary:
    return load_vocabulary(home, tokenizer_hash)


@lru_cache(maxsize=16)
def _tokenizer_hash(home: Home, published: Path, corpus: str) -> str:
    """Return a corpus's tokenizer as one published copy names it; the copy is an argument so that the next is asked."""
    (row,) = ask(home, queries.corpus_tokenizers, corpus)
    return row["tokenizer_hash"]
