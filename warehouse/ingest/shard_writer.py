"""Writing the rows of one input file: all of it or nothing.

A shard is committed by its row in raw.source_files, which is written last: `lake.current_files` leaves documents
without one out. A writer killed before that leaves at most complete files under the shard's name, which the next run
writes again, byte for byte.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.base.errors import StepFailed
from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_file
from warehouse.ingest.piece_rows import Rows, duplicate
from warehouse.ingest.readers.records import Rejected
from warehouse.lake.document_order import document_order
from warehouse.lake.files import shard_path, write_table
from warehouse.lake.schemas import SHARDED

# Columns whose values repeat. Token ids compress better without a dictionary (21 against 26 MB of 18 M tokens).
_DICTIONARY_COLUMNS = {
    "documents": ["corpus", "shard_id", "source", "source_file", "lang", "lang_source"],
    "word_documents": ["corpus", "shard_id", "word_id", "match_policy", "n_matches"],
}


def is_committed(home: Home, corpus: str, shard_id: str) -> bool:
    """Tell whether a file is in the corpus."""
    return shard_path(home, "source_files", shard_id, corpus=corpus).exists()


def word_documents_path(home: Home, corpus: str, shard_id: str, word_file: Path) -> Path:
    """Return where the matches of one word list in one shard are. The file exists when they were looked for."""
    return shard_path(home, "word_documents", f"{shard_id}-{word_file.stem}", corpus=corpus)


@contextmanager
def open_parquet(path: Path, table: str) -> Iterator[pq.ParquetWriter]:
    """Yield a writer of a raw table's file, which appears under its name when the block ends well."""
    with atomic_file(path) as unfinished, _parquet_writer(unfinished, table) as writer:
        yield writer


def _parquet_writer(path: Path, table: str) -> pq.ParquetWriter:
    return pq.ParquetWriter(path, SHARDED[table], compression="zstd", use_dictionary=_DICTIONARY_COLUMNS[table])


