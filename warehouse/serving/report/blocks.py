"""What a report is made of: answers to named queries, and the blocks that show them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis


@dataclass(frozen=True)
class Answer:
    """Rows of one named query, with how they were asked for."""

    rows: list[dict[str, Any]]
    columns: list[str]
    call: str  # Python, to type in a notebook
    sql: str  # the same for `pivots sql`


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of values: they are formatted by the page's template."""

    columns: list[str]
    rows: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A chart of one or more panels with what it says, its numbers and its query."""

    title: str
    says: str  # one or two sentences that also serve who cannot see the chart
    points: list[str] = field(default_factory=list)  # more of them, as a list
    panels: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # (heading, Vega-Lite specification)
    legend: list[tuple[str, str]] = field(default_factory=list)  # (name, colour), shared by the panels
    answer: Answer | None = None
    kind: str = "figure"


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """A square of values, shaded by size: rows and columns are labels."""

    title: str
    says: str
    corner: str
    rows: list[str]
    columns: list[str]
    cells: dict[tuple[str, str], dict[str, Any]]  # (row, column) -> {text, shade in -1..1, note}
    answer: Answer | None = None
    kind: str = "matrix"


@dataclass(frozen=True, kw_only=True)
class PivotLists:
    """Candidates of pairs by every score method side by side."""

    title: str
    says: str
    pairs: list[dict[str, Any]]
    unit: str  # what the counts count: documents, windows
    answer: Answer | None = None
    kind: str = "pivots"


@dataclass(frozen=True, kw_only=True)
class Chips:
    """Tokens of a set, in order."""

    title: str
    says: str
    tokens: list[dict[str, Any]]
    legend: list[tuple[str, str]]  # (language, colour)
    answer: Answer | None = None
    kind: str = "chips"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Names that the blocks around it use, each with its meaning in one line."""

    title: str
    says: str
    terms: list[tuple[str, str]]
    answer: None = None
    kind: str = "terms"


@dataclass(frozen=True, kw_only=True)
class Signatures:
    """Failure signatures in plain words."""

    title: str
    says: str
    groups: list[dict[str, Any]]
    answer: Answer | None = None
    kind: str = "signatures"


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A table shown open."""

    title: str
    says: str
    table: Table
    answer: Answer | None = None
    kind: str = "listing"


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A part without data yet, and the command that fills it."""

    title: str
    says: str
    command: str
    answer: None = None
    kind: str = "missing"


@dataclass(frozen=True, kw_only=True)
class Commands:
    """Shell commands in order, and a link to more."""

    title: str
    says: str
    commands: list[str]
    note: str
    link: str | None  # relative to the page; None when it is not there yet
    link_command: str  # what writes it
    answer: None = None
    kind: str = "commands"


Block = Figure | Matrix | PivotLists | Chips | Terms | Signatures | Listing | Commands | Missing


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the page."""

    id: str
    title: str
    intro: str
    blocks: Sequence[Block]


def ask(query: Callable[..., ibis.Table], warehouse: Any, *arguments: Any, **options: Any) -> Answer:
    """Run a named query and keep how it reads in Python and in SQL."""
    expression = query(warehouse, *arguments, **options)
    given = ["warehouse", *map(repr, arguments), *(f"{name}={value!r}" for name, value in options.items())]
    rows = expression.to_pyarrow()
    return Answer(
        rows=rows.to_pylist(),
        columns=rows.schema.names,
        call=f"queries.{query.__name__}({', '.join(given)})",
        sql=str(ibis.to_sql(expression, pretty=True)),
    )
