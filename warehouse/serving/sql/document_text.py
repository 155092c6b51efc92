"""The SQL function `document_text(corpus, doc_id)`: the text of a document, decoded from the lake when it is asked for.

The published copy holds no text and no token ids (decision 003). A query that names the function gets it, with a
connection of its own to the lake behind it; the query itself still reads the published tables and nothing else.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.base.settings import Home
from warehouse.lake.connections import open_memory, open_published
from warehouse.lake.corpora import read_corpora
from warehouse.lake.raw_views import raw_views
from warehouse.serving.excerpts import decode_tokens, load_vocabulary

NAME = "document_text"
_BY_BATCH: Any = "arrow"
_WITH_NULLS: Any = "special"  # DuckDB takes a NULL from no other function
_NAMED = re.compile(rf"\b{NAME}\s*\(", re.IGNORECASE)


@contextmanager
def open_for_query(home: Home, sql: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published copy as readers do, with the function where a query names it.

    Raises:
        UsageError: nothing has been published yet.
    """
    with ExitStack() as opened:
        connection = opened.enter_context(open_published(home))
        if _NAMED.search(sql):
            texts = _Texts(home, opened.enter_context(open_memory()))
            types: Any = (["VARCHAR", "BIGINT"], "VARCHAR")
            connection.create_function(NAME, texts.decoded, *types, type=_BY_BATCH, null_handling=_WITH_NULLS)
        yield connection


class _Texts:
    """Looks documents up and decodes them, a batch at a time, for threads that take turns."""

    def __init__(self, home: Home, lake: duckdb.DuckDBPyConnection) -> None:
        self._home, self._lake, self._turn = home, lake, threading.Lock()
        self._corpora = read_corpora(home)
        self._vocabularies: dict[str, Any] = {}
        lake.execute("create schema raw")
        for table, query, _ in raw_views(home, ("superseded_documents", "documents")):
            lake.execute(f"create view raw.{table} as {query}")

    def decoded(self, corpora: pa.ChunkedArray, doc_ids: pa.ChunkedArray) -> pa.Array:
        """Return the text of each document; NULL for one that the lake does not hold."""
        with self._turn:
            texts = {
                (corpus, doc_id): text
                for corpus in corpora.drop_null().unique().to_pylist()
                for doc_id, text in self._of_corpus(corpus, doc_ids.filter(pc.equal(corpora, corpus)))
            }
        keys = zip(corpora.to_pylist(), doc_ids.to_pylist(), strict=True)
        return pa.array([texts.get(key) for key in keys], pa.string())

    def _of_corpus(self, corpus: str, doc_ids: pa.ChunkedArray) -> Iterator[tuple[int, str]]:
        known = self._corpora.get(corpus)
        if known is None:
            return
        if known.tokenizer_hash not in self._vocabularies:
            self._vocabularies[known.tokenizer_hash] = load_vocabulary(self._home, known.tokenizer_hash)
        vocabulary = self._vocabularies[known.tokenizer_hash]
        asked = ", ".join(str(doc_id) for doc_id in doc_ids.drop_null().unique().to_pylist()) or "null"
        rows = self._lake.execute(
            f"select doc_id, token_ids from raw.documents where corpus = ? and doc_id in ({asked})", [corpus]
        )
        for doc_id, token_ids in rows.fetchall():
            yield doc_id, decode_tokens(vocabulary, token_ids)[0]
