"""Query results as people and programs read them: a table on the terminal, CSV, JSON, Parquet."""

import csv
import json
import math
from datetime import date, datetime, time
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from warehouse.base.terminal import TextSink, printable
from warehouse.serving.sql.fitting import fit

# DuckDB's infinite dates (int32) and times (int64)
_INFINITE = {sign * (2**bits - 1) for sign in (1, -1) for bits in (31, 63)}
_NULL = Text("NULL", style="dim")
_WHOLE_FROM, _WHOLE_BELOW = 1e3, 1e15  # without decimals on a terminal


def write_csv(reader: pa.RecordBatchReader, stream: TextSink) -> int:
    """Write rows as CSV with a header; NULL is empty, a list or struct is JSON. Return the number of rows."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(reader.schema.names)
    n_rows = 0
    for batch in reader:
        columns = [[_csv_value(value) for value in python_values(column)] for column in batch.columns]
        writer.writerows(zip(*columns, strict=True))
        n_rows += batch.num_rows
    return n_rows


def write_json(reader: pa.RecordBatchReader, stream: TextSink) -> int:
    """Write rows as a JSON array of objects, one per line. Return the number of rows."""
    n_rows = 0
    stream.write("[")
    for batch in reader:
        for row in python_rows(batch):
            stream.write((",\n " if n_rows else "\n ") + json.dumps(json_ready(row), ensure_ascii=False))
            n_rows += 1
    stream.write("\n]\n" if n_rows else "]\n")
    return n_rows


def write_parquet(reader: pa.RecordBatchReader, stream: IO[bytes]) -> int:
    """Write rows as a Parquet file. Return the number of rows."""
    n_rows = 0
    with pq.ParquetWriter(stream, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            n_rows += batch.num_rows
    return n_rows


def print_table(rows: pa.Table, console: Console) -> None:
    """Print rows as a table. On a terminal it is as wide as that, and a single row that is wider is a block."""
    names = [printable(name) for name in rows.schema.names]
    if names == ["explain_key", "explain_value"]:  # a drawing, not a value
        for (drawing,) in zip(rows["explain_value"].to_pylist(), strict=True):
            console.print(drawing, markup=False, soft_wrap=True)
        return
    numeric = [pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_decimal(t) for t in rows.schema.types]
    cells = [
        [cell_text(value, is_terminal=console.is_terminal) for value in python_values(column)]
        for column in rows.columns
    ]
    widths = [max([cell_len(name), *(c.cell_len for c in column)]) for name, column in zip(names, cells, strict=True)]
    natural_width = sum(widths) + 3 * len(widths) + 1
    if console.is_terminal and rows.num_rows == 1 and natural_width > console.width:
        _print_block(names, cells, console)
        return
    if not console.is_terminal:
        console.width = natural_width  # nothing is cut: the reader is a file or another program
    fitted = fit(names, cells, console.width)
    table = Table(header_style="bold")
    for column in fitted.columns:
        table.add_column(names[column], justify="right" if numeric[column] else "left", no_wrap=True)
    for row in zip(*(fitted.cells[column] for column in fitted.columns), strict=True):
        table.add_row(*row)
    console.print(table)
    for note in fitted.notes:
        console.print(Text(note, style="dim"), soft_wrap=True)


def cell_text(value: Any, *, is_terminal: bool = False) -> Text:
    """Return how a value reads in a table: white space that would not show made visible, numbers by significant digits.

    Six digits; four on a terminal, where the whole part is never cut: 12346, not 1.235e+04.
    """
    if value is None:
        return _NULL
    if isinstance(value, float):
        if is_terminal:
            return Text(f"{value:.0f}" if _WHOLE_FROM <= abs(value) < _WHOLE_BELOW else f"{value:.4g}")
        return Text(f"{value:.6g}")
    if isinstance(value, list | dict):
        return Text(printable(json.dumps(json_ready(value), ensure_ascii=False)))
    return Text(printable(str(value).replace("\n", "⏎").replace("\t", "⇥").replace("\r", "␍")))


def python_values(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """Return the values of a column; as text where Python has no such date or time: infinity, or the year 290000."""
    try:
        return column.to_pylist()
    except (OverflowError, ValueError):
        return [_python_value(value) for value in column]


def _python_value(value: pa.Scalar) -> Any:
    """Return one value; a date or time that Python has not as DuckDB or ISO 8601 writes it."""
    if not value.is_valid:
        return None
    if isinstance(value, pa.StructScalar):
        return {name: _python_value(inner) for name, inner in value.items()}
    if isinstance(value, pa.ListScalar | pa.LargeListScalar | pa.FixedSizeListScalar):
        return [_python_value(inner) for inner in value.values]
    try:
        return value.as_py()
    except (OverflowError, ValueError):
        number = value.value
        if number in _INFINITE:
            return "infinity" if number > 0 else "-infinity"
        unit: Any = "D" if isinstance(value, pa.Date32Scalar) else getattr(value.type, "unit", "us")
        return str(np.datetime64(number, unit))


def python_rows(rows: pa.RecordBatch | pa.Table) -> list[dict[str, Any]]:
    """Return rows as dictionaries of `python_values`."""
    names = rows.schema.names
    columns = [python_values(column) for column in rows.columns]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def json_ready(value: Any) -> Any:
    """Return a value that JSON can hold: times as ISO 8601, what is no finite number as null."""
    if isinstance(value, dict):
        return {str(key): json_ready(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value if isinstance(value, str | int | bool | None) else str(value)


def _csv_value(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(json_ready(value), ensure_ascii=False)
    return value.isoformat() if isinstance(value, datetime | date | time) else value


def _print_block(names: list[str], cells: list[list[Text]], console: Console) -> None:
    """Print one row, a line for each column."""
    block = Table.grid(padding=(0, 2))
    block.add_column(style="bold", no_wrap=True)
    block.add_column(overflow="fold")
    for name, (value,) in zip(names, cells, strict=True):
        block.add_row(name, value)
    console.print(block)
