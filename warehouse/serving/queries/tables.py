"""Marts as table expressions, and what every question starts from."""

from typing import Any

import ibis.expr.types as ir

ALL = "all"
JUDGE = "judge"


def mart(warehouse: Any, name: str) -> ir.Table:
    """Return a mart as a table expression."""
    return warehouse.table(name, database="marts")


def default_pivot_set(warehouse: Any, corpus: str) -> str | None:
    """Return the pivot set that strategy pivot_aware reads (dbt var default_pivot_set); None when it holds no token."""
    members = where(mart(warehouse, "dim_pivot_tokens"), corpus=corpus, is_default=True)
    names = members.select("pivot_set").limit(1).to_pyarrow()["pivot_set"].to_pylist()
    return names[0] if names else None


def default_score_method(warehouse: Any) -> str:
    """Return the score method that pivot sets read (dbt var pivot_set_score_method)."""
    return _default(warehouse, "dim_score_methods", "score_method", "is_default")


def default_baseline(warehouse: Any) -> str:
    """Return the strategy that the default strategy is compared with first."""
    return _default(warehouse, "dim_strategies", "strategy", "is_default_baseline")


def _default(warehouse: Any, dimension: str, column: str, flag: str) -> str:
    [name] = where(mart(warehouse, dimension), **{flag: True}).select(column).to_pyarrow()[column].to_pylist()
    return str(name)


def has_rows(warehouse: Any, name: str) -> bool:
    """Return whether a mart is built and holds at least one row."""
    if name not in warehouse.list_tables(database="marts"):
        return False
    return bool(mart(warehouse, name).limit(1).count().to_pyarrow().as_py())


def runs_of(warehouse: Any, experiment: str) -> ir.Table:
    """Runs of an experiment: run_id, strategy, seed."""
    return where(warehouse.table("runs", database="raw"), experiment=experiment).select("run_id", "strategy", "seed")


def where(table: ir.Table, **equal: Any) -> ir.Table:
    """Keep the rows in which columns equal given values."""
    return table.filter(*(table[column] == value for column, value in equal.items()))
