"""An output folder belongs to one run: finished once, held by one set of processes, refused to another run."""

import json
from pathlib import Path

import pytest
from accelerate import PartialState

import ml.train
from ml.program.run_folder import check_identity, is_finished, only_run_in
from support.ml_runs.training import arguments
from warehouse.contract.errors import UsageError


def test_a_second_trainer_in_the_same_folder_is_refused(export: Path, tmp_path: Path) -> None:
    request = arguments(tmp_path, export, steps=1)
    with only_run_in(tmp_path / "out"), pytest.raises(UsageError, match="another process is training there"):
        ml.train.main(request)
    ml.train.main(request)
    assert not (tmp_path / "out" / ".running").exists()


def test_a_finished_run_is_known_and_another_one_refused(tmp_path: Path) -> None:
    state = PartialState(cpu=True)
    (tmp_path / ".unfinished-1-x").write_text("half")
    assert not is_finished(tmp_path, {"model": "a"}, state)
    assert not list(tmp_path.iterdir()), "what a killed run left is cleared away"
    (tmp_path / "run.json").write_text(json.dumps({"identity": {"model": "a"}}))
    assert is_finished(tmp_path, {"model": "a"}, state)
    with pytest.raises(UsageError, match=r"differs in model \('a' there, 'b' now\)"):
        is_finished(tmp_path, {"model": "b"}, state)


def test_every_difference_is_named() -> None:
    with pytest.raises(
        UsageError, match=r"seed \(None there, 1 now\), steps \(3 there, None now\); choose another --out"
    ):
        check_identity({"steps": 3, "model": "m"}, {"seed": 1, "model": "m"}, Path("out"))
