"""`pivots count --engine spark`: the kernels run on Spark's executors, and the counted tables have the same bytes.

Four passes: units and counts by stratum; units in final numbers; rows of cells, packed, added up and held to the rules;
edges in order. Chunks of units, kept cells and edges are files below the count's own unfinished folder, which all
workers see; partial sums go through Spark's shuffle. The driver sees what is bounded by vocabulary, word list and
strata: counts by stratum, and the kept rows one piece after another, to write the tables.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.base.progress import say
from warehouse.base.settings import Home
from warehouse.counting.changes import Changes
from warehouse.counting.count import CountSummary, count_corpus
from warehouse.counting.engine import Counted, SaveRows
from warehouse.counting.inputs import CountInputs, item_pairs
from warehouse.counting.memory import MemoryPlan
from warehouse.counting.options import CountOptions
from warehouse.counting.rows.dense_rows import cut_parts, token_widths, word_widths
from warehouse.counting.tables.edge_sort import sorted_range, token_ranges
from warehouse.counting.tables.writer import Columns
from warehouse.counting.units.corpus_units import Corpus, on_base
from warehouse.engines.spark import counting_rows, counting_units
from warehouse.engines.spark.session import require_spark
from warehouse.engines.spark.tasks import (
    batch,
    collect,
    open_spark,
    read_job,
    run_tasks,
    task_file,
    task_memory,
    worker_cores,
    write_job,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Work of one task of the rows, in increments (about a minute of a core): fewer tasks have fewer partial sums to move.
GROUP_WORK = 1 << 37
_ADDERS_PER_CORE = 4
RANGE_BYTES = 1 << 23  # edges sorted by one task, at least


def count_on_spark(home: Home, corpus: str, options: CountOptions | None = None) -> CountSummary:
    """Make the counts of a corpus as `count_corpus` does, on Spark.

    Raises:
        UsageError: Spark is not there or cannot do the work, or the corpus was not ingested.
        StepFailed: a task failed, or `count_corpus` would.
    """
    require_spark()
    home = Home(home.root.resolve())  # workers start in folders of their own
    return count_corpus(home, corpus, options, engine=partial(on_spark, home))


@contextmanager
def on_spark(
    home: Home, inputs: CountInputs, changes: Changes, options: CountOptions, scratch: Path
) -> Iterator[Counted]:
    """Read the units of all changes on Spark. An `Engine`, for one home."""
    scratch.mkdir(parents=True)
    with open_spark(home, app_name=f"pivots count {inputs.corpus}", seen=scratch) as spark:
        yield _read(spark, inputs, changes, options, scratch)


def _read(
    spark: "SparkSession", inputs: CountInputs, changes: Changes, options: CountOptions, scratch: Path
) -> "_OnSpark":
    cores, plan = worker_cores(spark), task_memory(spark)
    tasks = counting_units.cut_tasks(changes, cores)
    say(f"counting on Spark: {cores} cores, {len(tasks)} tasks of documents")
    read = counting_units.ReadJob(inputs.vocab_size, options, plan)
    found = counting_units.read_pass(spark, scratch, read, tasks, cores) if tasks else {}
    order = counting_units.order_of(found, changes.base, inputs.vocab_size)
    pairs = item_pairs(inputs)
    place = counting_units.PlaceJob(order, counting_units.limits_after(found, order, options), pairs)
    if tasks:
        found |= counting_units.place_pass(spark, scratch, place, len(tasks), cores)
    corpus = on_base(
        changes.base,
        order,
        counting_units.stratum_docs(found, order),
        counting_units.units_of(found, order, removed=False),
        counting_units.units_of(found, order, removed=True),
    )
    return _OnSpark(
        spark=spark,
        corpus=corpus,
        options=options,
        vocab_size=inputs.vocab_size,
        plan=plan,
        scratch=scratch,
        cores=cores,
        n_tasks=len(tasks),
        new_pair_docs=counting_units.pair_docs_of(found, len(pairs)),
    )


@dataclass
class _OnSpark:
    """A corpus whose units are in chunks below the scratch folder. See `Counted`."""

    spark: "SparkSession"
    corpus: Corpus
    options: CountOptions
    vocab_size: int
    plan: MemoryPlan
    scratch: Path
    cores: int
    n_tasks: int
    new_pair_docs: np.ndarray
    edges: "Future[list[Path]] | None" = None

    def pair_docs(self, pairs: np.ndarray) -> np.ndarray:
        base = self.corpus.base
        return self.new_pair_docs + base.pair_docs if base else self.new_pair_docs

    def word_tokens(self, save: SaveRows | None) -> Iterator[Columns]:
        """Count all rows, of tokens too; edges are sorted while the caller writes the rows of words."""
        job = self._job(save=save is not None)
        n_parts = len(job.word_parts) + len(job.token_parts)
        say(
            f"counting on Spark: rows in {n_parts} parts over {len(job.groups)} tasks, {len(job.adders)} to add them up"
        )
        n_bytes = counting_rows.count_rows(self.spark, self.scratch, job)
        say(f"counting on Spark: {n_bytes / 1e6:,.0f} MB of packed rows were added up")
        with ThreadPoolExecutor(1) as pool:
            self.edges = pool.submit(_sort_edges, self.spark, self.scratch, job, self.cores)
            for part in range(len(job.word_parts)):
                if save:
                    save("words", counting_rows.saved_rows(self.scratch, part))
                yield _columns(counting_rows.words_file(self.scratch, part))

    def token_pairs(self, save: SaveRows | None) -> Iterator[Columns]:
        job: counting_rows.RowsJob = read_job(self.scratch / "rows.pickle")
        if save:
            for part in range(len(job.token_parts)):
                save("tokens", counting_rows.saved_rows(self.scratch, len(job.word_parts) + part))
        assert self.edges is not None, "rows of words come first"
        for path in self.edges.result():
            yield _columns(path)

    def _job(self, *, save: bool) -> counting_rows.RowsJob:
        corpus, base = self.corpus, self.corpus.base
        work = counting_units.task_work(self.scratch, self.n_tasks)
        n_groups = max(self.cores, -(-sum(amount for _, amount in work) // GROUP_WORK))
        word_parts, token_parts = cut_parts(word_widths(corpus)), cut_parts(token_widths(corpus))
        n_cells = [int(word_widths(corpus)[slice(*part)].sum()) for part in word_parts]
        n_cells += [int(token_widths(corpus)[slice(*part)].sum()) for part in token_parts]
        return counting_rows.RowsJob(
            corpus=replace(corpus, base=None),
            base_folder=base.folder if base else None,
            options=self.options,
            vocab_size=self.vocab_size,
            plan=self.plan,
            groups=counting_rows.balanced_groups(work, n_groups),
            word_parts=word_parts,
            token_parts=token_parts,
            adders=counting_rows.shared_parts(n_cells, _ADDERS_PER_CORE * self.cores),
            save=save,
        )


def _columns(path: Path) -> Columns:
    table = pq.read_table(path)
    return {name: table[name].to_numpy() for name in table.column_names}


def _sort_edges(spark: "SparkSession", scratch: Path, job: counting_rows.RowsJob, cores: int) -> list[Path]:
    """Sort all edges by range of their first token; return the files in order."""
    files = counting_rows.edges_files(scratch)
    if not files:
        return []
    n_bytes = sum(path.stat().st_size for path in files)
    limit = min(job.plan.sort, max(RANGE_BYTES, n_bytes // (2 * cores)))
    ranges = token_ranges(files, job.vocab_size, limit)
    write_job(scratch / "sort.pickle", (files, ranges, job.vocab_size))
    collect(run_tasks(spark, len(ranges), partial(_sort_range, scratch), "number int"))
    return [_sorted_file(scratch, number) for number in range(len(ranges))]


def _sort_range(scratch: Path, number: int) -> Iterator[pa.RecordBatch]:
    files, ranges, vocab_size = read_job(scratch / "sort.pickle")
    low, high = ranges[number]
    columns = sorted_range(files, low, high, vocab_size)
    with task_file(_sorted_file(scratch, number)) as path:
        pq.write_table(pa.table(columns), path, compression="none", use_dictionary=False)
    yield batch(number=pa.array([number], pa.int32()))


def _sorted_file(scratch: Path, number: int) -> Path:
    return scratch / "sorted" / f"{number:06d}.parquet"
