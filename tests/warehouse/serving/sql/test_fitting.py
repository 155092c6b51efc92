"""Tables on a terminal: as wide as that, with what is left out named; in a file nothing is cut."""

import io
from typing import Any

import pyarrow as pa
import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from warehouse.serving.sql.fitting import fit
from warehouse.serving.sql.render import cell_text, print_table

ROWS: dict[str, list[Any]] = {
    "experiment": ["short-cpu-1a2b3c4d5e6f"] * 2,
    "strategy": ["pivot_aware", "original"],
    "text": ["図書館" * 30, "b"],
    "n_docs": [3778562595017583601, 2],
    "score": [0.123456789, 12345.678],
    "more": [1, 2],
    "last": ["x" * 20, "y"],
}


def printed(rows: dict[str, list[Any]], width: int, *, is_terminal: bool) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=is_terminal, no_color=True, highlight=False)
    print_table(pa.table(rows), console)
    return [Text.from_ansi(line).plain for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120])
def test_a_terminal_is_never_too_narrow(width: int) -> None:
    lines = printed(ROWS, width, is_terminal=True)
    table = [line for line in lines if line[:1] in "┏┃┡│└"]
    assert len(table) == 6
    assert all(cell_len(line) <= width for line in table)
    notes = " ".join(lines[len(table) :])
    assert "the same in all rows: experiment = short-cpu-1a2b3c4d5e6f" in notes
    assert "all columns: --format csv or --format json" in notes
    header = table[1]
    for name in ROWS:
        assert name in header or name in notes, "what is not shown is named"


def test_columns_go_from_the_end_and_only_as_many_as_must() -> None:
    names = ["a", "b", "c"]
    cells = [[Text("1"), Text("2")], [Text("xxxx"), Text("y")], [Text("5" * 10), Text("6")]]
    assert fit(names, cells, 25).columns == [0, 1, 2]  # 1 + 4 + 10 cells and 3 for each column and 1
    assert fit(names, cells, 25).notes == []
    assert fit(names, cells, 24).columns == [0, 1]
    assert fit(names, cells, 24).notes[0] == "not shown: c"
    assert fit(names, cells, 1).columns == [0]


def test_identities_go_before_numbers_and_words_stay() -> None:
    names = ["item_id", "source_word", "n_docs", "is_kept", "pivot_score"]
    cells = [[Text(f"{name} {row}") for row in "ab"] for name in names]
    widths = [10, 14, 9, 10, 14]
    shown = []
    for left_out in ([], [3], [3, 0], [3, 0, 2], [3, 0, 2, 4]):
        columns = [c for c in range(5) if c not in left_out]
        assert fit(names, cells, sum(widths[c] + 3 for c in columns) + 1).columns == columns
        shown.append(columns)
    assert shown[-1] == [1]


def test_rows_that_are_all_the_same_keep_a_column() -> None:
    cells = [[Text("one")] * 2, [Text("two" * 9)] * 2]
    fitted = fit(["a", "b"], cells, 20)
    assert fitted.columns == [0]
    assert fitted.notes[0] == f"the same in all rows: b = {'two' * 9}"


def test_one_row_is_a_block_with_all_of_it() -> None:
    lines = printed({name: values[:1] for name, values in ROWS.items()}, 60, is_terminal=True)
    text = "".join(line.strip().removeprefix("text").strip() for line in lines)
    assert "図書館" * 30 in text
    assert "3778562595017583601" in text


def test_a_file_gets_everything() -> None:
    lines = printed(ROWS, 60, is_terminal=False)
    assert len(lines) == 6
    assert all(part in "\n".join(lines) for part in ("図書館" * 30, "0.123457", "12345.7", "x" * 20, "experiment"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.123456789, "0.1235"),
        (12345.678, "12346"),
        (999.94, "999.9"),
        (-0.000012346, "-1.235e-05"),
        (0.05, "0.05"),
        (1e20, "1e+20"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (123456, "123456"),
    ],
)
def test_four_digits_that_say_something(value: float, shown: str) -> None:
    assert cell_text(value, is_terminal=True).plain == shown
