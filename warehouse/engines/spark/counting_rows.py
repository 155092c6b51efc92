"""Rows of co-occurrence on Spark: counted by each task over its units, added up and held to the rules part by part.

A part is a run of rows with a bounded number of cells, the same for all tasks. A task of units writes one file: all its
counts by part, packed to a byte or two each. So a frequent word is spread over all tasks that hold units of it, and the
task that adds up its part reads one run of bytes from each file, whatever the number of units.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.counting.memory import MemoryPlan
from warehouse.counting.options import CountOptions
from warehouse.counting.rows.dense_rows import (
    Packed,
    Part,
    load_token_rows,
    load_word_rows,
    pack,
    row_begins,
    token_rows,
    token_widths,
    word_rows,
    word_widths,
)
from warehouse.counting.rows.kept_cells import KeepCells, keep_tokens, keep_words
from warehouse.counting.sums.kept_sums import load_sums
from warehouse.counting.sums.packed_rows import unpack_rows
from warehouse.counting.tables.edge_sort import sort_edges, spill
from warehouse.counting.tables.writer import Columns
from warehouse.counting.units.chunks import ChunkStore, JoinedChunks
from warehouse.counting.units.corpus_units import Corpus, add_chunk, no_units
from warehouse.engines.spark.counting_units import placed_folder
from warehouse.engines.spark.tasks import batch, collect, read_job, run_tasks, task_file, write_job

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_COUNTED = "task int, n_bytes long"
_ADDED = "part int, n_rows long"


@dataclass(frozen=True)
class Group:
    """Units that one task counts over: those of some tasks of the passes before, all added or all removed."""

    tasks: list[int]
    removed: bool


@dataclass(frozen=True)
class RowsJob:
    """What all tasks share. Parts of words come first, then those of tokens."""

    corpus: Corpus  # without base and units
    base_folder: Path | None
    options: CountOptions
    vocab_size: int
    plan: MemoryPlan
    groups: list[Group]
    word_parts: list[Part]
    token_parts: list[Part]
    adders: list[list[int]]  # the parts that each task adds up
    save: bool  # the complete rows, too


def balanced_groups(work: list[tuple[bool, int]], n_groups: int) -> list[Group]:
    """Spread tasks over groups of about the same work, largest first; removed units are groups of their own."""
    found = []
    for removed in (False, True):
        tasks = [number for number, (is_removed, _) in enumerate(work) if is_removed == removed]
        if not tasks and removed:
            continue
        total = sum(work[number][1] for number in tasks)
        share = total / max(1, sum(amount for _, amount in work))
        groups: list[list[int]] = [[] for _ in range(max(1, min(len(tasks), round(n_groups * share))))]
        held = [0] * len(groups)
        for number in sorted(tasks, key=lambda number: -work[number][1]):
            least = held.index(min(held))
            groups[least].append(number)
            held[least] += work[number][1]
        found += [Group(sorted(group), removed) for group in groups]
    return found


def shared_parts(n_cells: list[int], n_tasks: int) -> list[list[int]]:
    """Deal parts to tasks: with about the same cells each, largest first."""
    shares: list[list[int]] = [[] for _ in range(max(1, min(len(n_cells), n_tasks)))]
    held = [0] * len(shares)
    for part in sorted(range(len(n_cells)), key=lambda part: -n_cells[part]):
        least = held.index(min(held))
        shares[least].append(part)
        held[least] += n_cells[part]
    return [sorted(share) for share in shares]


def count_rows(spark: "SparkSession", scratch: Path, job: RowsJob) -> int:
    """Count all rows; what is kept of them (and the complete rows, on demand) is then below the scratch folder.

    Returns:
        The bytes of packed rows that tasks wrote for each other.
    """
    write_job(scratch / "rows.pickle", job)
    counted = collect(run_tasks(spark, len(job.groups), partial(_count_group, scratch), _COUNTED))
    collect(run_tasks(spark, len(job.adders), partial(_add_parts, scratch), _ADDED))
    return int(pc.sum(counted["n_bytes"]).as_py())


def words_file(scratch: Path, part: int) -> Path:
    """Return where the kept cells of a part of words are."""
    return scratch / "words" / f"{part:06d}.parquet"


def edges_files(scratch: Path) -> list[Path]:
    """Return the files of kept edges, each of them sorted."""
    return sorted((scratch / "edges").glob("[!.]*.parquet"))


def saved_rows(scratch: Path, part: int) -> Packed:
    """Return the complete rows of a part."""
    job: RowsJob = read_job(scratch / "rows.pickle")
    with _saved_file(scratch, part).open("rb") as file:
        return _read_packed(file, 0, _n_rows(job, part))


def _saved_file(scratch: Path, part: int) -> Path:
    return scratch / "saved" / f"{part:06d}.bin"


def _packed_file(scratch: Path, number: int) -> Path:
    return scratch / "packed" / f"{number:06d}.bin"


def _part(job: RowsJob, number: int) -> Part:
    return [*job.word_parts, *job.token_parts][number]


def _n_rows(job: RowsJob, number: int) -> int:
    first, last = _part(job, number)
    return last - first


def _write_packed(file: BinaryIO, packed: Packed) -> None:
    """Write the bytes of each row (int64), then the rows."""
    content, sizes = packed
    file.write(sizes.data)
    file.write(content.data)


def _read_packed(file: BinaryIO, offset: int, n_rows: int) -> Packed:
    file.seek(offset)
    sizes = np.fromfile(file, np.int64, n_rows)
    return np.fromfile(file, np.uint8, int(sizes.sum())), sizes


def _count_group(scratch: Path, number: int) -> Iterator[pa.RecordBatch]:
    """Count all rows over the units of one group."""
    job: RowsJob = read_job(scratch / "rows.pickle")
    group = job.groups[number]
    stores = [ChunkStore.saved(placed_folder(scratch, task)) for task in group.tasks]
    store = JoinedChunks(stores, limit_bytes=job.plan.chunk, n_words=job.corpus.word_ids.size)
    units = no_units(job.corpus, store)
    for chunk in store:
        add_chunk(units, chunk)
        units.n_units += chunk.n_units
        units.n_docs += np.bincount(chunk.ids, minlength=units.n_docs.size)
    corpus = replace(job.corpus, added=units, removed=no_units(job.corpus, ChunkStore(Path())))
    words, tokens = partial(_pack_clear, word_widths(corpus)), partial(_pack_clear, token_widths(corpus))
    counted = [
        word_rows(corpus, words, job.plan, threads=1, parts=job.word_parts),
        token_rows(corpus, tokens, job.plan, threads=1, parts=job.token_parts),
    ]
    n_parts = len(job.word_parts) + len(job.token_parts)
    offsets = np.zeros(n_parts, np.int64)  # where each part begins: the head of the file
    with task_file(_packed_file(scratch, number)) as path, path.open("wb") as file:
        file.write(offsets.data)
        for part, (_, packed) in enumerate(chain(*counted)):
            offsets[part] = file.tell()
            _write_packed(file, packed)
        n_bytes = file.tell()
        file.seek(0)
        file.write(offsets.data)
    yield batch(task=pa.array([number], pa.int32()), n_bytes=[n_bytes])


def _pack_clear(widths: np.ndarray, part: Part, memory: np.ndarray, first_row: int) -> Packed:
    packed = pack(widths, part, memory, first_row)
    begin = widths[first_row : part[0]].sum()
    memory[begin : begin + widths[slice(*part)].sum()] = 0
    return packed


@dataclass(frozen=True)
class _Adding:
    """What it takes to add up and reduce parts; made once in a worker's process."""

    job: RowsJob
    corpus: Corpus  # with its base
    widths: tuple[np.ndarray, np.ndarray]  # of words, of tokens
    keep: tuple[KeepCells, KeepCells]


