"""Query results as people and programs read them: a table on the terminal, CSV, JSON, Parquet."""

import csv
import json
import math
from collections.abc import Iterable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from warehouse.contract.atomic import atomic_file

_NULL = Text("NULL", style="dim")


def write_csv(reader: pa.RecordBatchReader, stream: TextIO) -> int:
    """Write rows as CSV with a header; NULL is empty, a list or struct is JSON. Return the number of rows."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(reader.schema.names)
    n_rows = 0
    for batch in reader:
        columns = [[_csv_value(value) for value in column.to_pylist()] for column in batch.columns]
        writer.writerows(zip(*columns, strict=True))
        n_rows += batch.num_rows
    return n_rows


def write_json(reader: pa.RecordBatchReader, stream: TextIO) -> int:
    """Write rows as a JSON array of objects, one per line. Return the number of rows."""
    n_rows = 0
    stream.write("[")
    for batch in reader:
        for row in batch.to_pylist():
            stream.write((",\n " if n_rows else "\n ") + json.dumps(json_ready(row), ensure_ascii=False))
            n_rows += 1
    stream.write("\n]\n" if n_rows else "]\n")
    return n_rows


def write_parquet(reader: pa.RecordBatchReader, path: Path) -> int:
    """Write rows as a Parquet file that appears whole. Return the number of rows."""
    n_rows = 0
    with (
        atomic_file(path) as unfinished,
        pq.ParquetWriter(unfinished, reader.schema, compression="zstd") as writer,
    ):
        for batch in reader:
            writer.write_batch(batch)
            n_rows += batch.num_rows
    return n_rows


def print_table(rows: pa.Table, console: Console) -> None:
    """Print rows as a table; as one block per row when the terminal is too narrow for the columns."""
    names = rows.schema.names
    if names == ["explain_key", "explain_value"]:  # a drawing, not a value
        for (drawing,) in zip(rows["explain_value"].to_pylist(), strict=True):
            console.print(drawing, markup=False, soft_wrap=True)
        return
    numeric = [pa.types.is_integer(t) or pa.types.is_floating(t) or pa.types.is_decimal(t) for t in rows.schema.types]
    cells = [[cell_text(value) for value in column.to_pylist()] for column in rows.columns]
    widths = [max([cell_len(name), *(c.cell_len for c in column)]) for name, column in zip(names, cells, strict=True)]
    natural_width = sum(widths) + 3 * len(widths) + 1
    if console.is_terminal and natural_width > console.width:
        _print_blocks(names, cells, console)
        return
    if not console.is_terminal:
        console.width = natural_width  # nothing is cut: the reader is a file or another program
    table = Table(header_style="bold")
    for name, is_number in zip(names, numeric, strict=True):
        table.add_column(name, justify="right" if is_number else "left", no_wrap=True)
    for row in zip(*cells, strict=True):
        table.add_row(*row)
    console.print(table)


def cell_text(value: Any) -> Text:
    """Return how a value reads in a table: six significant digits, and white space that would not show made visible."""
    if value is None:
        return _NULL
    if isinstance(value, float):
        return Text(f"{value:.6g}")
    if isinstance(value, list | dict):
        return Text(json.dumps(json_ready(value), ensure_ascii=False))
    return Text(str(value).replace("\n", "⏎").replace("\t", "⇥").replace("\r", "␍"))


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


def _print_blocks(names: list[str], cells: list[list[Text]], console: Console) -> None:
    rows: Iterable[tuple[Text, ...]] = zip(*cells, strict=True)
    for number, row in enumerate(rows, start=1):
        console.rule(f"row {number}", align="left", style="dim")
        block = Table.grid(padding=(0, 2))
        block.add_column(style="bold", no_wrap=True)
        block.add_column(overflow="fold")
        for name, value in zip(names, row, strict=True):
            block.add_row(name, value)
        console.print(block)
