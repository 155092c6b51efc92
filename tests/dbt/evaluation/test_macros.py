"""The statistical macros, rendered and run by themselves."""

import math
from collections import Counter
from typing import Any

import duckdb
import numpy as np
import pytest
from scipy import stats

from support.naive import evaluation as naive
from support.naive.macros import render_macros


@pytest.fixture(scope="module")
def macros() -> dict[str, Any]:
    """Return macro name -> function that renders it."""
    return render_macros("duckdb")


def run(expression: str, relation: str) -> list[Any]:
    with duckdb.connect() as connection:
        return [row[0] for row in connection.execute(f"select {expression} from {relation}").fetchall()]


def test_t_quantiles_agree_with_scipy(macros: dict[str, Any]) -> None:
    found = run(macros["t_quantile_975"]("n"), "range(0, 201) as degrees(n)")
    assert found[0] is None
    assert found[1:] == pytest.approx(stats.t.ppf(0.975, np.arange(1, 201)).tolist(), abs=5e-6)


@pytest.mark.parametrize("share", [0.8, 0.95, 0.975])
def test_t_quantiles_of_any_degrees_agree_with_scipy(macros: dict[str, Any], share: float) -> None:
    degrees = [*np.linspace(1, 12, 111).tolist(), 20.5, 91, 1e3, 1e6]
    found = run(macros["t_quantile"]("n", share), f"(select unnest({degrees}) as n)")
    assert found == pytest.approx(stats.t.ppf(share, degrees).tolist(), rel=1e-6)


def test_t_p_values_agree_with_scipy(macros: dict[str, Any]) -> None:
    cases = [
        (t, n) for t in (0, 1e-9, 0.01, 0.5, -1.3, 2, 3, 4.5, 12) for n in (1, 1.37, 2, 2.9, 5, 8.25, 41, 500, 1e6)
    ]
    rows = ", ".join(f"({number}, {t!r}::double, {n!r}::double)" for number, (t, n) in enumerate(cases))
    found = run(macros["t_p_value"]("t", "n"), f"(from (values {rows}) as cases(number, t, n) order by number)")
    assert found == pytest.approx([2 * stats.t.sf(abs(t), n) for t, n in cases], rel=2e-6, abs=1e-8)


def test_far_statistics_have_no_p_value_left(macros: dict[str, Any]) -> None:
    [far] = run(macros["t_p_value"]("1e200::double", "1.0::double"), "(select 1)")
    assert 0 <= far < 1e-20


def test_poisson_weights_invert_the_distribution_function(macros: dict[str, Any]) -> None:
    uniforms = [*np.linspace(0, 1, 2001)[:-1].tolist(), *(stats.poisson.cdf(range(9), 1) - 1e-12).tolist()]
    values = ", ".join(f"({n}, {u!r})" for n, u in enumerate(uniforms))
    found = run(macros["poisson_weight"]("u"), f"(from (values {values}) as drawn(n, u) order by n)")
    assert found == [naive.poisson_count(u) for u in uniforms]


def test_poisson_weights_of_hashes_are_distributed_so(macros: dict[str, Any]) -> None:
    weight = macros["poisson_weight"](macros["hash_unit"]("concat(n, ':', n % 7)", "bootstrap"))
    counted = Counter(run(weight, "range(20000) as drawn(n)"))
    observed = [counted[k] for k in range(5)] + [sum(n for k, n in counted.items() if k > 4)]
    shares = [*stats.poisson.pmf(range(5), 1), 1 - stats.poisson.cdf(4, 1)]
    assert stats.chisquare(observed, [20000 * share for share in shares]).pvalue > 1e-4


def test_exact_sums_do_not_depend_on_the_order(macros: dict[str, Any]) -> None:
    values = [0.1, 1e9, -1e9, 1 / 3, 1e-7] * 50
    summed = set()
    for order in (values, values[::-1], sorted(values)):
        rows = ", ".join(f"({value!r}::double)" for value in order)
        summed |= set(run(macros["exact_sum"]("x"), f"(values {rows}) as given_rows(x)"))
    assert len(summed) == 1
    assert summed.pop() == pytest.approx(math.fsum(values))


def test_mid_ranks_agree_with_scipy(macros: dict[str, Any]) -> None:
    values = [3, 1, 1, 2, 3, 3, 0]
    rows = ", ".join(f"({n}, {value})" for n, value in enumerate(values))
    found = run(macros["mid_rank"]("x", "g"), f"(select *, 1 as g from (values {rows}) as v(n, x)) order by n")
    assert found == stats.rankdata(values).tolist()
