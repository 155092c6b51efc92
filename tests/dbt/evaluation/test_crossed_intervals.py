"""Intervals over items and seeds together, against naive Python and against runs in which nothing differs."""

from collections import defaultdict
from collections.abc import Callable
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from scipy import stats

from support.corpora.null_runs import N_SEEDS, STRATEGIES, write_null_experiments
from support.homes.raw_home import build, query
from support.naive.crossed import crossed, holm
from warehouse.base.settings import Home

N_EXPERIMENTS = 60
PAIRS = [("pivot_aware", "random_multilingual"), ("pivot_coverage", "random_multilingual")]
Margins = dict[tuple[str, str], np.ndarray]


@pytest.fixture(scope="module")
def other(new_home: Callable[[str], Home]) -> tuple[Home, Margins]:
    """Many experiments without any effect, and what was written."""
    home = new_home("null-experiments")
    margins = write_null_experiments(home, N_EXPERIMENTS, seed=11)
    build(home, "+fct_outcome_comparison", "+fct_null_rejections", max_planned_seeds=10, bootstrap_resamples=2)
    return home, margins


@pytest.fixture(scope="module")
def compared(other: tuple[Home, Margins]) -> dict[tuple[str, str, str], dict[str, Any]]:
    rows = query(other[0], "from marts.fct_outcome_comparison where outcome = 'margin' and word_split = 'all'")
    return {(row["experiment"], row["strategy"], row["baseline"]): row for row in rows}


def test_a_full_layout_is_the_textbook_analysis(other: tuple[Home, Margins], compared: dict[Any, Any]) -> None:
    _, margins = other
    n_wide = 0
    for (experiment, strategy, baseline), row in compared.items():
        differences = margins[experiment, strategy] - margins[experiment, baseline]
        expected = crossed(differences)
        assert row["delta"] == pytest.approx(differences.mean(), abs=1e-9)
        assert row["standard_error"] == pytest.approx(expected.standard_error, rel=1e-7)
        assert row["degrees"] == pytest.approx(expected.degrees, rel=1e-7)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx((expected.low, expected.high), rel=1e-5)
        assert row["p_value"] == pytest.approx(expected.p_value, rel=1e-5)
        assert row["detectable_effect"] == pytest.approx(expected.detectable_effect, rel=1e-5)
        n_wide += row["degrees"] == N_SEEDS - 1
    assert len(compared) == N_EXPERIMENTS * len(PAIRS)
    assert 0 < n_wide < len(compared)  # both intervals were the wider one


def test_holm_over_the_strategies_of_a_baseline(compared: dict[Any, Any]) -> None:
    families = defaultdict(list)
    for (experiment, _, baseline), row in compared.items():
        families[experiment, baseline].append(row)
    for rows in families.values():
        assert [row["p_value_holm"] for row in rows] == pytest.approx(holm([row["p_value"] for row in rows]))


def test_tests_of_nothing_reject_as_often_as_they_say(compared: dict[Any, Any], other: tuple[Home, Margins]) -> None:
    """At most 5 % and what chance adds; words alone would be wrong several times as often."""
    n_found = sum(row["p_value"] < 0.05 for row in compared.values())
    assert n_found <= stats.binom.ppf(0.999, len(compared), 0.05)
    by_words = [
        crossed(other[1][experiment, strategy] - other[1][experiment, baseline]).items_p_value < 0.05
        for experiment, strategy, baseline in compared
    ]
    assert sum(by_words) > stats.binom.ppf(0.999, len(compared), 0.05)


def test_seeds_of_one_strategy_meet_each_other(other: tuple[Home, Margins]) -> None:
    home, margins = other
    found = query(
        home, "from marts.fct_null_rejections where outcome = 'margin' and word_split = 'all' and n_seeds = 2"
    )
    assert len(found) == N_EXPERIMENTS
    for row in found:
        rejected = [
            crossed(table[:, list(firsts)] - table[:, list(seconds)])
            for strategy in STRATEGIES
            for table in [margins[row["experiment"], strategy]]
            for firsts, seconds in (((0, 2), (1, 3)), ((0, 1), (3, 2)))
        ]
        assert (row["n_strategies"], row["n_comparisons"]) == (len(STRATEGIES), len(rejected))
        assert row["rejection_rate"] == pytest.approx(fmean(test.p_value < 0.05 for test in rejected))
        assert row["items_rejection_rate"] == pytest.approx(fmean(test.items_p_value < 0.05 for test in rejected))
        assert row["seeds_rejection_rate"] == pytest.approx(fmean(test.seeds_p_value < 0.05 for test in rejected))
    assert fmean(row["rejection_rate"] for row in found) < 0.07


def test_an_equivalence_needs_the_whole_interval(compared: dict[Any, Any]) -> None:
    for row in compared.values():
        half = stats.t.ppf(0.95, row["degrees"]) * row["standard_error"]
        assert row["is_equivalent"] == (abs(row["delta"]) + half < row["smallest_effect"])
