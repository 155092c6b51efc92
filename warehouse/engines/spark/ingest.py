"""`pivots ingest --engine spark`: each file is read, tokenised, matched and committed by one task on Spark's executors.

A file is the grain: its shard is written by one task, whole or not at all, with the same bytes as in one process. The
driver holds the writer lock and one row for each file.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from warehouse.base.settings import Home
from warehouse.contract.hashing import file_hash
from warehouse.engines.spark.session import require_spark
from warehouse.engines.spark.tasks import batch, collect, open_spark, read_job, run_tasks, worker_cores, write_job
from warehouse.ingest.corpus import IngestOptions, IngestSummary, ingest_corpus
from warehouse.ingest.piece_rows import Tools
from warehouse.ingest.workers import Source, commit_file
from warehouse.lake.corpora import Corpus
from warehouse.lake.files import scratch_folder
from warehouse.text.tokenizing import EnginesDiffer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Files go to Spark in rounds, largest first: between two rounds the share of rejects is looked at.
ROUND_FILES_PER_CORE = 32
_HASH_TASKS_PER_CORE = 8
_COMMITTED = "number int, row string, reasons string, difference string"


def ingest_on_spark(
    home: Home, paths: list[Path], *, corpus: str, tokenizer: str, options: IngestOptions | None = None
) -> IngestSummary:
    """Ingest the files below some paths as `ingest_corpus` does, on Spark, whose workers see files and home alike.

    Raises:
        UsageError: Spark is not there or cannot do the work, or something of the request cannot be served.
        StepFailed: more records than allowed were rejected, or a task failed. What was committed stays.
    """
    require_spark()
    home = Home(home.root.resolve())  # workers start in folders of their own
    with ExitStack() as opened:
        workers = _SparkWorkers(home, corpus, opened)
        return ingest_corpus(home, paths, corpus=corpus, tokenizer=tokenizer, options=options, workers=workers)


@dataclass(frozen=True)
class _IngestJob:
    """What the tasks of one round share, and the file of each."""

    home: Home
    corpus: Corpus
    tools: Tools
    run_id: str
    sources: list[Source]


class _SparkWorkers:
    """Spark's executors; the session starts with the first work that there is. See `Workers`."""

    def __init__(self, home: Home, corpus: str, opened: ExitStack) -> None:
        self._home, self._corpus, self._opened = home, corpus, opened
        self._spark: SparkSession | None = None

    def _open(self) -> "tuple[SparkSession, Path]":
        """Return the session, and a folder for what tasks are to do; the caller holds the writer lock."""
        if self._spark is None:
            self._scratch = self._opened.enter_context(scratch_folder(self._home))
            name = f"pivots ingest {self._corpus}"
            self._spark = self._opened.enter_context(open_spark(self._home, app_name=name, seen=self._scratch))
        return self._spark, self._scratch

    def file_hashes(self, paths: list[Path]) -> dict[Path, str]:
        spark, scratch = self._open()
        largest_first = sorted(enumerate(paths), key=lambda file: -file[1].stat().st_size)
        n_tasks = min(len(paths), _HASH_TASKS_PER_CORE * worker_cores(spark))
        write_job(scratch / "hash.pickle", [largest_first[i::n_tasks] for i in range(n_tasks)])
        rows = collect(run_tasks(spark, n_tasks, partial(_hash_files, scratch), "number long, hash string"))
        return {paths[row["number"]]: row["hash"] for row in rows.to_pylist()}

    def commit_files(
        self,
        home: Home,
        sources: list[Source],
        corpus: Corpus,
        tools: Tools,
        run_id: str,
        advance: Callable[[int], None],
    ) -> Generator[tuple[dict[str, object], Counter[str]], None, None]:
        spark, scratch = self._open()
        size = ROUND_FILES_PER_CORE * worker_cores(spark)
        for first in range(0, len(sources), size):
            chosen = sorted(sources[first : first + size], key=lambda source: -source.n_bytes)
            job = scratch / f"ingest-{tools.engine}-{first:08d}.pickle"
            write_job(job, _IngestJob(home, corpus, tools, run_id, chosen))
            rows = collect(run_tasks(spark, len(chosen), partial(_commit_file, job), _COMMITTED)).to_pylist()
            for row in rows:
                if row["difference"] is None:
                    advance(chosen[row["number"]].n_bytes)
                    yield json.loads(row["row"]), Counter(json.loads(row["reasons"]))
            if differences := [row["difference"] for row in rows if row["difference"] is not None]:
                raise EnginesDiffer(differences[0])


def _hash_files(scratch: Path, number: int) -> Iterator[pa.RecordBatch]:
    files = read_job(scratch / "hash.pickle")[number]
    yield batch(number=[place for place, _ in files], hash=[file_hash(path) for _, path in files])


def _commit_file(job: Path, number: int) -> Iterator[pa.RecordBatch]:
    """Ingest one file. A fast tokenizer that is not exact on it is an answer, not an error: Spark would try again."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    work: _IngestJob = read_job(job)
    try:
        row, reasons = commit_file(work.home, work.sources[number], work.corpus, work.tools, work.run_id)
        yield _answer(number, row=json.dumps(row), reasons=json.dumps(reasons))
    except EnginesDiffer as error:
        yield _answer(number, difference=str(error))


def _answer(
    number: int, *, row: str | None = None, reasons: str | None = None, difference: str | None = None
) -> pa.RecordBatch:
    text = pa.string()
    return batch(
        number=pa.array([number], pa.int32()),
        row=pa.array([row], text),
        reasons=pa.array([reasons], text),
        difference=pa.array([difference], text),
    )
