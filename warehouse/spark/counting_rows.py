"""Rows of co-occurrence on Spark: counted by each task over its units, added up and held to the rules part by part.

A part is a run of rows with a bounded number of cells, the same for all tasks. What Spark moves is one row for each
part and task: all its counts, packed to a byte or two each. So a frequent word is spread over all tasks that hold
units of it, and the task that adds up its part gets one packed row from each, whatever the number of units.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse import lake
from warehouse.counting.cells import KeepCells, keep_tokens, keep_words
from warehouse.counting.chunks import ChunkStore, JoinedChunks
from warehouse.counting.memory import MemoryPlan
from warehouse.counting.options import CountOptions
from warehouse.counting.packing import unpack_rows
from warehouse.counting.rows import (
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
from warehouse.counting.sorting import sort_edges, spill
from warehouse.counting.sums import load_sums
from warehouse.counting.units import Corpus, add_chunk, no_units
from warehouse.counting.writing import Columns
from warehouse.spark.counting_units import placed_folder
from warehouse.spark.tasks import batch, read_job, run_tasks, write_job

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# sizes: int64 bytes of each of the part's rows; content: these bytes one after another
_PACKED = "part int, removed boolean, sizes binary, content binary"
_DONE = "part int, n_rows long"


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


def count_rows(spark: "SparkSession", scratch: Path, job: RowsJob, n_reducers: int) -> "DataFrame":
    """Return what counts all rows when it is collected: files below the scratch folder, and one row for each part."""
    write_job(scratch / "rows.pickle", job)
    packed = run_tasks(spark, len(job.groups), partial(_count_group, scratch), _PACKED)
    by_part = packed.repartition(n_reducers, "part").sortWithinPartitions("part")
    return by_part.mapInArrow(partial(_add_parts, scratch), _DONE)


def words_file(scratch: Path, part: int) -> Path:
    """Return where the kept cells of a part of words are."""
    return scratch / "words" / f"{part:06d}.parquet"


def edges_files(scratch: Path) -> list[Path]:
    """Return the files of kept edges, each of them sorted."""
    return sorted((scratch / "edges").glob("[!.]*.parquet"))


def saved_rows(scratch: Path, part: int) -> Packed:
    """Return the complete rows of a part."""
    with np.load(_saved_file(scratch, part)) as rows:
        return rows["content"], rows["sizes"]


def _saved_file(scratch: Path, part: int) -> Path:
    return scratch / "saved" / f"{part:06d}.npz"


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
    part = 0
    for rows in counted:
        for _, (content, sizes) in rows:
            yield batch(
                part=pa.array([part], pa.int32()),
                removed=[group.removed],
                sizes=[sizes.tobytes()],
                content=[content.tobytes()],
            )
            part += 1


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


def _add_parts(scratch: Path, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Add up the packed rows of each part, which come one after another, and keep the cells that pass the rules."""
    adding = _adding(scratch)
    job = adding.job
    rows = (row for received in batches for row in received.to_pylist())
    edges = _EdgeFiles(scratch / "edges", job.vocab_size, job.plan.sort)
    for number, same in groupby(rows, key=itemgetter("part")):
        columns = _add_part(adding, scratch, number, same)
        if number < len(job.word_parts):
            with lake.atomic_file(words_file(scratch, number)) as path:
                pq.write_table(pa.table(columns), path, compression="none", use_dictionary=False)
        else:
            edges.append(number, columns)
        yield batch(part=pa.array([number], pa.int32()), n_rows=[len(columns["n_docs"])])
    edges.flush()


def _add_part(adding: _Adding, scratch: Path, number: int, rows: Iterable[dict[str, Any]]) -> Columns:
    job, corpus = adding.job, adding.corpus
    is_token = number >= len(job.word_parts)
    part = job.token_parts[number - len(job.word_parts)] if is_token else job.word_parts[number]
    widths = adding.widths[is_token]
    begins = row_begins(widths, part, part[0])
    memory = np.zeros(widths[slice(*part)].sum(), np.uint32)
    (load_token_rows if is_token else load_word_rows)(corpus, part, memory, part[0])
    for row in rows:
        ends = np.cumsum(np.frombuffer(row["sizes"], np.int64))
        starts = np.concatenate([np.zeros(1, np.int64), ends])
        if row["removed"]:  # in arithmetic that wraps around: a - b = -(-a + b)
            np.negative(memory, out=memory)
        unpack_rows(np.frombuffer(row["content"], np.uint8), starts, memory, begins)
        if row["removed"]:
            np.negative(memory, out=memory)
    if job.save:
        content, sizes = pack(widths, part, memory, part[0])
        with lake.atomic_file(_saved_file(scratch, number)) as path, path.open("wb") as file:
            np.savez(file, content=content, sizes=sizes)
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
            with lake.atomic_file(self._folder / f"{self._first:06d}.parquet") as path:
                spill(sort_edges(self._waiting, self._n_tokens), path)
        self._waiting, self._n_bytes = [], 0
