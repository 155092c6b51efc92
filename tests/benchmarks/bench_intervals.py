"""How often tests of a difference find one where there is none: simulated comparisons with the spreads of real arms.

    PYTHONPATH=.:tests python -m benchmarks.bench_intervals   # writes the docs page; a minute

Every comparison is a table of differences, items by seeds, in points of score. Spreads are those of the planted
experiment (docs/experiments/planted-arms.md): a cell varies by 4, the mean over all words by 0.87 from seed to seed.
Where words differ in weight, effects of a cell and of a seed are proportional to it, as five of 43 words carry three
quarters of the score. The null holds in the population of items and seeds, from which both are drawn.
"""

import argparse
from typing import NamedTuple

import numpy as np
from scipy import stats

from support.places import PROJECT

PAGE = PROJECT / "docs" / "benchmarks" / "intervals.md"
LEVEL = 0.05
CELL, SEED, ITEM = 4.0, 0.87, 3.0  # standard deviations, in points
WEIGHT_SPREAD = 1.3  # of the logarithm of a word's weight
ITEMS, SEEDS = (12, 43, 92), (2, 3, 5, 8, 10)


class World(NamedTuple):
    """What varies besides seeds and cells."""

    name: str
    item_spread: float  # a strategy helps some words and harms others, by nothing on average
    is_heavy: bool


class Squares(NamedTuple):
    """Means and mean squares of many two-way layouts."""

    mean: np.ndarray
    items: np.ndarray
    seeds: np.ndarray
    error: np.ndarray
    n_items: int
    n_seeds: int

    def rejects(self, square: np.ndarray, degrees: np.ndarray | int) -> np.ndarray:
        quantile = stats.t.ppf(1 - LEVEL / 2, degrees)
        return np.abs(self.mean) > quantile * np.sqrt(square / (self.n_items * self.n_seeds))


WORLDS = (
    World("strategies are the same, words weigh alike", 0.0, False),
    World("strategies are the same, few words weigh most", 0.0, True),
    World("strategies move words, words weigh alike", ITEM, False),
    World("strategies move words, few words weigh most", ITEM, True),
)
METHODS = ("items", "seeds", "both", "ANOVA", "pigeonhole", "used")


def simulate(world: World, n_items: int, n_seeds: int, n: int, draw: np.random.Generator) -> np.ndarray:
    """Return n tables of differences, items by seeds."""
    weights = np.exp(draw.normal(0, WEIGHT_SPREAD, (n, n_items))) if world.is_heavy else np.ones((n, n_items))
    weights /= np.sqrt((weights**2).mean(axis=1, keepdims=True))
    of_seeds = draw.normal(0, SEED, (n, 1, n_seeds)) * (weights / weights.mean(axis=1, keepdims=True))[:, :, None]
    of_items = draw.normal(0, world.item_spread, (n, n_items, 1)) * weights[:, :, None]
    cells = draw.normal(0, CELL, (n, n_items, n_seeds)) * weights[:, :, None]
    return np.asarray(of_seeds + of_items + cells)


def squares(tables: np.ndarray) -> Squares:
    """Return the two-way analysis of variance of each table."""
    _, n_items, n_seeds = tables.shape
    mean, of_items, of_seeds = tables.mean(axis=(1, 2)), tables.mean(axis=2), tables.mean(axis=1)
    rest = tables - of_items[:, :, None] - of_seeds[:, None, :] + mean[:, None, None]
    return Squares(
        mean=mean,
        items=n_seeds * of_items.var(axis=1, ddof=1),
        seeds=n_items * of_seeds.var(axis=1, ddof=1),
        error=(rest**2).sum(axis=(1, 2)) / ((n_items - 1) * (n_seeds - 1)),
        n_items=n_items,
        n_seeds=n_seeds,
    )


def rejection_rates(tables: np.ndarray, draw: np.random.Generator, n_bootstrapped: int) -> dict[str, float]:
    """Return method -> share of the tables in which it finds a difference."""
    of = squares(tables)
    items, seeds = of.rejects(of.items, of.n_items - 1), of.rejects(of.seeds, of.n_seeds - 1)
    spread = of.items**2 / (of.n_items - 1) + of.seeds**2 / (of.n_seeds - 1)
    spread += of.error**2 / ((of.n_items - 1) * (of.n_seeds - 1))
    plain = np.maximum(of.items + of.seeds - of.error, 1e-12)
    square = np.maximum.reduce([plain, of.items, of.seeds])
    crossed = of.rejects(square, np.maximum(square**2 / spread, 1))
    return {
        "items": float(items.mean()),
        "seeds": float(seeds.mean()),
        "both": float((items & seeds).mean()),
        "ANOVA": float(of.rejects(plain, np.maximum(plain**2 / spread, 1)).mean()),
        "pigeonhole": pigeonhole(tables[:n_bootstrapped], draw),
        "used": float((crossed & seeds).mean()),
    }


def pigeonhole(tables: np.ndarray, draw: np.random.Generator, n_resamples: int = 400) -> float:
    """Return how often a percentile interval excludes zero when items and seeds are both resampled (Owen 2007)."""
    _, n_items, n_seeds = tables.shape
    n_found = 0
    for table in tables:
        of_items = draw.multinomial(n_items, np.ones(n_items) / n_items, n_resamples) / n_items
        of_seeds = draw.multinomial(n_seeds, np.ones(n_seeds) / n_seeds, n_resamples) / n_seeds
        low, high = np.quantile(np.einsum("bi,ij,bj->b", of_items, table, of_seeds), [LEVEL / 2, 1 - LEVEL / 2])
        n_found += low > 0 or high < 0
    return n_found / len(tables)


def page(n: int, n_bootstrapped: int) -> str:
    """Return the page."""
    lines = [
        "# Intervals over items and seeds",
        "",
        f"Made by `PYTHONPATH=.:tests python -m benchmarks.bench_intervals --n {n}`.",
        "Share of comparisons without any effect in which a test at 5 % finds one, in percent;",
        f"{n:,} comparisons a row ({n_bootstrapped:,} for the pigeonhole bootstrap). `items`, `seeds`: t-tests over",
        "one of them. `both`: both of these reject. `ANOVA`: (MS items + MS seeds - MS error) with Satterthwaite's",
        "degrees of freedom. `used`: the same, but no smaller than either mean square, and never narrower than over",
        "seeds: what `fct_outcome_comparison` computes. 5 or less is right.",
        "",
    ]
    for world in WORLDS:
        lines += [f"## {world.name.capitalize()}", ""]
        lines += [f"| words | seeds | {' | '.join(METHODS)} |", f"|{'---|' * (2 + len(METHODS))}"]
        for n_items in ITEMS:
            for n_seeds in SEEDS:
                draw = np.random.default_rng([WORLDS.index(world), n_items, n_seeds])
                rates = rejection_rates(simulate(world, n_items, n_seeds, n, draw), draw, n_bootstrapped)
                cells = " | ".join(f"{100 * rates[method]:.1f}" for method in METHODS)
                lines.append(f"| {n_items} | {n_seeds} | {cells} |")
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=4000, help="comparisons a row")
    options = parser.parse_args()
    PAGE.write_text(page(options.n, max(options.n // 10, 1)), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
