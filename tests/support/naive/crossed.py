"""Intervals over items and seeds once more, for full layouts, from the textbook's two-way analysis of variance."""

import math
from typing import NamedTuple

import numpy as np
from scipy import stats


class Crossed(NamedTuple):
    """What a comparison says; p-values of the test that is used, and of items and seeds alone."""

    standard_error: float
    degrees: float
    low: float
    high: float
    p_value: float
    items_p_value: float
    seeds_p_value: float
    detectable_effect: float


def p_value(mean: float, error: float, degrees: float) -> float:
    return float(2 * stats.t.sf(abs(mean) / error, degrees))


def crossed(differences: np.ndarray) -> Crossed:
    """Test the mean of a table of differences, one row per item, one column per seed."""
    n_items, n_seeds = differences.shape
    mean = float(differences.mean())
    of_items, of_seeds = differences.mean(axis=1), differences.mean(axis=0)
    rest = differences - of_items[:, None] - of_seeds[None, :] + mean
    items = n_seeds * float(np.var(of_items, ddof=1))
    seeds = n_items * float(np.var(of_seeds, ddof=1))
    error = float((rest**2).sum()) / (n_items - 1) / (n_seeds - 1)
    square = max(items + seeds - error, items, seeds)
    spread = items**2 / (n_items - 1) + seeds**2 / (n_seeds - 1) + error**2 / (n_items - 1) / (n_seeds - 1)
    candidates = [
        (math.sqrt(square / differences.size), max(square**2 / spread, 1)),
        (math.sqrt(seeds / differences.size), n_seeds - 1),
    ]
    standard_error, degrees = max(candidates, key=lambda pair: pair[0] * stats.t.ppf(0.975, pair[1]))
    half = standard_error * float(stats.t.ppf(0.975, degrees))
    return Crossed(
        standard_error=standard_error,
        degrees=float(degrees),
        low=mean - half,
        high=mean + half,
        p_value=p_value(mean, standard_error, degrees),
        items_p_value=p_value(mean, math.sqrt(items / differences.size), n_items - 1),
        seeds_p_value=p_value(mean, math.sqrt(seeds / differences.size), n_seeds - 1),
        detectable_effect=standard_error * float(stats.t.ppf(0.975, degrees) + stats.t.ppf(0.8, degrees)),
    )


def holm(p_values: list[float]) -> list[float]:
    """Return Holm's adjusted p-values in the order given."""
    order = sorted(range(len(p_values)), key=lambda number: p_values[number])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, number in enumerate(order):
        largest = max(largest, min(1.0, p_values[number] * (len(order) - rank)))
        adjusted[number] = largest
    return adjusted
