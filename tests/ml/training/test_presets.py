"""Presets: the shipped ones are complete, mistakes are reported together, schedules have the stated shape."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from ml.training.optimizer import learning_rate
from ml.training.presets import n_steps, read_preset
from support.places import PROFILES
from warehouse.contract.errors import UsageError


@pytest.mark.parametrize("name", ["demo-cpu", "planted-gpu", "olmo-1b", "base-model"])
def test_shipped_presets_are_complete(name: str) -> None:
    preset = read_preset(PROFILES / f"{name}.yml")
    assert preset.sequences_per_step % preset.micro_batch_sequences == 0


def test_the_papers_preset_reads_4_2_billion_tokens() -> None:
    preset = read_preset(PROFILES / "olmo-1b.yml")
    assert n_steps(preset, n_sequences=1) * preset.sequences_per_step * preset.seq_len == 4_194_304_000


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    values = yaml.safe_load((PROFILES / "demo-cpu.yml").read_text())["train"]
    wrong = values | {"seq_len": "long", "learning_rate": "3e-3", "extra": 1}
    del wrong["beta1"]
    (tmp_path / "p.yml").write_text(yaml.safe_dump({"train": wrong}))
    with pytest.raises(UsageError) as caught:
        read_preset(tmp_path / "p.yml")
    for part in ("unknown key extra", "beta1 is missing", "seq_len: 'long'", "learning_rate: '3e-3'"):
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_impossible_values_are_reported_at_once(tmp_path: Path) -> None:
    values = yaml.safe_load((PROFILES / "demo-cpu.yml").read_text())["train"]
    (tmp_path / "p.yml").write_text(yaml.safe_dump({"train": values | {"steps": 0, "schedule": "up", "clip_norm": -1}}))
    with pytest.raises(UsageError) as caught:
        read_preset(tmp_path / "p.yml")
    for part in ("steps must be at least 1", "exactly one of steps", "schedule 'up'", "clip_norm must be positive"):
        assert part in str(caught.value)


def test_overrides_replace_the_length() -> None:
    preset = read_preset(PROFILES / "demo-cpu.yml", budget_tokens=4096 * 7 + 5)
    assert n_steps(preset, n_sequences=10_000) == 7
    assert n_steps(read_preset(PROFILES / "demo-cpu.yml", steps=3), n_sequences=1) == 3
    assert n_steps(read_preset(PROFILES / "demo-cpu.yml"), n_sequences=163) == 163 // 16


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_learning_rate_warms_up_to_the_peak_and_decays_to_the_final_share(schedule: str) -> None:
    preset = replace(
        read_preset(PROFILES / "demo-cpu.yml"),
        schedule=schedule,
        warmup_steps=10,
        final_lr_share=0.1,
        learning_rate=2.0,
    )
    rates = [learning_rate(preset, step, 100) for step in range(1, 101)]
    assert rates[:10] == pytest.approx([0.2 * step for step in range(1, 11)])
    assert max(rates) == 2.0
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] == pytest.approx(0.2)
    assert rates[54] == pytest.approx(2.0 * 0.55)


def test_constant_schedule_stays() -> None:
    preset = replace(read_preset(PROFILES / "demo-cpu.yml"), schedule="constant", warmup_steps=0)
    assert {learning_rate(preset, step, 50) for step in range(1, 51)} == {preset.learning_rate}
