"""Compiled questions: an Ibis expression becomes SQL once, and is asked again with other values.

Compiling takes several times as long as DuckDB takes to answer. A question is built with marks in place of its values;
in its SQL the marks are then replaced by each time's values, written as Ibis writes them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis

_STRING_MARK = "value {} 6f1c2a"
_INTEGER_MARK = 7_215_604_482_000_000_000
_MARKS = re.compile(rf"'{_STRING_MARK.format('([0-9]+)')}'|\b{str(_INTEGER_MARK)[:-3]}([0-9]{{3}})\b")


@dataclass
class Statements:
    """What was compiled for one backend."""

    _compiled: dict[Any, list[str]] = field(default_factory=dict)

    def sql(
        self, backend: Any, query: Callable[..., ibis.Table], values: Sequence[str | int], options: dict[str, Any]
    ) -> str:
        """Return the SQL of `query(backend, *values, **options)`.

        `query` must do nothing with its values but compare them with columns.
        """
        key = (query, tuple(sorted(options.items())), tuple(type(value) for value in values))
        if key not in self._compiled:
            marks = [
                _STRING_MARK.format(place) if isinstance(value, str) else _INTEGER_MARK + place
                for place, value in enumerate(values)
            ]
            parts = _MARKS.split(str(ibis.to_sql(query(backend, *marks, **options), dialect="duckdb")))
            self._compiled[key] = parts
        return "".join(_filled(self._compiled[key], values))


def _filled(parts: list[str], values: Sequence[str | int]) -> list[str]:
    """Put values in the places of marks. `parts` are text, string mark or None, integer mark or None, text ..."""
    pieces = [parts[0]]
    for string, integer, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        pieces += [_literal(values[int(string or integer)]), text]
    return pieces


def _literal(value: str | int) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(int(value))
