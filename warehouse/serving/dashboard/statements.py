"""Compiled questions: an Ibis expression becomes SQL once, and is asked again with other values.

Compiling takes several times as long as DuckDB takes to answer. A question is built with marks in place of its values;
in its SQL the marks become named parameters, to which each time's values are bound.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis
import sqlglot
from sqlglot import exp

_STRING_MARK = "value {} 6f1c2a"
_INTEGER_MARK = 7_215_604_482_000_000_000


@dataclass
class Statements:
    """What was compiled for one backend."""

    _compiled: dict[Any, str] = field(default_factory=dict)

    def bind(
        self, backend: Any, query: Callable[..., ibis.Table], values: Sequence[str | int], options: dict[str, Any]
    ) -> tuple[str, dict[str, str | int]]:
        """Return the SQL of `query(backend, *values, **options)` and the values of its parameters, by name.

        Raises:
            ValueError: `query` does anything with a value but compare it with columns.
        """
        key = (query, tuple(sorted(options.items())), tuple(type(value) for value in values))
        if key not in self._compiled:
            marks = [
                _STRING_MARK.format(place) if isinstance(value, str) else _INTEGER_MARK + place
                for place, value in enumerate(values)
            ]
            sql = str(ibis.to_sql(query(backend, *marks, **options), dialect="duckdb"))
            names = {str(mark): _name(place) for place, mark in enumerate(marks)}
            self._compiled[key] = _with_parameters(sql, names)
        return self._compiled[key], {_name(place): value for place, value in enumerate(values)}


def _name(place: int) -> str:
    return f"value_{place}"


def _with_parameters(sql: str, names: Mapping[str, str]) -> str:
    """Return DuckDB's SQL with a named parameter wherever a literal is one of the marks in `names`."""
    parsed = sqlglot.parse_one(sql, dialect="duckdb")
    seen = set()
    for constant in list(parsed.find_all(exp.Literal)):
        if name := names.get(constant.this):
            constant.replace(exp.Placeholder(this=name))
            seen.add(name)
    if unseen := set(names.values()) - seen:
        raise ValueError(f"{', '.join(sorted(unseen))} of a question is not compared as it is: {sql}")
    return parsed.sql(dialect="duckdb")
