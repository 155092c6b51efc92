"""The first two passes over documents, on Spark: units with their counts by stratum, then units in final numbers.

Tasks write chunks of units below the scratch folder; only counts by stratum, word and pair of words come to the driver.
"""

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.counting.changes import Changes
from warehouse.counting.memory import MemoryPlan
from warehouse.counting.options import CountOptions
from warehouse.counting.rows.word_pairs import shared_units
from warehouse.counting.shards import ShardPart
from warehouse.counting.sums.kept_sums import Sums
from warehouse.counting.units import kernels
from warehouse.counting.units.chunks import ChunkStore
from warehouse.counting.units.corpus_units import Order, Units, group_words, no_units, place, to_ranks
from warehouse.counting.units.cutting import group_tokens
from warehouse.counting.units.first_pass import read_units
from warehouse.counting.units.sampling import chunk_samples, limits_of
from warehouse.engines.spark import counting_vectors as sums
from warehouse.engines.spark.counting_vectors import Name, Vector
from warehouse.engines.spark.tasks import collect, finished_folder, read_job, run_tasks, write_job

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Tokens that a task reads, at most, roughly: its chunks stay in memory, and a task that is lost costs no more.
TASK_TOKENS = 32 << 20
_TASKS_PER_CORE = 4
_WORD_BLOCKS = 64  # samples are merged by blocks of words
_PAIR_BLOCK = 1 << 16


@dataclass(frozen=True)
class ReadJob:
    """What the tasks of the first pass share."""

    vocab_size: int
    options: CountOptions
    plan: MemoryPlan


@dataclass(frozen=True)
class ReadTask:
    """Documents of one task: all of them are added, or removed."""

    parts: list[ShardPart]
    removed: bool


@dataclass(frozen=True)
class ReadUnits:
    """What a task of the first pass leaves beside its chunks: what their numbers stand for."""

    removed: bool
    strata: list[tuple[str, int]]
    word_ids: np.ndarray
    work: int  # increments of all its rows of tokens


@dataclass(frozen=True)
class PlaceJob:
    """What the tasks of the second pass share."""

    order: Order
    limits: np.ndarray | None  # uint64[words]: the largest unit hash that each word's sample keeps
    pairs: np.ndarray  # int64[pairs, 2]


