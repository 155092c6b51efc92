"""What a plan is told about its power and its cost: rows of two marts, in words."""

from pathlib import Path

import pytest

from warehouse.base.settings import Home
from warehouse.build.dbt_runner import VARS_FILE
from warehouse.experiments.plan import Plan, read_plan
from warehouse.experiments.power import power_lines
from warehouse.lake.connections import open_writer


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Power of the score for two and three seeds, of another outcome, split and preset; costs of two kinds of runs."""
    home = Home(tmp_path)
    with open_writer(home) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.dim_outcomes as from (values ('score', true), ('margin', false))"
            " as t(outcome, is_default_primary)"
        )
        connection.execute(
            "create table marts.fct_experiment_power as from (values"
            " ('short-cpu', 'score', 'judge', 2, 1, 6, 43.0, 0.0124, 0.005),"
            " ('short-cpu', 'score', 'judge', 3, 1, 6, 43.0, 0.0049, 0.005),"
            " ('short-cpu', 'margin', 'judge', 2, 2, 6, 43.0, 0.5, 0.05),"
            " ('short-cpu', 'score', 'all', 2, 1, 6, 92.0, 9.0, 0.005),"
            " ('other', 'score', 'judge', 2, 1, 6, 43.0, 8.0, 0.005))"
            " as t(preset, outcome, word_split, n_seeds, n_experiments, n_comparisons, n_items, detectable_effect,"
            " smallest_effect)"
        )
        connection.execute(
            "create table marts.fct_run_costs as from (values ('short-cpu', 'train', 40.0),"
            " ('short-cpu', 'score', 50.0), ('other', 'train', 9.0)) as t(preset, kind, mean_run_s)"
        )
    return home


def plan(n_seeds: int, **changes: object) -> Plan:
    return read_plan("short-cpu", seeds=n_seeds).model_copy(update=changes)


def test_a_plan_says_what_it_will_see_and_what_that_costs(home: Home) -> None:
    chosen = plan(2, primary_outcome=None, primary_word_split=None)
    seen, needed, cost = power_lines(home, chosen)
    assert seen == (
        "power      2 seeds find a difference of 0.0124 in score four times of five, with about 43 words; from 6"
        " comparisons of 1 earlier experiment of the preset"
    )
    assert needed == "           the smallest that matters, 0.005, needs 3 seeds"
    n_arms = 2 * len(chosen.strategies)
    assert cost.startswith(
        f"cost       about {n_arms * 90 / chosen.parallel_arms / 3600:.1f} hours: {n_arms} arms, 40 s"
    )


def test_the_primary_outcome_is_the_plan_s_own(home: Home) -> None:
    seen, needed, _ = power_lines(home, plan(2, primary_outcome="margin", smallest_effect=0.1))
    assert "0.5000 in margin" in seen
    assert needed.endswith("0.1, needs more words: no number of seeds would do")


def test_the_words_are_those_that_the_marts_were_built_for(home: Home) -> None:
    (home.root / VARS_FILE).write_text('{"primary_word_split": "all"}')
    seen, *_ = power_lines(home, plan(2, primary_outcome=None, primary_word_split=None))
    assert "2 seeds find a difference of 9.0000 in score four times of five, with about 92 words" in seen


def test_one_seed_and_a_first_experiment_are_told_so(home: Home, tmp_path: Path) -> None:
    assert power_lines(home, plan(1))[0].startswith("power      one seed: no difference will be tested")
    assert power_lines(home, plan(4))[0].startswith("power      not known: this home has no earlier")
    nothing, cost = power_lines(Home(tmp_path / "empty"), plan(2))
    assert "not known" in nothing
    assert cost.endswith("no earlier run of the preset was timed")
