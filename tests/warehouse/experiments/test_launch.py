"""Launching programs of `ml`: refusals stay one line with exit code 2 through every launcher."""

import sys
from pathlib import Path
from typing import Any

import pytest

from support.places import PROFILES
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.experiments import evaluations, launch
from warehouse.experiments.model_identity import Model
from warehouse.experiments.training_export import Export


@pytest.mark.slow
@pytest.mark.parametrize("config", ["single", "cpu-ddp"])
def test_a_refusal_passes_through_the_launcher_as_one_line(
    config: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIVOTS_ACCELERATE_CONFIG", config)
    manifest: Any = {"corpus": "c", "export_id": "x1"}
    asked = evaluations.held_out_losses(Export(tmp_path / "export", manifest))
    home = Home(tmp_path / "home")
    with pytest.raises(UsageError, match=r"^--export .* manifest\.json") as refused:
        launch.evaluate(home, Model("m", "m"), asked)
    assert not list(home.runs.iterdir()), "a refused run leaves no folder"
    assert "\n" not in str(refused.value)
    assert "Traceback" not in capfd.readouterr().err


def test_a_failure_is_no_refusal(tmp_path: Path) -> None:
    with pytest.raises(StepFailed, match="exit code 3"):
        launch._launch(Home(tmp_path), [sys.executable, "-c", "import sys; sys.exit(3)"])


def test_a_launch_configuration_that_is_nowhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIVOTS_ACCELERATE_CONFIG", "nowhere")
    with pytest.raises(UsageError, match="cpu-ddp"):
        launch.evaluate(Home(tmp_path), Model("m", "m"), [evaluations.prompt_lens("a", top=1)])


def test_with_several_machines_the_commands_of_the_others_are_told(tmp_path: Path) -> None:
    config = tmp_path / "three machines.yml"
    config.write_text("distributed_type: FSDP\nnum_machines: 3\nnum_processes: 24\nmachine_rank: 0\n")
    second, third = launch.other_machines(config, ["-m", "ml.train", "--seed", 0])
    assert second.startswith("on machine 2 of 3: cd ")
    assert third.endswith(f"--config_file '{config}' --machine_rank 2 -m ml.train --seed 0")
    assert launch.other_machines(PROFILES / "accelerate" / "ddp.yml", []) == []
