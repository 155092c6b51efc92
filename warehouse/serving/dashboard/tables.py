"""Tables of the dashboard in words: headings instead of column names, text instead of what only programs tell apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import marimo as mo

from warehouse.contract.token_text import visible_space
from warehouse.serving.units import UnitName

LARGEST_EXACT = 2**53  # JavaScript's numbers hold no larger integer exactly
TOKEN_ID, DOCUMENT_ID = "token id", "document id"  # headings by which a chosen row is found again
NOTHING = "–"
_HEADINGS = {
    "baseline_right_rank": "rank in the other",
    "baseline_score": "score of the other",
    "chance_rate": "first by chance",
    "ci_high": "95 % to",
    "ci_low": "95 % from",
    "crossed_ci_high": "95 % over seeds too, to",
    "crossed_ci_low": "95 % over seeds too, from",
    "density_rank_in_lang": "rank",
    "doc_id": DOCUMENT_ID,
    "edge_weight": "strength",
    "has_source": "source word",
    "has_target": "target word",
    "lang": "language",
    "n_docs": "documents",
    "n_items": "words",
    "n_pivot_tokens": "pivot tokens",
    "n_seeds": "seeds",
    "n_tokens": "tokens",
    "neighbour_id": TOKEN_ID,
    "neighbour_lang": "language",
    "p_control": "p of control pivots",
    "p_pivot": "p of pivots",
    "p_source": "p of the source word",
    "p_target": "p of the target word",
    "p_top": "its p",
    "pivot_density": "share of pivot tokens",
    "right_rank": "rank",
    "score_delta": "difference",
    "seed_ci_high": "95 % over seeds, to",
    "seed_ci_low": "95 % over seeds, from",
    "smoothed_density": "smoothed share",
    "smoothed_rank_in_lang": "rank",
    "source_id": "name in its source",
    "source_lang": "from",
    "source_file": "file",
    "target_lang": "to",
    "token_id": TOKEN_ID,
}
_UNIT_HEADINGS = {"n_docs_both": "{units} together", "neighbour_n_docs": "{units}"}


def table(rows: Sequence[Mapping[str, Any]], unit: UnitName | None = None, **options: Any) -> mo.ui.table:
    """Return rows as a table under headings in words. Nothing can be chosen in it, unless the options say so.

    Args:
        unit: see `titled`.
        options: of `mo.ui.table`.
    """
    return mo.ui.table(titled(rows, unit), show_column_summaries=False, **({"selection": None} | options))


def choice(rows: Sequence[Mapping[str, Any]], **options: Any) -> mo.ui.table:
    """Return a table in which one row is chosen, the first at the beginning."""
    return table(rows, selection="single", initial_selection=[0] if rows else [], **options)


def readable(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows for a table in the browser: 64-bit identities as text, four digits of a number."""
    return [{name: _readable(name, value) for name, value in row.items()} for row in rows]


def titled(rows: Sequence[Mapping[str, Any]], unit: UnitName | None = None) -> list[dict[str, Any]]:
    """Return rows as `readable` does, under headings in words, with yes and no for true and false.

    Args:
        unit: what counts count, for tables that hold some.
    """
    return [{heading(name, unit): _in_words(value) for name, value in row.items()} for row in readable(rows)]


def heading(column: str, unit: UnitName | None = None) -> str:
    """Return how a column is called on the page."""
    if unit is not None and column in _UNIT_HEADINGS:
        return _UNIT_HEADINGS[column].format(units=unit.plural)
    return _HEADINGS.get(column) or column.replace("_", " ")


def _in_words(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOTHING if value is None else value


def _readable(name: str, value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, str) and (name == "token" or name == "neighbour" or name.endswith("_token")):
        return visible_space(value)
    is_wide = isinstance(value, int) and abs(value) > LARGEST_EXACT
    return str(value) if is_wide or (name in ("doc_id", "item_id") and value is not None) else value
