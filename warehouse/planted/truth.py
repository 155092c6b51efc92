"""Bring the truth of a planted corpus into the lake: raw.planted_concepts and raw.planted_pivots."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from tokenizers import Tokenizer

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.contract.hashing import file_hash, short_hash
from warehouse.lake.connections import writer_lock
from warehouse.lake.corpora import find_corpus, tokenizer_file
from warehouse.lake.files import shard_path, write_table
from warehouse.lake.identity import item_id
from warehouse.lake.schemas import SHARDED

_NOT_LANGUAGES = frozenset({"concept_id", "kind", "role", "topic"})


def import_truth(home: Home, truth: Path, *, corpus: str) -> tuple[int, int]:
    """Write the truth tables of an ingested corpus; return (concepts, pivots). A second time changes nothing.

    Pivot words become token ids of the corpus's tokenizer.

    Raises:
        UsageError: `truth` lacks a table or a column, or the corpus was not ingested.
    """
    concepts = _read(truth / "concepts.parquet", ("concept_id", "kind", "role", "topic"))
    pivots = _read(truth / "pivots.parquet", ("concept_id", "pivot_word"))
    tokenizer_hash, tokenizer = _corpus_tokenizer(home, corpus)
    languages = [name for name in concepts.column_names if name not in _NOT_LANGUAGES]
    items = {c["concept_id"]: item_id({lang: c[lang] for lang in languages}) for c in concepts.to_pylist()}
    concept_rows = [
        {"corpus": corpus, "item_id": items[c["concept_id"]], **{k: c[k] for k in ("kind", "role", "topic")}}
        for c in concepts.to_pylist()
    ]
    pivot_rows = [
        {
            "corpus": corpus,
            "item_id": items[p["concept_id"]],
            "pivot_word": p["pivot_word"],
            "token_id": _single_token(tokenizer, p["pivot_word"]),
        }
        for p in pivots.to_pylist()
    ]
    sources = [file_hash(truth / name) for name in ("concepts.parquet", "pivots.parquet")]
    name = f"truth-{short_hash([*sources, tokenizer_hash])}"
    with writer_lock(home):
        for table, rows in (("planted_concepts", concept_rows), ("planted_pivots", pivot_rows)):
            path = shard_path(home, table, name, corpus=corpus)
            if not path.exists():
                write_table(path, table, pa.Table.from_pylist(rows, schema=SHARDED[table]))
            # one truth per corpus: another list replaces this one
            for other in path.parent.glob("*.parquet"):
                if other != path:
                    other.unlink()
    return len(concept_rows), len(pivot_rows)


def _single_token(tokenizer: Tokenizer, pivot_word: str) -> int | None:
    """Return the token of " " + word, the form in which pivots stand in text; None when it takes several tokens."""
    ids = tokenizer.encode(" " + pivot_word, add_special_tokens=False).ids
    return ids[0] if len(ids) == 1 else None


def _read(path: Path, columns: tuple[str, ...]) -> pa.Table:
    if not path.is_file():
        raise UsageError(f"{path} is missing: give the `truth` folder that `pivots plant` wrote")
    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise UsageError(f"{path} is not a Parquet file ({error})") from None
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise UsageError(f"{path} has no column {', '.join(missing)}: give the `truth` folder of `pivots plant`")
    return table


def _corpus_tokenizer(home: Home, corpus: str) -> tuple[str, Tokenizer]:
    tokenizer_hash = find_corpus(home, corpus).tokenizer_hash
    return tokenizer_hash, Tokenizer.from_file(str(tokenizer_file(home, tokenizer_hash)))
