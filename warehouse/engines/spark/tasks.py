"""Work on Spark's executors: a task is a number, its results are Arrow batches, and its errors become ours.

Tasks find what to do in files of a folder that every worker sees, as it must see the lake; so nothing that grows with
the corpus passes through the driver, or is sent with every task.
"""

import pickle
import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_folder
from warehouse.counting.memory import MemoryPlan, memory_plan
from warehouse.engines.spark.session import spark_master, spark_session

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Work = Callable[[int], Iterable[pa.RecordBatch]]

_OUR_ERROR = re.compile(rf"{re.escape(StepFailed.__module__)}\.StepFailed: (.*)")
_PYTHON_ERROR = re.compile(r"^\w[\w.]*(?:Error|Exception|Interrupt|Exit)\b.*", re.MULTILINE)
# Rows that carry packed counts may be large; Spark hands them to Python in batches of at most this number.
_BATCH_ROWS = "64"


@contextmanager
def open_spark(home: Home, *, app_name: str, seen: Path) -> "Iterator[SparkSession]":
    """Yield a session whose workers were found fit: they have this package, and see the folder `seen`.

    Raises:
        UsageError: Spark cannot be started as asked, or its workers cannot do the work.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    session = spark_session(home, app_name=app_name)
    try:
        spark = session.__enter__()
    except (Py4JError, PySparkException) as error:
        raise UsageError(f"Spark does not start on {spark_master()} (PIVOTS_SPARK_MASTER): {_reason(error)}") from None
    batch_rows = spark.conf.get("spark.sql.execution.arrow.maxRecordsPerBatch", "10000")
    try:
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", _BATCH_ROWS)
        _check_workers(spark, seen)
        yield spark
    finally:
        spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(batch_rows))
        session.__exit__(None, None, None)


def worker_cores(spark: "SparkSession") -> int:
    """Return how many tasks the cluster runs at once, as far as its settings tell."""
    master = spark_master()
    if of_local_cluster := re.match(r"local-cluster\[\s*(\d+)\s*,\s*(\d+)\s*,", master):
        return int(of_local_cluster[1]) * int(of_local_cluster[2])
    executors = int(spark.conf.get("spark.executor.instances", "0") or 0)
    return executors * _executor_cores(spark) or spark.sparkContext.defaultParallelism


def _executor_cores(spark: "SparkSession") -> int:
    return int(spark.conf.get("spark.executor.cores", "1") or 1)


def task_memory(spark: "SparkSession") -> MemoryPlan:
    """Return a task's share of PIVOTS_MEMORY, which is what one machine may hold: its tasks run side by side."""
    side_by_side = worker_cores(spark) if spark_master().startswith("local") else _executor_cores(spark)
    plan = memory_plan()
    return MemoryPlan(*(max(1, size // side_by_side) for size in (plan.rows, plan.chunk, plan.sort)))


def run_tasks(spark: "SparkSession", n_tasks: int, work: Work, schema: str) -> "DataFrame":
    """Return the batches of `work(0)`, `work(1)`, ...: each number is a partition, so a task, of its own."""
    return spark.range(0, n_tasks, 1, n_tasks).mapInArrow(partial(_run, work), schema)


def _run(work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for number in batch.column(0).to_pylist():
            yield from work(number)


def collect(frame: "DataFrame") -> pa.Table:
    """Return all rows: only for what does not grow with the corpus, or one row a file.

    Raises:
        StepFailed: a task failed, for the reason that it gave.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        return frame.toArrow()
    except (Py4JError, PySparkException) as error:
        raise StepFailed(f"a task failed on Spark: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return the line of an error that says most: ours, else Python's on the worker, else Java's."""
    text = str(error)
    if own := _OUR_ERROR.findall(text):
        return own[0]
    if python := _PYTHON_ERROR.findall(text):
        return python[-1]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    java = [line for line in lines if re.match(r"[:\s]*(?:java|org)\.[\w.]+(?:Exception|Error)", line)]
    return (java or lines or [type(error).__name__])[0].lstrip(": ")


def _check_workers(spark: "SparkSession", seen: Path) -> None:
    """Run nothing on every core, so that a cluster which cannot do the work is found before any.

    Raises:
        UsageError: a worker lacks this package or does not see the folder.
    """
    try:
        rows = collect(run_tasks(spark, worker_cores(spark), partial(_look, str(seen)), "host string, sees boolean"))
    except StepFailed as failure:
        raise UsageError(
            f"Spark's workers cannot run this package ({failure}): install semantic-pivots with the same versions there"
        ) from None
    if blind := sorted({row["host"] for row in rows.to_pylist() if not row["sees"]}):
        raise UsageError(f"{', '.join(blind)} cannot see {seen}: give a --home that every worker of Spark sees alike")


def _look(folder: str, number: int) -> Iterator[pa.RecordBatch]:
    import socket

    yield batch(host=[socket.gethostname()], sees=[Path(folder).is_dir()])


def batch(**columns: list[Any]) -> pa.RecordBatch:
    """Return some rows."""
    return pa.RecordBatch.from_pydict(columns)


def write_job(path: Path, job: Any) -> None:
    """Write what tasks are to do."""
    with task_file(path) as unfinished:
        unfinished.write_bytes(pickle.dumps(job))


@lru_cache(maxsize=2)
def read_job(path: Path) -> Any:
    """Read what tasks are to do. A worker's process reads it once: jobs are never changed."""
    return pickle.loads(path.read_bytes())  # noqa: S301  the driver of this run wrote it


@contextmanager
def task_file(path: Path) -> Iterator[Path]:
    """Yield a file that becomes `path`, for other tasks: not forced to disk as it does not outlive the job."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{secrets.token_hex(4)}-{path.name}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def finished_folder(path: Path) -> Iterator[Path]:
    """Yield a folder that becomes `path`, unless another attempt of the same task was first: it wrote the same."""
    try:
        with atomic_folder(path) as unfinished:
            yield unfinished
    except OSError:
        if not path.exists():
            raise
