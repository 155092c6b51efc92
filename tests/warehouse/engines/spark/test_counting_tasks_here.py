"""The tasks of counting on Spark, run one after another in this process: the same bytes, without starting Spark."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from support.corpora.counted import Made, random_corpus, write_corpus
from support.homes.spark_homes import counted_bytes
from warehouse.base.settings import Home
from warehouse.counting.count import count_corpus
from warehouse.counting.memory import memory_plan
from warehouse.counting.options import CountOptions
from warehouse.engines.spark import counting, counting_rows, counting_units
from warehouse.engines.spark import counting_vectors as sums
from warehouse.engines.spark.counting import count_on_spark

OPTIONS = {"min_rate_difference": 0.05, "min_z": 0.5, "z_min_pair_docs": 2, "z_min_token_docs": 2}


@pytest.fixture(autouse=True)
def tasks_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Spark does, done here: run each task, twice as after a failure; bring rows of one name together; collect."""

    @contextmanager
    def no_session(*_: Any, **__: Any) -> Iterator[None]:
        yield None

    def run_tasks(_: Any, n_tasks: int, work: Any, schema: str) -> list[pa.RecordBatch]:
        for number in range(n_tasks):
            list(work(number))
        return [batch for number in range(n_tasks) for batch in work(number)]

    def add_up(rows: list[pa.RecordBatch], n_partitions: int) -> list[pa.RecordBatch]:
        table = pa.Table.from_batches(rows).sort_by([(key, "ascending") for key in sums._KEY])
        return list(sums._add(table.to_batches(max_chunksize=3)))

    monkeypatch.setattr(counting, "require_spark", lambda: None)
    monkeypatch.setattr(counting, "open_spark", no_session)
    monkeypatch.setattr(counting, "worker_cores", lambda _: 3)
    monkeypatch.setattr(counting, "task_memory", lambda _: memory_plan())
    monkeypatch.setattr(sums, "add_up", add_up)
    for module in (counting, counting_units, counting_rows):
        monkeypatch.setattr(module, "run_tasks", run_tasks)
        monkeypatch.setattr(module, "collect", pa.Table.from_batches)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(CountOptions(**OPTIONS), id="documents", marks=pytest.mark.slow),
        pytest.param(CountOptions(unit="window", window_tokens=25, **OPTIONS), id="windows"),
        pytest.param(
            CountOptions(unit="window", window_tokens=25, max_docs_per_word=4, seed=1, **OPTIONS),
            id="samples",
            marks=pytest.mark.slow,
        ),
    ],
)
@pytest.mark.parametrize(
    "small", [pytest.param(False, id="large parts", marks=pytest.mark.slow), pytest.param(True, id="small parts")]
)
def test_grown_step_by_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: CountOptions, small: bool
) -> None:
    if small:
        monkeypatch.setenv("PIVOTS_MEMORY", "16kB")
        monkeypatch.setattr(counting_units, "TASK_TOKENS", 200)
        monkeypatch.setattr(counting, "RANGE_BYTES", 500)
        monkeypatch.setattr(counting, "GROUP_WORK", 500)
        monkeypatch.setattr("warehouse.counting.rows.dense_rows.PART_CELLS", 150)
    made = random_corpus(8, n_docs=200, n_shards=30)
    gone = [(0, made.shards[0][3].doc_id), (2, made.shards[2][1].doc_id)]
    here, wanted = Home(tmp_path / "here"), Home(tmp_path / "wanted")
    for n_shards, superseded in ((25, []), (26, gone[:1]), (30, gone)):
        for home, count in ((here, count_on_spark), (wanted, count_corpus)):
            write_corpus(home, Made(made.shards[:n_shards], made.items, superseded, made.vocab_size))
            count(home, "c", options)
        assert counted_bytes(here, "c") == counted_bytes(wanted, "c")
        assert not list(here.lake.rglob(".unfinished-*"))


def test_a_corpus_without_words(tmp_path: Path) -> None:
    made = random_corpus(2)
    for doc in (d for shard in made.shards for d in shard):
        doc.words = {}
    for name, count in (("here", count_on_spark), ("wanted", count_corpus)):
        home = Home(tmp_path / name)
        write_corpus(home, made)
        for path in home.lake.glob("word_documents/c/*"):
            path.unlink()
        count(home, "c", CountOptions(**OPTIONS))
    assert counted_bytes(Home(tmp_path / "here"), "c") == counted_bytes(Home(tmp_path / "wanted"), "c")
