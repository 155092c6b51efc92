"""Which checkpoints a series has, and where in the training each stands."""

import json
from pathlib import Path

import pytest

from warehouse.base.errors import UsageError
from warehouse.contract.folders import TRAINING_PLACE
from warehouse.experiments.model_series import find_checkpoints


def model(folder: Path, **place: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"name": folder.name}))
    if place:
        (folder / TRAINING_PLACE).write_text(json.dumps(place))
    return folder


def places(spec: str, *revisions: str) -> list[tuple[str, str | None, int | None, int | None]]:
    found = find_checkpoints(spec, revisions)
    return [(one.model.source, one.series, one.step, one.n_tokens_seen) for one in found]


def test_one_model_is_no_series(tmp_path: Path) -> None:
    alone = model(tmp_path / "step100")
    assert places(str(alone)) == [(str(alone), None, None, None)]
    assert places("a/b") == [("a/b", None, None, None)]
    assert places("a/b", "step1000") == [("a/b@step1000", None, None, None)]


def test_several_revisions_are_a_series_in_the_order_of_their_steps() -> None:
    assert places("a/b", "step4000-tokens16B", "step1000-tokens4B", "stage2-step9000-tokens3T") == [
        ("a/b@step1000-tokens4B", "a/b", 1000, 4 * 10**9),
        ("a/b@step4000-tokens16B", "a/b", 4000, 16 * 10**9),
        ("a/b@stage2-step9000-tokens3T", "a/b", 9000, 3 * 10**12),
    ]
    assert [step for _, _, step, _ in places("a/b", "checkpoint-20", "iter_0000003")] == [3, 20]


def test_a_folder_of_models_is_a_series(tmp_path: Path) -> None:
    late, early = model(tmp_path / "step00000200", step=200, n_tokens_seen=12_800), model(tmp_path / "checkpoint-30")
    (tmp_path / "notes").mkdir()
    assert places(str(tmp_path)) == [
        (str(early), str(tmp_path), 30, None),
        (str(late), str(tmp_path), 200, 12_800),
    ]


def test_what_is_no_series_is_refused(tmp_path: Path) -> None:
    model(tmp_path / "first")
    with pytest.raises(UsageError, match="'first' says no step"):
        find_checkpoints(str(tmp_path))
    with pytest.raises(UsageError, match="'main' says no step"):
        find_checkpoints("a/b", ["main", "step3"])
    with pytest.raises(UsageError, match="two checkpoints say that they are of step 3"):
        find_checkpoints("a/b", ["step3", "checkpoint-3"])
    with pytest.raises(UsageError, match="only those have revisions"):
        find_checkpoints(str(tmp_path), ["step3"])
