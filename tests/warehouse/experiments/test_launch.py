"""Launching programs of `ml`: refusals stay one line with exit code 2 through every launcher; options reach them."""

import sys
from pathlib import Path

import pytest

from warehouse.base.errors import StepFailed, UsageError
from warehouse.experiments import launch
from warehouse.experiments.evaluation_set import EvaluationSet

JUDGES = EvaluationSet(Path("set"), {"corpus": "c", "eval_set_id": "e1"})


@pytest.mark.parametrize("config", ["single", pytest.param("cpu-ddp", marks=pytest.mark.slow)])
def test_a_refusal_passes_through_the_launcher_as_one_line(
    config: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIVOTS_ACCELERATE_CONFIG", config)
    chosen = launch._chosen_config()
    assert chosen is not None
    request = ["held_out", "--export", tmp_path, "--model", "m", "--run-id", "r", "--out", tmp_path]
    with pytest.raises(UsageError, match=r"^--export .* manifest\.json") as refused:
        launch._launch([*launch._launcher(chosen), "-m", "ml.several", *request])
    assert "\n" not in str(refused.value)
    assert "Traceback" not in capfd.readouterr().err


def test_a_failure_is_no_refusal() -> None:
    with pytest.raises(StepFailed, match="exit code 3"):
        launch._launch([sys.executable, "-c", "import sys; sys.exit(3)"])


def test_a_launch_configuration_that_is_nowhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIVOTS_ACCELERATE_CONFIG", "nowhere")
    with pytest.raises(UsageError, match="cpu-ddp"):
        launch._chosen_config()


def test_with_several_machines_the_commands_of_the_others_are_told(tmp_path: Path) -> None:
    config = tmp_path / "three machines.yml"
    config.write_text("distributed_type: FSDP\nnum_machines: 3\nnum_processes: 24\nmachine_rank: 0\n")
    second, third = launch.other_machines(config, ["-m", "ml.train", "--seed", 0])
    assert second.startswith("on machine 2 of 3: cd ")
    assert third.endswith(f"--config_file '{config}' --machine_rank 2 -m ml.train --seed 0")
    assert launch.other_machines(launch.PRESETS_DIR / "accelerate" / "ddp.yml", []) == []


def test_options_are_arguments_and_part_of_the_request() -> None:
    options = launch.Options(dtype="float32", batch_tokens=512, language_names=("oc=Occitan",))
    scored = launch.word_scores(JUDGES, options)
    words = " ".join(str(word) for word in scored.arguments)
    assert words == "--eval-set set --dtype float32 --batch-tokens 512 --language-name oc=Occitan"
    assert scored.config == {"dtype": "float32", "batch_tokens": 512, "language_names": ["oc=Occitan"]}
    assert launch.word_scores(JUDGES).config == {}, "a plain request keeps the run id that it always had"
