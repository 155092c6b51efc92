"""Presets: the shipped ones are complete, and every mistake of a file is reported, in one line."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.places import PROFILES
from warehouse.contract.errors import UsageError
from warehouse.contract.presets import Preset, read_preset

SHIPPED = sorted(path.stem for path in PROFILES.glob("*.yml") if path.stem != "profiles")


def content(**train: Any) -> dict[str, Any]:
    values = yaml.safe_load((PROFILES / "demo-cpu.yml").read_text())
    return values | {"train": values["train"] | train}


def problems(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "p.yml"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        read_preset(path)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(f"preset {path}: ")
    first, *others = refused.value.problems
    return (first.removeprefix(f"preset {path}: "), *others)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_presets_are_read_to_the_letter(name: str) -> None:
    """Run ids are hashes of the section `train`: 1 must not become 1.0, on paper or on the way to another process."""
    written = yaml.safe_load((PROFILES / f"{name}.yml").read_text())
    preset = read_preset(PROFILES / f"{name}.yml")
    assert preset.train.sequences_per_step % preset.train.micro_batch_sequences == 0
    passed_on = Preset.model_validate_json(preset.model_dump_json())
    for one in (preset, passed_on):
        assert json.dumps(one.train.model_dump()) == json.dumps(written["train"])
        if one.experiment is not None:
            assert json.dumps(one.experiment.model_dump()) == json.dumps(written["experiment"])


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    values = content(
        seq_len="long",
        learning_rate="3e-3",
        document_masks=1,
        extra=1,
        steps=0,
        schedule="up",
        clip_norm=-1,
        final_lr_share=1.5,
        eps=float("inf"),
        keep_checkpoints=True,
    )
    del values["train"]["beta1"]
    values["experiment"] |= {"strategies": "original", "n_seeds": 0}
    values["experimnt"] = {}
    assert sorted(problems(tmp_path, yaml.safe_dump(values))) == sorted(
        [
            "train.seq_len: 'long' is not a whole number",
            "train.learning_rate: '3e-3' is not a number (YAML wants 3.0e-3, not 3e-3)",
            "train.document_masks: 1 is not true or false",
            "unknown key train.extra",
            "train.beta1 is missing",
            "train.steps must be at least 1",
            "train: exactly one of steps, budget_tokens, epochs must be given",
            "train.schedule: 'up' is not one of 'constant', 'linear' or 'cosine'",
            "train.clip_norm must be more than 0",
            "train.final_lr_share must be at most 1",
            "train.eps: inf is not a number (YAML wants 3.0e-3, not 3e-3)",
            "train.keep_checkpoints: True is not a whole number",
            "experiment.strategies: 'original' is not a list",
            "experiment.n_seeds must be at least 1",
            "unknown key experimnt",
        ]
    )


@pytest.mark.parametrize("lengths", [{"steps": 3}, {"epochs": None}, {"epochs": None, "steps": 3, "budget_tokens": 9}])
def test_a_length_is_given_once(lengths: dict[str, Any], tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, yaml.safe_dump(content(**lengths)))
    assert problem == "train: exactly one of steps, budget_tokens, epochs must be given"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "not YAML"),
        ("train: !!python/object/apply:os.system [exit]", "not YAML (could not determine a constructor"),
        ("[1]", "it has no section `train`"),
        ("train:", "it has no section `train`"),
        ("", "it has no section `train`"),
    ],
)
def test_what_is_no_preset_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith(problem)


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yml: no such file"):
        read_preset(tmp_path / "none.yml")
    (tmp_path / "latin.yml").write_bytes("train: é".encode("latin-1"))
    with pytest.raises(UsageError, match="it cannot be read"):
        read_preset(tmp_path / "latin.yml")
