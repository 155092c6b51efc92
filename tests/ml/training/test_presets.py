"""How long presets train, and the shape of their schedules."""

import pytest

from ml.training.lengths import n_steps
from ml.training.optimizer import learning_rate
from support.places import PROFILES
from warehouse.contract.presets import TrainPreset, read_preset


def shipped(name: str) -> TrainPreset:
    return read_preset(PROFILES / f"{name}.yml").train


@pytest.mark.parametrize("name", ["demo-cpu", "planted-gpu", "olmo-1b", "base-model"])
def test_shipped_presets_are_complete(name: str) -> None:
    preset = shipped(name)
    assert preset.sequences_per_step % preset.micro_batch_sequences == 0


def test_the_papers_preset_reads_4_2_billion_tokens() -> None:
    preset = shipped("olmo-1b")
    assert n_steps(preset, n_sequences=1) * preset.sequences_per_step * preset.seq_len == 4_194_304_000


def test_overrides_replace_the_length() -> None:
    preset = shipped("demo-cpu")
    assert n_steps(preset.with_length(budget_tokens=4096 * 7 + 5), n_sequences=10_000) == 7
    assert n_steps(preset.with_length(steps=3), n_sequences=1) == 3
    assert n_steps(preset.with_length(), n_sequences=163) == 163 // 16


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_learning_rate_warms_up_to_the_peak_and_decays_to_the_final_share(schedule: str) -> None:
    shape = {"schedule": schedule, "warmup_steps": 10, "final_lr_share": 0.1, "learning_rate": 2.0}
    preset = shipped("demo-cpu").model_copy(update=shape)
    rates = [learning_rate(preset, step, 100) for step in range(1, 101)]
    assert rates[:10] == pytest.approx([0.2 * step for step in range(1, 11)])
    assert max(rates) == 2.0
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] > 0.2
    assert learning_rate(preset, 101, 100) == pytest.approx(0.2)
    halfway = [learning_rate(preset, step, 99) for step in range(1, 100)]
    assert halfway[54] == pytest.approx(2.0 * 0.55)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize(("warmup_steps", "n_steps"), [(0, 1), (0, 5), (4, 5), (5, 5), (9, 5)])
def test_every_step_learns_when_the_rate_falls_to_zero(schedule: str, warmup_steps: int, n_steps: int) -> None:
    shape = {"schedule": schedule, "warmup_steps": warmup_steps, "final_lr_share": 0.0, "learning_rate": 2.0}
    preset = shipped("demo-cpu").model_copy(update=shape)
    assert min(learning_rate(preset, step, n_steps) for step in range(1, n_steps + 1)) > 0


def test_a_linear_decay_loses_the_same_at_every_step_and_after_the_last() -> None:
    shape = {"schedule": "linear", "warmup_steps": 2, "final_lr_share": 0.0, "learning_rate": 4.0}
    preset = shipped("demo-cpu").model_copy(update=shape)
    assert [learning_rate(preset, step, 5) for step in range(1, 6)] == pytest.approx([2, 4, 3, 2, 1])


def test_constant_schedule_stays() -> None:
    preset = shipped("demo-cpu").model_copy(update={"schedule": "constant", "warmup_steps": 0})
    assert {learning_rate(preset, step, 50) for step in range(1, 51)} == {preset.learning_rate}
