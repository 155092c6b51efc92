"""Which columns of a result a terminal shows: a row is a line, and what is left out is named."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

_TEXT_CELLS = 32  # longer texts are cut before a column goes
# Names of the marts' columns: identities, flags and what a score is made of go first; words, scores and verdicts last.
_DETAIL = re.compile(r"(_id|_hash|_z|_root|_difference)$|^(is|expected|background)_")
_HEADLINE = re.compile(
    r"^(?!n_)(.*_)?(word|token|lang|strategy|baseline|method|score|rank|delta|low|high|auc|verdict|status|layer)$"
)
_BORDER = 3  # cells between two columns, and at both ends together one more


@dataclass(frozen=True)
class Fitted:
    """What is shown.

    Attributes:
        columns: their places, in order.
        cells: of every column of the result, cut where they were too long.
        notes: what is not shown, in sentences.
    """

    columns: list[int]
    cells: list[list[Text]]
    notes: list[str]


def fit(names: Sequence[str], cells: Sequence[list[Text]], width: int) -> Fitted:
    """Choose what fits into a width of N cells.

    First the columns go whose value is the same in every row, and are named with it; then long texts are cut; then
    columns go by their names, of like ones the last. One always stays.
    """
    columns, shown = list(range(len(names))), [list(column) for column in cells]
    if _width(names, shown, columns) <= width:
        return Fitted(columns, shown, [])
    constant = [c for c in columns if len({cell.plain for cell in shown[c]}) == 1]
    if len(constant) == len(columns):
        constant = constant[1:]
    columns = [c for c in columns if c not in constant]
    if _width(names, shown, columns) > width:
        shown = [[_cut(cell) for cell in column] for column in shown]
    left_out: list[int] = []
    while len(columns) > 1 and _width(names, shown, columns) > width:
        gone = min(columns, key=lambda c: (_weight(names[c]), -c))
        columns.remove(gone)
        left_out.append(gone)
    notes = []
    if constant:
        notes.append("the same in all rows: " + ", ".join(f"{names[c]} = {_cut(cells[c][0]).plain}" for c in constant))
    if left_out:
        notes.append(f"not shown: {', '.join(names[c] for c in sorted(left_out))}")
    notes.append("all columns: --format csv or --format json")
    return Fitted(columns, shown, notes)


def _weight(name: str) -> int:
    """Return how much a reader of a terminal misses a column."""
    return 0 if _DETAIL.search(name) else 2 if _HEADLINE.search(name) else 1


def _width(names: Sequence[str], cells: Sequence[list[Text]], columns: Sequence[int]) -> int:
    widths = [max([cell_len(names[c]), *(cell.cell_len for cell in cells[c])]) for c in columns]
    return sum(widths) + _BORDER * len(widths) + 1


def _cut(cell: Text) -> Text:
    cut = cell.copy()
    cut.truncate(_TEXT_CELLS, overflow="ellipsis")
    return cut