@lru_cache(maxsize=1)
def _adding(scratch: Path) -> _Adding:
    job: RowsJob = read_job(scratch / "rows.pickle")
    corpus = replace(job.corpus, base=load_sums(job.base_folder) if job.base_folder else None)
    widths = word_widths(corpus), token_widths(corpus)
    return _Adding(job, corpus, widths, (keep_words(corpus), keep_tokens(corpus, job.options)))


def _add_parts(scratch: Path, number: int) -> Iterator[pa.RecordBatch]:
    """Add up the packed rows of some parts, and keep the cells that pass the rules."""
    adding = _adding(scratch)
    job = adding.job
    edges = _EdgeFiles(scratch / "edges", job.vocab_size, job.plan.sort)
    for part in job.adders[number]:
        columns = _add_part(adding, scratch, part)
        if part < len(job.word_parts):
            with task_file(words_file(scratch, part)) as path:
                pq.write_table(pa.table(columns), path, compression="none", use_dictionary=False)
        else:
            edges.append(part, columns)
        yield batch(part=pa.array([part], pa.int32()), n_rows=[len(columns["n_docs"])])
    edges.flush()


def _add_part(adding: _Adding, scratch: Path, number: int) -> Columns:
    job, corpus = adding.job, adding.corpus
    is_token = number >= len(job.word_parts)
    part = _part(job, number)
    widths = adding.widths[is_token]
    begins = row_begins(widths, part, part[0])
    memory = np.zeros(widths[slice(*part)].sum(), np.uint32)
    (load_token_rows if is_token else load_word_rows)(corpus, part, memory, part[0])
    for task, group in enumerate(job.groups):
        with _packed_file(scratch, task).open("rb") as file:
            file.seek(8 * number)
            content, sizes = _read_packed(file, int(np.fromfile(file, np.int64, 1)[0]), _n_rows(job, number))
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        if group.removed:  # in arithmetic that wraps around: a - b = -(-a + b)
            np.negative(memory, out=memory)
        unpack_rows(content, starts, memory, begins)
        if group.removed:
            np.negative(memory, out=memory)
    if job.save:
        with task_file(_saved_file(scratch, number)) as path, path.open("wb") as file:
            _write_packed(file, pack(widths, part, memory, part[0]))
    return adding.keep[is_token](part, memory, part[0])


class _EdgeFiles:
    """Edges of some parts, in sorted files named by the first part in them: the same whoever writes them."""

    def __init__(self, folder: Path, n_tokens: int, limit_bytes: int) -> None:
        self._folder, self._n_tokens, self._limit = folder, n_tokens, limit_bytes
        self._waiting: list[Columns] = []
        self._n_bytes = 0
        self._first = 0

    def append(self, part: int, edges: Columns) -> None:
        if not self._waiting:
            self._first = part
        self._waiting.append(edges)
        self._n_bytes += sum(column.nbytes for column in edges.values())
        if self._n_bytes > self._limit:
            self.flush()

    def flush(self) -> None:
        if self._waiting and self._n_bytes:
            with task_file(self._folder / f"{self._first:06d}.parquet") as path:
                spill(sort_edges(self._waiting, self._n_tokens), path)
        self._waiting, self._n_bytes = [], 0