class ShardWriter:
    """Collects the rows of one file, piece by piece, and commits them. Without rejects there is no file of them."""

    def __init__(self, home: Home, *, corpus: str, shard_id: str, word_files: tuple[Path, ...]) -> None:
        self._home, self._corpus, self._shard_id = home, corpus, shard_id
        paths = [word_documents_path(home, corpus, shard_id, file) for file in word_files]
        self._tables = ["documents"] + ["word_documents"] * len(paths)
        self._finals = [shard_path(home, "documents", shard_id, corpus=corpus), *paths]
        self._rejects: list[Rejected] = []
        self._doc_ids: list[npt.NDArray[np.int64]] = []
        self._n_word_rows: list[list[int]] = [[] for _ in paths]  # rows by piece
        self._n_read = 0
        self.n_docs = 0

    def __enter__(self) -> "ShardWriter":
        with ExitStack() as stack:
            # the stack unwinds from its end: the documents appear last
            self._paths = [stack.enter_context(atomic_file(path)) for path in self._finals]
            self._writers = [_parquet_writer(p, t) for p, t in zip(self._paths, self._tables, strict=True)]
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        for writer in self._writers:
            writer.close()
        self._stack.__exit__(*error)

    def add(self, rows: Rows) -> None:
        """Write the rows of the next piece."""
        self._rejects += rows.rejects
        self._n_read += rows.n_read
        self._doc_ids.append(rows.documents["doc_id"].to_numpy())
        self._writers[0].write_table(rows.documents)
        for writer, counts, table in zip(self._writers[1:], self._n_word_rows, rows.word_documents, strict=True):
            writer.write_table(table)
            counts.append(table.num_rows)

    def commit(self, source_row: dict[str, Any]) -> Counter[str]:
        """Make the file part of the corpus; return its rejects by reason. Called once, after the last piece.

        Raises:
            StepFailed: a record of the file is neither a document nor a reject; nothing of it is committed.
        """
        for writer in self._writers:
            writer.close()
        self._drop_duplicates()
        if self.n_docs + len(self._rejects) != self._n_read:
            raise StepFailed(
                f"{source_row['source_file']}: {self.n_docs:,} documents and {len(self._rejects):,} rejects do not "
                f"make up its {self._n_read:,} records: an error of the reader; the file was not ingested"
            )
        rows = [
            {
                "corpus": self._corpus,
                "shard_id": self._shard_id,
                "step": "ingest",
                "source_file": source_row["source_file"],
                "line_number": reject.line_number,
                "reason": reject.reason,
                "detail": reject.detail,
            }
            for reject in sorted(self._rejects, key=lambda r: (r.line_number is None, r.line_number or 0, r.reason))
        ]
        self._stack.close()
        if rows:
            self._write("rejects", rows)
        self._write("source_files", [source_row | {"n_docs": self.n_docs, "n_rejects": len(rows)}])
        return Counter(reject.reason for reject in self._rejects)

    def _write(self, table: str, rows: list[dict[str, Any]]) -> None:
        path = shard_path(self._home, table, self._shard_id, corpus=self._corpus)
        write_table(path, table, pa.Table.from_pylist(rows, schema=SHARDED[table]))

    def _drop_duplicates(self) -> None:
        """Keep one record of each id. In a piece they are distinct; an id in two pieces is rare: a rewrite."""
        doc_ids = np.concatenate(self._doc_ids) if self._doc_ids else np.empty(0, np.int64)
        self.n_docs = len(doc_ids)
        values, counts = np.unique(doc_ids, return_counts=True)
        if (counts < 2).all():
            return
        is_shared = np.isin(doc_ids, values[counts > 1])
        columns = ["doc_id", "content_hash", "lang", "lang_source", "line_number"]
        documents = pq.read_table(self._paths[0], columns=columns).filter(pa.array(is_shared))
        rows = np.flatnonzero(is_shared)
        keep = np.ones(len(doc_ids), bool)
        best: dict[int, tuple[Any, ...]] = {}
        for row, document in zip(rows.tolist(), documents.to_pylist(), strict=True):
            order = document_order(document["content_hash"], document["lang"], document["lang_source"])
            rank = (*order, document["line_number"], row)
            other = best.setdefault(document["doc_id"], rank)
            if other is not rank:
                winner, loser = min(other, rank), max(other, rank)
                best[document["doc_id"]] = winner
                keep[loser[-1]] = False
                self._rejects.append(duplicate(loser[-2], winner[-2], is_same_text=loser[0] == winner[0]))
        self.n_docs = int(keep.sum())
        pieces = np.repeat(np.arange(len(self._doc_ids)), [len(ids) for ids in self._doc_ids])
        losers = pa.table({"piece": pieces[~keep], "doc_id": doc_ids[~keep]})
        _rewrite(self._paths[0], "documents", keep)
        for path, n_rows in zip(self._paths[1:], self._n_word_rows, strict=True):
            in_piece = np.repeat(np.arange(len(n_rows)), n_rows)
            _rewrite(path, "word_documents", _not_among(path, in_piece, losers))


def _not_among(path: Path, in_piece: npt.NDArray[np.int64], losers: pa.Table) -> npt.NDArray[np.bool_]:
    rows = pq.read_table(path, columns=["doc_id"]).append_column("piece", pa.array(in_piece))
    rows = rows.append_column("row", pa.array(np.arange(len(in_piece))))
    lost = rows.join(losers, ["piece", "doc_id"], join_type="left semi")["row"]
    keep = np.ones(len(in_piece), bool)
    keep[lost.to_numpy()] = False
    return keep


def _rewrite(path: Path, table: str, keep: npt.NDArray[np.bool_]) -> None:
    """Replace a Parquet file by some of its rows, row group by row group."""
    first = 0
    with pq.ParquetFile(path, memory_map=True) as file, open_parquet(path, table) as writer:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            writer.write_table(rows.filter(pa.array(keep[first : first + rows.num_rows])))
            first += rows.num_rows
