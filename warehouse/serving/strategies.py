"""Strategies as `dim_strategies` lists them: their order, their colours, and which of them the headline is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from warehouse.serving.queries import has_rows
from warehouse.serving.queries import strategies as listed_strategies

# in the order of the table; what comes after, and what it does not list, takes the spare ones in turn
_COLOURS = ("#8a8f98", "#4c8bd0", "#2ca089", "#a3a635", "#e0752d", "#7a4a1e", "#9b6dcc", "#d1587f")
SPARE_COLOURS = ("#b08968", "#6b8e23", "#c77dff", "#5f9ea0", "#cd5c5c", "#708090")


@dataclass(frozen=True)
class Strategies:
    """The strategies of a published copy.

    Attributes:
        names: all but variants, in the order in which people compare them.
        variants: strategies that differ from another in one setting; pages show them in tables only.
        default: the strategy whose gain is the question.
        baseline: what it is compared with first.
        exposure_control: what tells its gain from mere exposure to the words.
        meanings: what each takes, variants included, in one line.
    """

    names: tuple[str, ...] = ()
    variants: frozenset[str] = frozenset()
    default: str | None = None
    baseline: str | None = None
    exposure_control: str | None = None
    meanings: Mapping[str, str] = field(default_factory=dict)

    def order(self, names: Sequence[str]) -> list[str]:
        """Return the given names once each, in the table's order; unknown ones last, by name."""
        known = [name for name in self.names if name in names]
        return known + sorted(set(names) - set(known))

    def ordered(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return rows of runs by strategy, then seed."""
        order = self.order([row["strategy"] for row in rows])
        return sorted(rows, key=lambda row: (order.index(row["strategy"]), row["seed"] is not None, row["seed"] or 0))

    def colours(self, order: Sequence[str]) -> list[str]:
        """Return a colour for each; that of a listed strategy is the same in every chart of every page."""
        known = dict(zip(self.names, _COLOURS, strict=False))
        spare = iter(SPARE_COLOURS * (1 + len(order)))
        return [known.get(name) or next(spare) for name in order]


def read_strategies(warehouse: Any) -> Strategies:
    """Return what `dim_strategies` says; no strategy is known in a copy that an earlier version published."""
    if not has_rows(warehouse, "dim_strategies"):
        return Strategies()
    rows = listed_strategies(warehouse).to_pyarrow().to_pylist()

    def flagged(flag: str) -> str | None:
        return next((row["strategy"] for row in rows if row[flag]), None)

    return Strategies(
        names=tuple(row["strategy"] for row in rows if row["variant_of"] is None),
        variants=frozenset(row["strategy"] for row in rows if row["variant_of"] is not None),
        default=flagged("is_default"),
        baseline=flagged("is_default_baseline"),
        exposure_control=flagged("is_exposure_control"),
        meanings={row["strategy"]: row["description"] for row in rows},
    )


def label(strategy: str) -> str:
    """Return a strategy's name as it reads in text."""
    return strategy.replace("_", " ")
