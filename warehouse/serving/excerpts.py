"""Documents as people read them: the lake's raw tables for Ibis, and text decoded around what was found."""

import codecs
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from warehouse.base.errors import StepFailed
from warehouse.base.machine import available_threads, memory_limit
from warehouse.base.settings import Home
from warehouse.lake.corpora import tokenizer_file
from warehouse.lake.raw_views import raw_views
from warehouse.text.vocabulary import Vocabulary, read_vocabulary

if TYPE_CHECKING:
    import ibis

LAKE_TABLES = (
    "superseded_documents",
    "documents",
    "word_documents",
    "words",
    "translation_items",
    "runs",
    "layer_traces",
)

Segment = tuple[str, str | None]


@contextmanager
def open_lake(home: Home, *, read_at_once_bytes: int = 0) -> Iterator["ibis.backends.duckdb.Backend"]:
    """Open the lake's documents, words and traces as schema `raw` of an in-memory Ibis backend. Nothing is written.

    Args:
        read_at_once_bytes: a table whose files are at most so large is read now and kept, not read at each question.
    """
    import ibis

    connection = duckdb.connect(config={"threads": available_threads(), "memory_limit": memory_limit()})
    try:
        connection.execute("set temp_directory = ''")
        connection.execute("set parquet_metadata_cache = true")  # many files, asked many times
        connection.execute("create schema raw")
        for table, query, files in raw_views(home, LAKE_TABLES):
            kind = "table" if sum(file.stat().st_size for file in files) <= read_at_once_bytes else "view"
            connection.execute(f"create {kind} raw.{table} as {query}")
        yield ibis.duckdb.from_connection(connection)
    finally:
        connection.close()


def load_vocabulary(home: Home, tokenizer_hash: str) -> Vocabulary:
    """Return the bytes of every token of a tokenizer that the lake keeps.

    Raises:
        StepFailed: its file is gone.
    """
    from tokenizers import Tokenizer

    path = tokenizer_file(home, tokenizer_hash)
    if not path.exists():
        raise StepFailed(f"the tokenizer {path} is gone: ingest the corpus again to bring it back")
    return read_vocabulary(Tokenizer.from_file(str(path)))


def excerpt(
    vocabulary: Vocabulary,
    token_ids: Sequence[int],
    *,
    words: Mapping[str, tuple[str, Sequence[int]]],
    marked_tokens: frozenset[int] = frozenset(),
    around: int | None = None,
    context_tokens: int = 40,
) -> list[Segment]:
    """Decode a part of a document and mark what was looked for.

    Args:
        words: kind of mark -> (word, indices of the tokens in which its matches begin).
        marked_tokens: token ids that are marked as `pivot` where no word is.
        around: index of the token in the middle of the excerpt; the first match when None, else the beginning.
        context_tokens: how many tokens on either side of the middle.

    Returns:
        (text, kind of mark or None) pieces in order; together they are the excerpt, '…' where the document goes on.
    """
    starts = sorted(start for _, indices in words.values() for start in indices)
    pivots = [index for index, token in enumerate(token_ids) if token in marked_tokens]
    middle = around if around is not None else next(iter(starts or pivots), 0)
    first, last = max(0, middle - context_tokens), min(len(token_ids), middle + context_tokens)
    text, offsets = decode_tokens(vocabulary, token_ids[first:last])
    marks: list[str | None] = [None] * len(text)
    for index in pivots:
        if first <= index < last:
            begin, end = offsets[index - first], offsets[index - first + 1]
            marks[begin:end] = ["pivot"] * (end - begin)
    for kind, (word, indices) in words.items():
        for index in indices:
            if first <= index < last:
                begin = text.casefold().find(word.casefold(), offsets[index - first])
                if begin >= 0:
                    marks[begin : begin + len(word)] = [kind] * min(len(word), len(text) - begin)
    if first > 0:
        text, marks = "…" + text, [None, *marks]
    marked = groupby(zip(text, marks, strict=True), key=itemgetter(1))
    pieces: list[Segment] = [("".join(character for character, _ in part), kind) for kind, part in marked]
    return [*pieces, ("…", None)] if last < len(token_ids) else pieces


def decode_tokens(vocabulary: Vocabulary, token_ids: Sequence[int]) -> tuple[str, list[int]]:
    """Return the text of some tokens and, for each token, the character at which it begins (one more for the end).

    A character that is cut into several tokens begins with the first of them and stands behind the last one. What is no
    UTF-8, such as half a character at either end, becomes U+FFFD.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pieces, starts, n_characters = [], [0], 0
    for token in vocabulary.token_bytes.take(pa.array(token_ids, pa.int32())).to_pylist():
        piece = decoder.decode(token)  # keeps the bytes of an unfinished character for the next token
        pieces.append(piece)
        n_characters += len(piece)
        starts.append(n_characters)
    return "".join(pieces) + decoder.decode(b"", final=True), starts


def document_by_id(raw: Any, corpus: str, doc_id: int) -> "ibis.Table":
    """Return a document's row as an expression of at most one row."""
    documents = raw.table("documents", database="raw")
    return documents.filter((documents.corpus == corpus) & (documents.doc_id == doc_id)).limit(1)
