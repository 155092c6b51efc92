"""Ingest on a cluster of two workers: the same shards, byte for byte, and a planted corpus from files to counts."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.corpora.files import document, lake_bytes, write_jsonl, write_tokenizer
from support.homes.spark_homes import Twins, cluster, counted_bytes, needs_spark, process_environment
from support.places import PROJECT
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.counting.count import count_corpus
from warehouse.counting.options import CountOptions
from warehouse.engines.spark import ingest as on_spark
from warehouse.engines.spark.counting import count_on_spark
from warehouse.engines.spark.ingest import ingest_on_spark
from warehouse.ingest.corpus import IngestOptions, ingest_corpus
from warehouse.ingest.word_list import import_words
from warehouse.planted.plant import plant_corpus

pytestmark = [pytest.mark.engines, needs_spark]

ANY_SHARE = IngestOptions(max_reject_share=1)
TOKENIZER = str(PROJECT / "ml" / "base_model" / "tokenizer.json")


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    with cluster(tmp_path_factory.mktemp("ingest")) as found:
        yield found


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted") / "corpus"
    plant_corpus(folder, scale=0.05, seed=3)
    return folder


def test_a_planted_corpus_is_the_same_from_files_to_counts(twins: Twins, planted: Path) -> None:
    options = CountOptions(unit="window", window_tokens=128, max_docs_per_word=50)
    for home, ingest, count in (
        (twins.spark, ingest_on_spark, count_on_spark),
        (twins.embedded, ingest_corpus, count_corpus),
    ):
        import_words(home, planted / "words.jsonl")
        ingest(home, [planted / "documents"], corpus="planted", tokenizer=TOKENIZER)
        count(home, "planted", options)
    assert counted_bytes(twins.spark, "planted") == counted_bytes(twins.embedded, "planted")
    assert shards(twins.spark) == shards(twins.embedded)


def shards(home: Home) -> dict[str, bytes]:
    return {name: content for name, content in lake_bytes(home).items() if not name.startswith(("counts", "sums"))}


def test_bad_records_duplicates_and_a_second_request(twins: Twins, tmp_path: Path) -> None:
    """Files of all kinds; a second request reads only what is new, and finds records that replace earlier ones."""
    tokenizer = str(write_tokenizer(tmp_path))
    many = [document(str(number), f"the water of river {number}") for number in range(500)]
    write_jsonl(tmp_path / "in" / "a.jsonl.zst", [*many, "{", document("twice", "cold"), document("twice", "cold")])
    write_jsonl(tmp_path / "in" / "b.jsonl", [document("x", "L'eau est froide", lang=None), document("y", " ")])
    (tmp_path / "in" / "c.txt").write_text("水很冷，房子很旧。")
    (tmp_path / "in" / "d.txt").write_bytes(b"")
    (tmp_path / "in" / "copy of c.txt").write_text("水很冷，房子很旧。")
    for step in range(3):
        if step == 1:
            write_jsonl(tmp_path / "in" / "later.jsonl", [document("x", "The river"), document("3", "the house")])
        found = ingest_on_spark(twins.spark, [tmp_path / "in"], corpus="c", tokenizer=tokenizer, options=ANY_SHARE)
        wanted = ingest_corpus(twins.embedded, [tmp_path / "in"], corpus="c", tokenizer=tokenizer, options=ANY_SHARE)
        assert found == wanted
        assert found.n_new_files == (4, 1, 0)[step]
        assert shards(twins.spark) == shards(twins.embedded)
    assert wanted.n_superseded == 2
    assert not list(twins.spark.lake.rglob(".unfinished-*"))


def test_an_inexact_tokenizer_is_left_by_all_workers(
    twins: Twins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file on which the fast engine differs is an answer: the driver goes on with the reference for what is left."""
    tokenizer = str(write_tokenizer(tmp_path, vocab_size=400))
    for number in range(4):
        write_jsonl(tmp_path / "in" / f"{number}.jsonl", [document(f"{number}", f"the water {number}")])
    commit = on_spark._commit_file

    def differing(job: Path, number: int) -> Iterator[Any]:
        """The fast engine is caught on the second file of a round (a local function travels to workers whole)."""
        if on_spark.read_job(job).tools.engine != "tokenizers" and number == 1:
            yield on_spark._answer(number, difference="'water': 1 token, not 2")
        else:
            yield from commit(job, number)

    monkeypatch.setattr(on_spark, "ROUND_FILES_PER_CORE", 1)
    monkeypatch.setattr(on_spark, "_commit_file", differing)
    summary = ingest_on_spark(twins.spark, [tmp_path / "in"], corpus="inexact", tokenizer=tokenizer, options=ANY_SHARE)
    assert summary.engine == "tokenizers"
    assert summary.tally.n_docs == summary.tally.n_files == 4
    wanted = ingest_corpus(twins.embedded, [tmp_path / "in"], corpus="inexact", tokenizer=tokenizer, options=ANY_SHARE)
    assert wanted.tally.n_docs == 4
    inexact = {name for name in shards(twins.spark) if name.endswith(".inexact")}
    assert len(inexact) == 1


def test_too_many_rejects_stop_it(twins: Twins, tmp_path: Path) -> None:
    tokenizer = str(write_tokenizer(tmp_path))
    write_jsonl(tmp_path / "bad.jsonl", ["{"] * 3 + [document("a", "water")])
    with pytest.raises(StepFailed, match=r"3 of 4 records were rejected .* 'invalid JSON'"):
        ingest_on_spark(twins.spark, [tmp_path / "bad.jsonl"], corpus="bad", tokenizer=tokenizer)


def test_killed_midway_it_goes_on(tmp_path: Path) -> None:
    """kill -9 after the first files: what is in is whole, the same command does the rest and leaves nothing behind."""
    tokenizer = write_tokenizer(tmp_path)
    for number in range(40):
        records = [document(f"{number}-{i}", f"the water of the river {number * i}") for i in range(20_000)]
        write_jsonl(tmp_path / "in" / f"{number:02d}.jsonl", records)
    killed, fresh = Home(tmp_path / "killed"), Home(tmp_path / "fresh")
    start = [sys.executable, "-c", "from warehouse.cli import main; main()", "ingest", str(tmp_path / "in")]
    command = [*start, "--corpus", "c", "--tokenizer", str(tokenizer), "--engine", "spark", "--home", str(killed.root)]
    process = subprocess.Popen(command, env=process_environment(), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 240
    while not list(killed.lake.glob("source_files/c/[!.]*.parquet")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    n_before = len(list(killed.lake.glob("source_files/c/[!.]*.parquet")))
    assert n_before < 40, "it was done before it could be killed"
    done = subprocess.run(command, env=process_environment(), check=True, capture_output=True, text=True)
    assert "40 dolma" in done.stdout
    ingest_corpus(fresh, [tmp_path / "in"], corpus="c", tokenizer=str(tokenizer))
    assert shards(killed) == shards(fresh)
    assert not list(killed.lake.rglob(".unfinished-*"))


def test_without_pyspark_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'semantic-pivots\[spark\]'"):
        ingest_on_spark(Home(tmp_path), [tmp_path], corpus="c", tokenizer=TOKENIZER)
