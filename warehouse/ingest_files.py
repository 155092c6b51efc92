"""Files become shards: who reads them, and what the row of each says."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from warehouse import readers
from warehouse.corpora import Corpus
from warehouse.documents import Origin, Rows, Tools, rows_of_piece
from warehouse.hashing import file_hash
from warehouse.parallel import ordered_map
from warehouse.readers.detect import InputFile
from warehouse.readers.records import Piece
from warehouse.settings import Home, available_threads
from warehouse.shards import ShardWriter

# Below this, starting processes costs more than they save.
_PARALLEL_BYTES = 4 << 20


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
    ) -> Iterator[tuple[dict[str, object], Counter[str]]]:
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
    ) -> Iterator[tuple[dict[str, object], Counter[str]]]:
        processes = available_threads() if sum(source.n_bytes for source in sources) >= _PARALLEL_BYTES else 1
        results = ordered_map(_rows, _tasks(sources, tools, corpus), processes=processes)
        held = next(results, None)
        while held is not None:
            number = held[0]
            source = sources[number]
            with ShardWriter(
                home, corpus=corpus.corpus, shard_id=source.shard_id, word_files=tools.word_files
            ) as writer:
                while held is not None and held[0] == number:
                    writer.add(held[1])
                    advance(held[1].n_source_bytes)
                    held = next(results, None)
                row = source_row(source, run_id)
                reasons = writer.commit(row)
            yield row | {"n_docs": writer.n_docs}, reasons


@dataclass(frozen=True, slots=True)
class _Task:
    tools: Tools
    number: int  # of the source in the request
    origin: Origin
    piece: Piece


def commit_file(
    home: Home, source: Source, corpus: Corpus, tools: Tools, run_id: str
) -> tuple[dict[str, object], Counter[str]]:
    """Read one file from its first piece to its last, here, and commit it; return its row and rejects by reason.

    Raises:
        EnginesDiffer: the fast tokenizer is not exact on a sample of the file, which is not committed.
    """
    with ShardWriter(home, corpus=corpus.corpus, shard_id=source.shard_id, word_files=tools.word_files) as writer:
        for task in _tasks([source], tools, corpus):
            writer.add(_rows(task)[1])
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


def _tasks(sources: list[Source], tools: Tools, corpus: Corpus) -> Iterator[_Task]:
    for number, source in enumerate(sources):
        pieces = readers.pieces(
            source.file.path, source.file.format, vocab_size=corpus.vocab_size, instances=source.instances
        )
        for piece in pieces:
            yield _Task(tools, number, source.origin, piece)


def _rows(task: _Task) -> tuple[int, Rows]:
    return task.number, rows_of_piece(task.tools, task.origin, task.piece)
