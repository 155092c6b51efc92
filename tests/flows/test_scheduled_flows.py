"""What the deployments run: each flow on a small corpus, twice, and with bad data."""

import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from support.homes.planted_home import planted_home
from support.places import PROJECT
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.lake.files import current_files, read_table, write_table
from warehouse.serving.publish import read_manifest

pytestmark = [pytest.mark.engines, pytest.mark.usefixtures("prefect_server")]
BASE_MODEL = PROJECT / "ml" / "base_model"
TOKENIZER = str(BASE_MODEL / "tokenizer.json")


def artifact(key: str) -> Any:
    """Return the newest artifact of a key: a table's rows, or a progress."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

    with get_client(sync_client=True) as client:
        found = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])))
    newest = max(found, key=lambda one: one.created)
    return json.loads(newest.data) if newest.type == "table" else newest.data


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return planted_home(tmp_path_factory.mktemp("flows"))


@pytest.fixture(scope="module")
def refreshed(home: Home) -> Home:
    """Return the home after its first night and publication."""
    from flows.publish import publish
    from flows.refresh import refresh

    assert refresh(tokenizer=TOKENIZER, home=str(home.root)) is True
    assert publish(home=str(home.root)) == 1
    return home


def test_a_new_corpus_without_a_tokenizer_is_refused(tmp_path: Path) -> None:
    from flows.refresh import refresh

    with pytest.raises(UsageError, match="no inbox"):
        refresh(home=str(tmp_path))
    (tmp_path / "inbox" / "empty").mkdir(parents=True)
    (tmp_path / "inbox" / "wiki").mkdir()
    (tmp_path / "inbox" / "wiki" / "a.txt").write_text("one")
    with pytest.raises(UsageError, match="corpus wiki: it is new: set the parameter `tokenizer`"):
        refresh(home=str(tmp_path))
    with pytest.raises(UsageError, match="`engine` is 'duck'"):
        refresh(home=str(tmp_path), engine="duck")
    with pytest.raises(UsageError, match="`engine` or `catalog`"):
        refresh(home=str(tmp_path), engine="spark", catalog="ducklake:postgres:")


def test_a_refused_flow_ends_in_one_line_and_says_what_it_was(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    from prefect.client.orchestration import get_client

    from flows.publish import publish

    with pytest.raises(UsageError, match="nothing is ingested"):
        publish(home=str(tmp_path))
    assert "Traceback" not in caplog.text
    with get_client(sync_client=True) as client:
        newest = max(client.read_flow_runs(), key=lambda run: run.created)
    assert newest.name.startswith("publish 2")
    assert newest.state_type == "FAILED"
    assert "nothing is ingested" in newest.state.message


def test_a_night_says_what_it_ingested_built_and_published(refreshed: Home) -> None:
    [ingested] = artifact("ingest")
    assert (ingested["corpus"], ingested["files"], ingested["documents"]) == ("planted", 1, 2000)
    assert {row["status"] for row in artifact("build")} <= {"success", "pass", "warn"}
    assert all(row["status"] == "warn" for row in artifact("test-failures"))
    published = {row["table"]: row["n_rows"] for row in artifact("published-tables")}
    assert published["marts.dim_documents"] == 2000
    assert refreshed.report_file.exists()


def test_a_night_without_new_files_builds_and_publishes_nothing(refreshed: Home) -> None:
    from flows.publish import publish
    from flows.refresh import refresh

    before = read_manifest(refreshed)
    assert refresh(home=str(refreshed.root)) is False
    assert publish(home=str(refreshed.root)) == 1
    assert read_manifest(refreshed) == before


def test_new_files_are_counted_as_the_corpus_was(refreshed: Home) -> None:
    from flows.refresh import refresh
    from warehouse.counting.count import count_corpus
    from warehouse.counting.options import CountOptions

    count_corpus(refreshed, "planted", CountOptions(unit="window", window_tokens=64))
    line = {"id": "one-more", "text": "water and eau", "source": "test", "metadata": {"lang": "en"}}
    (refreshed.inbox / "planted" / "more.jsonl").write_text(json.dumps(line) + "\n")
    assert refresh(home=str(refreshed.root)) is True
    assert artifact("ingest")[0]["new files"] == 1
    [count] = read_table(refreshed, "counts").to_pylist()
    options = json.loads(count["options"])
    assert (options["unit"], options["window_tokens"]) == ("window", 64)


def test_a_corpus_that_cannot_be_refreshed_stops_no_other(refreshed: Home) -> None:
    from flows.refresh import refresh
    from warehouse.lake.flow_records import flow_records

    line = {"id": "another", "text": "water and eau", "source": "test", "metadata": {"lang": "en"}}
    (refreshed.inbox / "planted" / "another.jsonl").write_text(json.dumps(line) + "\n")
    (refreshed.inbox / "another").mkdir()
    (refreshed.inbox / "another" / "a.txt").write_text("one")
    try:
        with pytest.raises(UsageError, match=r"corpus another: it is new.* other corpora are up to date"):
            refresh(home=str(refreshed.root))
    finally:
        shutil.rmtree(refreshed.inbox / "another")
    assert [row["corpus"] for row in artifact("ingest")] == ["planted"]
    assert refresh(home=str(refreshed.root)) is False, "the other corpus was counted and built"
    assert {record.flow: record.state for record in flow_records(refreshed)}["refresh"] == "completed"


def test_data_that_fails_its_tests_is_not_published(refreshed: Home) -> None:
    from flows.publish import publish
    from flows.refresh import refresh

    before = read_manifest(refreshed)
    strata = read_table(refreshed, "strata")
    [good] = [path for path in current_files(refreshed, "strata") if path.stat().st_size > 0]
    kept = good.read_bytes()
    write_table(good, "strata", strata.slice(1))  # one stratum lost: its documents have no background
    (refreshed.root / "built.json").unlink()
    try:
        with pytest.raises(StepFailed, match="dbt build failed"):
            refresh(home=str(refreshed.root))
        failed = [row for row in artifact("test-failures") if row["status"] in ("fail", "error")]
        assert failed
        assert failed[0]["test or model"]
        with pytest.raises(UsageError, match="the last build failed"):
            publish(home=str(refreshed.root))
        assert read_manifest(refreshed) == before
    finally:
        good.write_bytes(kept)
    assert refresh(home=str(refreshed.root)) is True


def test_a_training_shows_its_progress_and_its_model_is_evaluated_once(refreshed: Home, tmp_path: Path) -> None:
    from flows.evaluate import evaluate
    from flows.train import train

    preset = Path(__file__).with_name("tiny.yml")
    where = {"home": str(refreshed.root)}
    model = train("planted", "random_multilingual", str(BASE_MODEL), str(preset), **where)
    run_id = Path(model).parent.name
    assert artifact(run_id) == 100
    runs = evaluate(model, n_items=3, **where)
    assert [row["was"] for row in artifact("evaluations")] == ["done now"] * 3
    assert len(artifact("build")) > 0
    folders = {path: path.stat().st_mtime_ns for path in refreshed.runs.glob("*")}
    assert evaluate(model, n_items=3, **where) == runs
    assert [row["was"] for row in artifact("evaluations")] == ["done before"] * 3
    assert {path: path.stat().st_mtime_ns for path in refreshed.runs.glob("*")} == folders
    _clean_up_keeps_the_model_and_the_results(refreshed, model, runs)


def _clean_up_keeps_the_model_and_the_results(home: Home, model: str, runs: list[str]) -> None:
    from flows.cleanup import clean_up
    from flows.evaluate import evaluate

    dead = home.runs / "train-interrupted"
    (dead / "checkpoints").mkdir(parents=True)
    where = {"home": str(home.root)}
    assert clean_up(older_than_days=1, **where) == 0  # all of it was written today
    n_bytes = clean_up(older_than_days=0, **where)
    listed = {row["path"] for row in artifact("clean-up")}
    assert {f"runs/{run}" for run in runs} | {"runs/train-interrupted"} < listed  # and the count that was replaced
    assert any(name.startswith("lake/counts/") for name in listed)
    assert dead.exists()
    assert clean_up(older_than_days=0, dry_run=False, **where) == n_bytes
    assert not dead.exists()
    assert list(home.runs.iterdir()) == [Path(model).parent]
    assert evaluate(model, n_items=3, **where) == runs  # what is in the lake is known
    assert not (home.runs / runs[0]).exists()


def test_a_folder_without_models_and_a_missing_one(refreshed: Home, tmp_path: Path) -> None:
    from flows.evaluate import evaluate

    assert evaluate(str(tmp_path), home=str(refreshed.root)) == []
    with pytest.raises(UsageError, match="there is no folder"):
        evaluate(str(tmp_path / "none"), home=str(refreshed.root))
    shutil.copytree(BASE_MODEL, tmp_path / "model")
    with pytest.raises(UsageError, match="set the parameter `corpus`"):
        evaluate(str(tmp_path), home=str(tmp_path / "other"))


def test_one_flow_writes_at_a_time() -> None:
    from flows.steps import one_writer

    log: list[str] = []

    def write(name: str) -> None:
        with one_writer():
            log.append(f"{name} begins")
            time.sleep(0.3)
            log.append(f"{name} ends")

    writers = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    first, second = log[0][0], log[2][0]
    assert log == [f"{first} begins", f"{first} ends", f"{second} begins", f"{second} ends"]
