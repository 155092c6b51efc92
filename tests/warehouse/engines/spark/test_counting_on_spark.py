"""Counting on a cluster of two workers: the same bytes as in one process, whatever was counted before and where."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.corpora.counted import Doc, Made, random_corpus, write_corpus
from support.homes.spark_homes import Twins, cluster, counted_bytes, needs_spark, process_environment
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.counting.count import count_corpus
from warehouse.counting.options import CountOptions
from warehouse.engines.spark import counting, counting_rows, counting_units
from warehouse.engines.spark.counting import count_on_spark
from warehouse.lake.files import current_count

pytestmark = [pytest.mark.engines, needs_spark]

OPTIONS = {"min_rate_difference": 0.05, "min_z": 0.5, "z_min_pair_docs": 2, "z_min_token_docs": 2}
DOCUMENTS = CountOptions(**OPTIONS)
WINDOWS = CountOptions(unit="window", window_tokens=25, **OPTIONS)
SAMPLED = CountOptions(unit="window", window_tokens=25, max_docs_per_word=4, seed=1, **OPTIONS)


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    with cluster(tmp_path_factory.mktemp("counting")) as found:
        yield found


def write_both(twins: Twins, made: Made, corpus: str) -> None:
    for home in (twins.spark, twins.embedded):
        write_corpus(home, made, corpus=corpus)


@pytest.mark.parametrize("options", [DOCUMENTS, WINDOWS, SAMPLED], ids=["documents", "windows", "samples"])
def test_every_table_has_the_same_bytes(twins: Twins, options: CountOptions) -> None:
    corpus = f"same-{options.unit_name}-{options.max_docs_per_word}"
    write_both(twins, random_corpus(5, n_docs=150, n_shards=5), corpus)
    summary = count_on_spark(twins.spark, corpus, options)
    wanted = count_corpus(twins.embedded, corpus, options)
    assert replace(summary, seconds=0) == replace(wanted, seconds=0)
    assert counted_bytes(twins.spark, corpus) == counted_bytes(twins.embedded, corpus)
    assert not list(twins.spark.lake.rglob(".unfinished-*"))
    assert count_on_spark(twins.spark, corpus, options).was_there
    assert count_corpus(twins.spark, corpus, options).was_there, "the engine is no part of what a count is"


def test_many_small_parts_and_little_memory(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tasks, chunks that are not joined, edges in many files and ranges: still the same bytes."""
    monkeypatch.setenv("PIVOTS_MEMORY", "16kB")
    monkeypatch.setattr(counting_units, "TASK_TOKENS", 200)
    monkeypatch.setattr(counting, "RANGE_BYTES", 500)
    monkeypatch.setattr(counting, "GROUP_WORK", 500)
    monkeypatch.setattr("warehouse.counting.rows.dense_rows.PART_CELLS", 150)
    jobs = spy_on_jobs(monkeypatch)
    write_both(twins, random_corpus(6, n_docs=150, vocab_size=90, n_shards=12), "small")
    count_on_spark(twins.spark, "small", WINDOWS)
    (job,) = jobs
    assert len(job.token_parts) > 20
    assert len(job.groups) > 3
    count_corpus(twins.embedded, "small", WINDOWS)
    assert counted_bytes(twins.spark, "small") == counted_bytes(twins.embedded, "small")


def spy_on_jobs(monkeypatch: pytest.MonkeyPatch) -> list[counting_rows.RowsJob]:
    jobs = []
    count_rows = counting_rows.count_rows

    def spy(spark, scratch, job):
        jobs.append(job)
        return count_rows(spark, scratch, job)

    monkeypatch.setattr(counting_rows, "count_rows", spy)
    return jobs


