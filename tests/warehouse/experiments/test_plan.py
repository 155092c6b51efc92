from pathlib import Path

import pytest
import yaml

from support.places import PROFILES
from warehouse.base.errors import UsageError
from warehouse.experiments.plan import read_plan

SECTION = {
    "strategies": ["original", "pivot_aware"],
    "n_seeds": 2,
    "budget_tokens": 1000,
    "n_items": None,
    "n_pivots": 10,
    "parallel_arms": 2,
}


def _preset(folder: Path, **changes: object) -> str:
    path = folder / "mine.yml"
    train = yaml.safe_load((PROFILES / "short-cpu.yml").read_text())["train"]
    path.write_text(yaml.safe_dump({"train": train, "experiment": {**SECTION, **changes}}))
    return str(path)


def test_plan_is_what_the_preset_says(tmp_path: Path) -> None:
    plan = read_plan(_preset(tmp_path))
    assert (plan.name, plan.strategies, plan.seeds) == ("mine", ("original", "pivot_aware"), (0, 1))
    assert read_plan(_preset(tmp_path), seeds=3).seeds == (0, 1, 2)


def test_more_seeds_extend_the_same_experiment(tmp_path: Path) -> None:
    names = {read_plan(_preset(tmp_path), seeds=n).experiment_id(["c"], "m") for n in (1, 2)}
    assert len(names) == 1
    limited = {read_plan(_preset(tmp_path), held_out_tokens=n).experiment_id(["c"], "m") for n in (None, 0, 5)}
    assert len(limited) == 3
    other = read_plan(_preset(tmp_path, budget_tokens=2000)).experiment_id(["c"], "m")
    assert other not in names


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("train: {}", "seq_len is missing; train"),
        ("experiment: {strategies: [a]}", "no section `train`"),
        ("a: [", "not YAML"),
    ],
)
def test_broken_presets_are_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "broken.yml"
    path.write_text(content)
    with pytest.raises(UsageError, match=message):
        read_plan(str(path))


def test_a_training_preset_is_no_plan() -> None:
    with pytest.raises(UsageError, match="no section `experiment`"):
        read_plan("base-model")


@pytest.mark.parametrize("change", [{"strategies": []}, {"budget_tokens": 0}, {"n_items": 0}, {"parallel_arms": "2"}])
def test_impossible_entries_are_refused(change: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"experiment.{next(iter(change))}"):
        read_plan(_preset(tmp_path, **change))


def test_the_name_of_an_experiment_is_the_one_it_always_had() -> None:
    """Rows of earlier experiments are found by it, and a repeated one does nothing again."""
    assert read_plan("demo-cpu").experiment_id(["planted_6_0"], "base_model@abc") == "demo-cpu-2fcccf5ec634"
    assert read_plan("olmo-1b", seeds=2).experiment_id(["a", "b"], "m") == "olmo-1b-563cb35aa210"


def test_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="there are: "):
        read_plan("nonsense")


def test_no_seeds_is_no_experiment(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least one seed"):
        read_plan(_preset(tmp_path), seeds=0)


def test_corpora_take_turns_over_the_seeds(tmp_path: Path) -> None:
    plan = read_plan(_preset(tmp_path), seeds=3)
    assert plan.replications(["a"]) == [("a", 0), ("a", 1), ("a", 2)]
    assert plan.replications(["a", "b"]) == [("a", 0), ("b", 1), ("a", 2)]
    with pytest.raises(UsageError, match="add --seeds 4"):
        plan.replications(["a", "b", "c", "d"])
