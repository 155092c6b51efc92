"""Files become shards: who reads them, and what the row of each says.

A file that is a small part of the request is read and committed whole by one process; a large one is cut into pieces,
which processes turn into rows, and the parent writes. The bytes are the same.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from warehouse.base.machine import available_threads
from warehouse.base.ordered_map import ordered_map
from warehouse.base.settings import Home
from warehouse.contract.hashing import file_hash
from warehouse.ingest import readers
from warehouse.ingest.piece_rows import Origin, Rows, Tools, rows_of_piece
from warehouse.ingest.readers.detect import InputFile
from warehouse.ingest.readers.records import Piece
from warehouse.ingest.shard_writer import ShardWriter
from warehouse.lake.corpora import Corpus

# Below both of these, starting processes costs more than they save.
_PARALLEL_BYTES = 4 << 20
_PARALLEL_FILES = 200
# Files up to this share of a process's part of all bytes are read whole by one process.
_WHOLE_SHARE = 1 / 4
# Whole files that a process gets at once: at most this many bytes, and at most this many files.
_TASK_BYTES = 1 << 20
_TASK_FILES = 32


@dataclass(frozen=True, slots=True)
class Source:
    """A file to ingest and the shard it becomes."""

    file: InputFile
    file_hash: str
    n_bytes: int
    origin: Origin
    instances: npt.NDArray[np.int64] | None  # to read of a memmap file; None: all

    @property
    def shard_id(self) -> str:
        return self.origin.shard_id


class Workers(Protocol):
    """Who reads the files: processes of this one, or Spark's workers."""

    def file_hashes(self, paths: list[Path]) -> dict[Path, str]:
        """Return the `file_hash` of each file."""

    def commit_files(
        self,
        home: Home,
        sources: list[Source],
        corpus: Corpus,
        tools: Tools,
        run_id: str,
        advance: Callable[[int], None],
    ) -> Generator[tuple[dict[str, object], Counter[str]], None, None]:
        """Commit files; yield the row and the rejects by reason of each when it is in; `advance` hears of bytes read.

        Raises:
            EnginesDiffer: the fast tokenizer is not exact on a sample of a file, which is not committed.
        """


class Processes:
    """Processes of this one. See `Workers`."""

    def file_hashes(self, paths: list[Path]) -> dict[Path, str]:
        return {path: file_hash(path) for path in paths}

    def commit_files(
        self,
        home: Home,
        sources: list[Source],
        corpus: Corpus,
        tools: Tools,
        run_id: str,
        advance: Callable[[int], None],
    ) -> Generator[tuple[dict[str, object], Counter[str]], None, None]:
        total = sum(source.n_bytes for source in sources)
        is_worth = total >= _PARALLEL_BYTES or len(sources) >= _PARALLEL_FILES
        processes = available_threads() if is_worth else 1
        tasks = _tasks(home, sources, corpus, tools, run_id, most_bytes=total * _WHOLE_SHARE / processes)
        # closed here: when somebody raises, what other processes have begun is finished before this ends
        with closing(ordered_map(_work, tasks, processes=processes)) as results:
            for number, of_source in groupby(results, key=lambda result: result[0]):
                if number is None:
                    for _, committed in of_source:
                        advance(sum(int(str(row["n_bytes"])) for row, _ in committed))
                        yield from committed
                    continue
                source = sources[number]
                with ShardWriter(
                    home, corpus=corpus.corpus, shard_id=source.shard_id, word_files=tools.word_files
                ) as writer:
                    for _, rows in of_source:
                        writer.add(rows)
                        advance(rows.n_source_bytes)
                    row = source_row(source, run_id)
                    reasons = writer.commit(row)
                yield row | {"n_docs": writer.n_docs}, reasons


@dataclass(frozen=True, slots=True)
class _PieceTask:
    """A piece of a large file, which gives rows."""

    tools: Tools
    number: int  # of the source in the request
    origin: Origin
    piece: Piece

    def work(self) -> tuple[int, Rows]:
        return self.number, rows_of_piece(self.tools, self.origin, self.piece)


@dataclass(frozen=True, slots=True)
class _FilesTask:
    """Files that are committed where they are read."""

    home: Home
    sources: list[Source]
    corpus: Corpus
    tools: Tools
    run_id: str

    def work(self) -> tuple[None, list[tuple[dict[str, object], Counter[str]]]]:
        return None, [commit_file(self.home, s, self.corpus, self.tools, self.run_id) for s in self.sources]


def _work(task: _PieceTask | _FilesTask) -> tuple[int | None, Any]:
    return task.work()


def _tasks(
    home: Home, sources: list[Source], corpus: Corpus, tools: Tools, run_id: str, *, most_bytes: float
) -> Iterator[_PieceTask | _FilesTask]:
    """Yield what is to be done, in the order of the sources; files of at most `most_bytes` are done whole."""
    held: list[Source] = []
    for number, source in enumerate(sources):
        if source.n_bytes <= most_bytes:
            held.append(source)
        if held and (
            source.n_bytes > most_bytes
            or len(held) == _TASK_FILES
            or sum(source.n_bytes for source in held) >= _TASK_BYTES
        ):
            yield _FilesTask(home, held, corpus, tools, run_id)
            held = []
        if source.n_bytes > most_bytes:
            for piece in _pieces(source, corpus):
                yield _PieceTask(tools, number, source.origin, piece)
    if held:
        yield _FilesTask(home, held, corpus, tools, run_id)


def _pieces(source: Source, corpus: Corpus) -> Iterator[Piece]:
    return readers.pieces(
        source.file.path,
        source.file.format,
        vocab_size=corpus.vocab_size,
        instances=source.instances,
        max_bytes=source.origin.max_document_bytes,
    )


def commit_file(
    home: Home, source: Source, corpus: Corpus, tools: Tools, run_id: str
) -> tuple[dict[str, object], Counter[str]]:
    """Read one file from its first piece to its last, here, and commit it; return its row and rejects by reason.

    Raises:
        EnginesDiffer: the fast tokenizer is not exact on a sample of the file, which is not committed.
    """
    with ShardWriter(home, corpus=corpus.corpus, shard_id=source.shard_id, word_files=tools.word_files) as writer:
        for piece in _pieces(source, corpus):
            writer.add(rows_of_piece(tools, source.origin, piece))
        row = source_row(source, run_id)
        reasons = writer.commit(row)
    return row | {"n_docs": writer.n_docs}, reasons


def source_row(source: Source, run_id: str) -> dict[str, object]:
    """Return the row of raw.source_files of a file, without what it held."""
    return {
        "corpus": source.origin.corpus,
        "shard_id": source.shard_id,
        "source_file": source.file.name,
        "file_hash": source.file_hash,
        "format": source.file.format,
        "n_bytes": source.n_bytes,
        "run_id": run_id,
    }
