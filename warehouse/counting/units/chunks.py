"""Chunks of units, in memory when there is one, else on disk: what every pass of the counting reads."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from warehouse.counting.tables.counting_sort import stable_order


@dataclass
class Chunk:
    """A run of units. The first pass leaves token ids and provisional numbers, the second makes them ranks and rows."""

    ids: np.ndarray  # distinct ids of all units, ascending within each unit
    starts: np.ndarray  # int64[units + 1], where each unit's ids start
    strata: np.ndarray  # int32[units]
    words: np.ndarray  # int32[matches], one entry per word and unit; the second pass groups them by word
    word_units: np.ndarray  # int32[matches], beside words: the unit in this chunk
    hashes: np.ndarray  # uint64[units] for sampling, else empty

    @property
    def n_units(self) -> int:
        return self.starts.size - 1

    @property
    def n_bytes(self) -> int:
        return sum(getattr(self, field.name).nbytes for field in fields(self))


class ChunkStore:
    """An ordered list of chunks. The second chunk sends all of them to the folder, from where each pass reads them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: Chunk | None = None
        self.n_chunks = 0

    def append(self, chunk: Chunk) -> None:
        if self.n_chunks == 0:
            self._kept = chunk
        else:
            if self._kept is not None:
                self._save(0, self._kept)
                self._kept = None
            self._save(self.n_chunks, chunk)
        self.n_chunks += 1

    def replace(self, number: int, chunk: Chunk) -> None:
        if self._kept is not None:
            self._kept = chunk
        else:
            self._save(number, chunk)

    def __iter__(self) -> Iterator[Chunk]:
        for number in range(self.n_chunks):
            yield self._kept if self._kept is not None else self.load(number)

    def save(self) -> None:
        """Write a chunk that is only in memory, too."""
        if self._kept is not None:
            self._save(0, self._kept)

    @classmethod
    def saved(cls, folder: Path) -> "ChunkStore":
        """Return the chunks that are in a folder."""
        store = cls(folder)
        store.n_chunks = len(list(folder.glob("*-starts.npy")))
        return store

    def _save(self, number: int, chunk: Chunk) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for field in fields(Chunk):
            np.save(self._path(number, field.name), getattr(chunk, field.name))

    def saved_bytes(self, number: int) -> int:
        """Return how large a saved chunk is."""
        return sum(self._path(number, field.name).stat().st_size for field in fields(Chunk))

    def load(self, number: int) -> Chunk:
        """Read a saved chunk."""
        return Chunk(**{field.name: np.load(self._path(number, field.name)) for field in fields(Chunk)})

    def _path(self, number: int, name: str) -> Path:
        return self._folder / f"{number:05d}-{name}.npy"


def join_chunks(chunks: list[Chunk]) -> Chunk:
    """Return the units of several chunks, numbered alike, as one; words stay as they stand, not grouped."""
    sizes = np.concatenate([np.diff(c.starts) for c in chunks])
    first_units = np.cumsum([0, *(c.n_units for c in chunks)])[:-1].tolist()
    return Chunk(
        ids=np.concatenate([c.ids for c in chunks]),
        starts=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        strata=np.concatenate([c.strata for c in chunks]),
        words=np.concatenate([c.words for c in chunks]),
        word_units=np.concatenate([c.word_units + np.int32(n) for c, n in zip(chunks, first_units, strict=True)]),
        hashes=np.concatenate([c.hashes for c in chunks]),
    )


class JoinedChunks:
    """The chunks of several stores, in their final numbers, joined up to a size: what counting goes through."""

    def __init__(self, stores: list[ChunkStore], *, limit_bytes: int, n_words: int) -> None:
        self._n_words = n_words
        self._runs: list[list[tuple[ChunkStore, int]]] = []
        held = 0
        for store in stores:
            for number in range(store.n_chunks):
                size = store.saved_bytes(number)
                if not self._runs or held + size > limit_bytes:
                    self._runs.append([])
                    held = 0
                self._runs[-1].append((store, number))
                held += size
        self.n_chunks = len(self._runs)
        self._kept = self._join(self._runs[0]) if self.n_chunks == 1 else None

    def __iter__(self) -> Iterator[Chunk]:
        for run in self._runs:
            yield self._kept if self._kept is not None else self._join(run)

    def _join(self, run: list[tuple[ChunkStore, int]]) -> Chunk:
        chunk = join_chunks([store.load(number) for store, number in run])
        order = stable_order(chunk.words, self._n_words)
        chunk.words, chunk.word_units = chunk.words[order], chunk.word_units[order]
        return chunk
