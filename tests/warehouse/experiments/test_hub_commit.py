"""The commit of a hub model is in the rows of the runs that read it, and in no run's identity."""

import json
from pathlib import Path

import pytest

from warehouse.base.settings import Home
from warehouse.experiments.model_identity import Model, hub_commit
from warehouse.lake.files import read_table
from warehouse.lake.runs import Run

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_the_commit_of_a_cached_model_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = tmp_path / "hub" / "models--some--model"
    (cached / "snapshots" / COMMIT).mkdir(parents=True)
    (cached / "snapshots" / COMMIT / "config.json").write_text("{}")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    assert hub_commit(Model(str(tmp_path), "a folder")) == {}
    assert hub_commit(Model("some/other", "some/other")) == {}
    found = hub_commit(Model("some/model", "some/model"))
    assert found == {"some/model": COMMIT}
    (cached / "refs" / "step1000").write_text(COMMIT)
    assert hub_commit(Model("some/model@step1000", "x")) == {"some/model@step1000": COMMIT}
    assert hub_commit(Model("some/model@other", "x")) == {}
    request = {"kind": "score", "config": {}, "inputs": {"model": "some/model"}}
    run = Run(**request, versions=found)
    assert run.run_id == Run(**request).run_id
    run.record(Home(tmp_path / "home"))
    (row,) = read_table(Home(tmp_path / "home"), "runs").to_pylist()
    assert json.loads(row["versions"])["some/model"] == COMMIT
