"""Budgets that leave nothing to choose are said, and an experiment on one is refused."""

from pathlib import Path

import pytest

from support.places import PROFILES
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.experiments.budgets import check_arms_can_differ, eligible_tokens, plan_lines, too_large
from warehouse.experiments.plan import read_plan
from warehouse.lake.connections import open_writer


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A corpus with 1,000,000 eligible tokens, 5 more that are held out, and another corpus."""
    home = Home(tmp_path)
    with open_writer(home) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.dim_documents as select * from (values ('c', 400000, true), ('c', 600000, true),"
            " ('c', 5, false), ('small', 99, true)) as t(corpus, n_tokens, is_eligible)"
        )
    return home


def test_eligible_tokens_are_those_that_may_be_selected(home: Home, tmp_path: Path) -> None:
    assert [eligible_tokens(home, corpus) for corpus in ("c", "small", "none")] == [1_000_000, 99, 0]
    assert eligible_tokens(Home(tmp_path / "empty"), "c") is None
    (tmp_path / "new").mkdir()
    with open_writer(Home(tmp_path / "new")):
        pass
    assert eligible_tokens(Home(tmp_path / "new"), "c") is None


@pytest.mark.parametrize(("budget", "is_too_large"), [(999_999, False), (1_000_000, True), (50_000_000, True)])
def test_a_budget_of_the_whole_corpus_is_too_large(budget: int, is_too_large: bool) -> None:
    said = too_large(budget, 1_000_000, "c")
    assert bool(said) == is_too_large
    assert said is None or said.endswith("--budget-tokens 100000")
    assert too_large(budget, None, "c") is None


def test_arms_that_cannot_differ_are_refused(home: Home) -> None:
    plan = read_plan("short-cpu")
    check_arms_can_differ(home, plan, ["c"])
    with pytest.raises(UsageError, match=r"all 99 tokens .* of small.*--budget-tokens 9; or .*--allow-equal-arms"):
        check_arms_can_differ(home, plan, ["c", "small"])
    check_arms_can_differ(home, read_plan("short-cpu", budget_tokens=9), ["c", "small"])


def test_a_plan_says_what_share_an_arm_takes(home: Home) -> None:
    lines = plan_lines(home, read_plan("short-cpu", seeds=2), ["c", "small"])
    assert lines[0].startswith("arms       8: original, ")
    assert lines[0].endswith("; 2 seeds")
    assert lines[1] == "scored     50 items, and the untrained model"
    assert lines[2] == "budget     120,000 tokens an arm of c (12.0% of 1,000,000 that may be selected)"
    assert lines[4].startswith("refused    the budget of 120,000 tokens takes all 99")


@pytest.mark.parametrize("preset", sorted(path.stem for path in PROFILES.glob("*-cpu.yml")))
def test_every_preset_for_a_cpu_can_be_an_experiment(preset: str) -> None:
    assert "pivot_aware" in read_plan(preset).strategies