def test_a_word_of_every_document_is_spread(twins: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    """No task goes through all units of a word, however frequent: its partial sums meet, its units don't."""
    jobs = spy_on_jobs(monkeypatch)
    rng = random.Random(3)
    docs = [
        Doc(number, rng.choice(["en", "fr"]), [0, *(rng.randrange(40) for _ in range(rng.randint(5, 40)))], {7: [0]})
        for number in range(400)
    ]
    for number in range(0, 400, 50):
        docs[number].words[8] = [1]
    made = Made([docs[i::8] for i in range(8)], {1: [7, 8]}, [], 64)
    write_both(twins, made, "skewed")
    count_on_spark(twins.spark, "skewed", DOCUMENTS)
    count_corpus(twins.embedded, "skewed", DOCUMENTS)
    assert counted_bytes(twins.spark, "skewed") == counted_bytes(twins.embedded, "skewed")
    sizes = [len(group.tasks) for group in jobs[0].groups]
    assert len(sizes) == 2
    assert max(sizes) <= 5, "about half of the eight shards each"


def test_adding_files_on_either_engine(twins: Twins) -> None:
    """Sums of one engine are added to by the other; records of later files replace earlier ones; thresholds change."""
    made = random_corpus(8, n_docs=300, n_shards=30)
    gone = [(0, made.shards[0][3].doc_id), (2, made.shards[2][1].doc_id)]
    steps = [
        (Made(made.shards[:20], made.items, [], made.vocab_size), DOCUMENTS),
        (Made(made.shards[:21], made.items, gone[:1], made.vocab_size), DOCUMENTS),  # few: added to kept sums
        (Made(made.shards, made.items, gone, made.vocab_size), DOCUMENTS),  # much: new sums
        (Made(made.shards, made.items, gone, made.vocab_size), CountOptions(**OPTIONS | {"min_z": 1.5})),
    ]
    for number, (now, options) in enumerate(steps):
        write_both(twins, now, "grown")
        (count_corpus if number == 2 else count_on_spark)(twins.spark, "grown", options)
        count_corpus(twins.embedded, "grown", options)
        assert counted_bytes(twins.spark, "grown") == counted_bytes(twins.embedded, "grown"), number


def test_a_task_that_fails_says_why(twins: Twins) -> None:
    made = random_corpus(9)
    made.vocab_size = 3
    made.shards[0][0].tokens.append(200)
    write_both(twins, made, "outside")
    with pytest.raises(StepFailed, match=r"a token id is outside the vocabulary of 3: ingest the corpus again$"):
        count_on_spark(twins.spark, "outside", DOCUMENTS)
    assert current_count(twins.spark, "outside") is None
    assert not list(twins.spark.lake.rglob(".unfinished-*"))


def test_a_folder_that_workers_do_not_see_is_named(twins: Twins) -> None:
    from warehouse.engines.spark.tasks import open_spark

    with (
        pytest.raises(UsageError, match=r"cannot see /nowhere: give a --home that every worker"),
        open_spark(twins.spark, app_name="tests", seen=Path("/nowhere")),
    ):
        pass


def command(home: Home) -> list[str]:
    start = [sys.executable, "-c", "from warehouse.cli import main; main()"]
    return [*start, "count", "--corpus", "c", "--engine", "spark", "--home", str(home.root)]


def test_killed_midway_it_is_made_again(tmp_path: Path) -> None:
    """kill -9 while units are in chunks: unfinished leftovers only, and the same command finishes the work."""
    killed, fresh = Home(tmp_path / "killed"), Home(tmp_path / "fresh")
    made = random_corpus(10, n_docs=200)
    for home in (killed, fresh):
        write_corpus(home, made)
    process = subprocess.Popen(command(killed), env=process_environment(), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not list(killed.lake.glob("counts/c/.unfinished-*/scratch/placed/0*")):
        assert process.poll() is None, "it was done before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert current_count(killed, "c") is None
    assert [path.name[:12] for path in (killed.lake / "counts" / "c").iterdir()] == [".unfinished-"]
    subprocess.run(command(killed), env=process_environment(), check=True, stderr=subprocess.DEVNULL)
    count_corpus(fresh, "c")
    assert counted_bytes(killed, "c") == counted_bytes(fresh, "c")
    assert not list(killed.lake.rglob(".unfinished-*"))


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"PIVOTS_SPARK_MASTER": "nonsense"}, "Spark does not start on nonsense (PIVOTS_SPARK_MASTER)"),
        ({"JAVA_HOME": "/nowhere"}, "Java is not installed"),
    ],
    ids=["master", "java"],
)
def test_wrong_requests_are_one_line(tmp_path: Path, environment: dict[str, str], message: str) -> None:
    home = Home(tmp_path)
    write_corpus(home, random_corpus(1))
    ended = subprocess.run(
        command(home), env=process_environment() | environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert message in ended.stderr.splitlines()[-1]
    assert current_count(home, "c") is None
    assert not list(home.lake.rglob(".unfinished-*"))


def test_without_pyspark_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'semantic-pivots\[spark\]'"):
        count_on_spark(Home(tmp_path), "c")