def cut_tasks(changes: Changes, cores: int) -> list[ReadTask]:
    """Cut documents into runs of row groups with about as many tokens each, a few for every core or more."""
    tasks: list[ReadTask] = []
    groups = {True: _groups(changes.removed), False: _groups(changes.added)}
    total = sum(n_tokens for found in groups.values() for _, _, n_tokens in found)
    target = min(TASK_TOKENS, total // (cores * _TASKS_PER_CORE) + 1)
    for removed, found in groups.items():
        parts: list[ShardPart] = []
        held = 0
        for part, number, n_tokens in found:
            if parts and held + n_tokens / 2 > target:
                tasks.append(ReadTask(parts, removed))
                parts, held = [], 0
            if parts and parts[-1].path == part.path and parts[-1].groups:
                parts[-1] = replace(part, groups=(parts[-1].groups[0], number + 1))
            else:
                parts.append(replace(part, groups=(number, number + 1)))
            held += n_tokens
        if parts:
            tasks.append(ReadTask(parts, removed))
    return tasks


def _groups(parts: list[ShardPart]) -> list[tuple[ShardPart, int, int]]:
    """Return all row groups with their tokens."""
    with ThreadPoolExecutor(8) as pool:
        files = list(pool.map(lambda part: pq.read_metadata(part.path), parts))
    return [
        (part, number, group_tokens(file.row_group(number)))
        for part, file in zip(parts, files, strict=True)
        for number in range(file.num_row_groups)
    ]


def read_pass(
    spark: "SparkSession", scratch: Path, job: ReadJob, tasks: list[ReadTask], cores: int
) -> dict[Name, Vector]:
    """Make units of all documents; return units and units with a token by stratum, words, and samples."""
    write_job(scratch / "read.pickle", job)
    for number, task in enumerate(tasks):
        write_job(_task_file(scratch, number), task)
    rows = run_tasks(spark, len(tasks), partial(read_task, scratch), sums.SCHEMA)
    return sums.vectors(collect(sums.add_up(rows, 2 * cores)))


def read_task(scratch: Path, number: int) -> Iterator[pa.RecordBatch]:
    """Make units of some documents: chunks in a folder, counts by stratum as vectors."""
    job: ReadJob = read_job(scratch / "read.pickle")
    task: ReadTask = read_job(_task_file(scratch, number))
    with finished_folder(_read_folder(scratch, number)) as folder:
        first = read_units(task.parts, job.vocab_size, job.options, job.plan, folder, threads=1)
        first.store.save()
        sizes = np.concatenate([np.empty(0, np.int64), *(np.diff(chunk.starts) for chunk in first.store)])
        work = int((sizes * (sizes - 1) // 2).sum())
        left = ReadUnits(task.removed, list(first.strata), first.numbers.word_ids, work)
        write_job(folder / "units.pickle", left)
        n_units = np.zeros(len(first.strata), np.int64)
        for chunk in first.store:
            n_units += np.bincount(chunk.strata, minlength=n_units.size)
        most = job.options.max_docs_per_word
        words, hashes = chunk_samples(first.store, first.numbers.word_ids, most) if most else (None, None)
    n_tokens = first.n_tokens
    for (lang, length_bin), stratum in first.strata.items():
        name = Name("tokens", lang, length_bin, task.removed)
        yield sums.counts_row(name, first.counts[stratum], n_units=int(n_units[stratum]), n_tokens=n_tokens)
        n_tokens = 0  # once for the task
    yield sums.words_row(Name(sums.WORDS, removed=task.removed), np.sort(first.numbers.word_ids))
    if most and words is not None and hashes is not None:
        for block in range(_WORD_BLOCKS):
            own = words % _WORD_BLOCKS == block
            yield sums.samples_row(Name(sums.SAMPLES, number=block), words[own], hashes[own], most)


def place_pass(spark: "SparkSession", scratch: Path, job: PlaceJob, n_tasks: int, cores: int) -> dict[Name, Vector]:
    """Give units their final numbers; return units with a word by stratum, and units with both words of pairs."""
    write_job(scratch / "place.pickle", job)
    rows = run_tasks(spark, n_tasks, partial(place_task, scratch), sums.SCHEMA)
    return sums.vectors(collect(sums.add_up(rows, 2 * cores)))


def place_task(scratch: Path, number: int) -> Iterator[pa.RecordBatch]:
    """Number the units of one task as the whole corpus does, and count its words and pairs of words."""
    job: PlaceJob = read_job(scratch / "place.pickle")
    left: ReadUnits = read_job(_read_folder(scratch, number) / "units.pickle")
    order, n_words = job.order, job.order.word_ids.size
    new_strata = np.array([order.strata.index(stratum) for stratum in left.strata], np.int32)
    new_words = np.searchsorted(order.word_ids, left.word_ids).astype(np.int32)
    word_strata = np.zeros((n_words, len(order.strata)), np.int32)
    pair_docs = np.zeros(len(job.pairs), np.int64)
    with finished_folder(placed_folder(scratch, number)) as folder, ThreadPoolExecutor(1) as pool:
        placed = ChunkStore(folder)
        for chunk in ChunkStore.saved(_read_folder(scratch, number)):
            to_ranks(chunk, order, pool, threads=1)
            chunk.strata = new_strata[chunk.strata]
            group_words(chunk, new_words, n_words, job.limits)
            chunk.hashes = np.empty(0, np.uint64)
            kernels.count_words(chunk.words, chunk.word_units, chunk.strata, word_strata)
            pair_docs += shared_units(job.pairs, order.word_ids, chunk)
            placed.append(chunk)
        placed.save()
    for stratum in sorted(set(new_strata.tolist())):
        lang, length_bin = order.strata[stratum]
        name = Name("words by stratum", lang, length_bin, left.removed)
        yield sums.counts_row(name, word_strata[:, stratum].astype(np.uint32))
    for block, start in enumerate(range(0, len(job.pairs), _PAIR_BLOCK)):
        counts = pair_docs[start : start + _PAIR_BLOCK].astype(np.uint32)
        yield sums.counts_row(Name("pairs", number=block, removed=left.removed), counts)


def order_of(found: dict[Name, Vector], base: Sums | None, vocab_size: int) -> Order:
    """Return the places of strata, tokens and words after the first pass."""
    n_docs = np.zeros(vocab_size, np.int64)
    for name, vector in found.items():
        if name.kind == "tokens" and not name.removed:
            n_docs += vector.values
    strata = {(name.lang, name.number) for name in found if name.kind == "tokens"}
    words = [vector.values for name, vector in found.items() if name.kind == sums.WORDS]
    return place(base, strata, [np.empty(0, np.int64), *words], n_docs)


def limits_after(found: dict[Name, Vector], order: Order, options: CountOptions) -> np.ndarray | None:
    """Return the limit of each word's sample after the first pass; None without sampling."""
    if not options.max_docs_per_word:
        return None
    samples = [sums.sample(vector) for name, vector in found.items() if name.kind == sums.SAMPLES]
    words, hashes = (np.concatenate(column) for column in zip(*samples, strict=True))
    by_word = np.lexsort((hashes, words))
    return limits_of(order.word_ids, words[by_word], hashes[by_word], options.max_docs_per_word)


def units_of(found: dict[Name, Vector], order: Order, *, removed: bool) -> Units:
    """Return units added, or removed, after both passes: how many there are, and nothing to go through."""
    units = no_units(order, ChunkStore(Path()))
    for name, vector in found.items():
        if name.removed != removed or (name.lang, name.number) not in order.strata:
            continue
        stratum = order.strata.index((name.lang, name.number))
        if name.kind == "tokens":
            units.stratum_sizes[stratum] += vector.n_units
            units.n_units += vector.n_units
            units.n_tokens += vector.n_tokens
        elif name.kind == "words by stratum":
            units.word_strata[:, stratum] += vector.values.astype(np.int32)
    return units


def stratum_docs(found: dict[Name, Vector], order: Order) -> np.ndarray:
    """Return uint32[ranks, strata], n_k(x) of units added - those of units removed (wraps around)."""
    by_stratum = np.zeros((len(order.strata), order.token_ids.size), np.uint32)
    for name, vector in found.items():
        if name.kind == "tokens":
            counts = vector.values[order.token_ids]
            by_stratum[order.strata.index((name.lang, name.number))] += -counts if name.removed else counts
    return np.ascontiguousarray(by_stratum.T)


def pair_docs_of(found: dict[Name, Vector], n_pairs: int) -> np.ndarray:
    """Return int64[pairs], n(s,t) of units added - that of units removed."""
    counts = np.zeros(n_pairs, np.int64)
    for name, vector in found.items():
        if name.kind == "pairs":
            block = counts[name.number * _PAIR_BLOCK :][: vector.values.size]
            block += vector.values.astype(np.int64) * (-1 if name.removed else 1)
    return counts


def task_work(scratch: Path, n_tasks: int) -> list[tuple[bool, int]]:
    """Return of each task whether its units are removed, and about what counting over them costs."""
    # only this run's own tasks write there
    left = [pickle.loads((_read_folder(scratch, number) / "units.pickle").read_bytes()) for number in range(n_tasks)]  # noqa: S301
    return [(units.removed, units.work) for units in left]


def _task_file(scratch: Path, number: int) -> Path:
    return scratch / "tasks" / f"{number:06d}.pickle"


def _read_folder(scratch: Path, number: int) -> Path:
    return scratch / "read" / f"{number:06d}"


def placed_folder(scratch: Path, number: int) -> Path:
    """Return where the chunks of a task of the second pass are."""
    return scratch / "placed" / f"{number:06d}"
