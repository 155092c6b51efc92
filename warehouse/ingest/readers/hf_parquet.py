"""Hugging Face Parquet: column `text`, optional `id`, `source`, language columns; read by row group."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.ingest.readers.records import (
    MAX_DOCUMENT_BYTES,
    Piece,
    Records,
    Rejected,
    language_field,
    too_large,
)

FORMAT = "parquet"
_COLUMNS = ("text", "id", "source", "language", "lang", "metadata")
_TEXT_TYPES = (pa.string(), pa.large_string(), pa.string_view())
_PIECE_ROWS = 4096
# What pyarrow raises for a damaged file; its own messages and the names in a footer need not be UTF-8.
_UNREADABLE = (pa.ArrowException, OSError, UnicodeDecodeError)


def check(path: Path, *, lang_column: str | None) -> str | None:
    """Return what keeps this file from being read as such, or None."""
    try:
        schema = pq.read_schema(path)
        names = schema.names
    except _UNREADABLE:
        return None  # broken files become rejects when they are read
    if "text" not in names:
        return f"has no column `text` (columns: {', '.join(names)})"
    if twice := [name for name in _COLUMNS if names.count(name) > 1]:
        return f"has column `{twice[0]}` more than once"
    if schema.field("text").type not in _TEXT_TYPES:
        return f"has a column `text` of type {schema.field('text').type}, not string"
    if lang_column and lang_column.split(".")[0] not in names:
        return f"has no column `{lang_column}` (columns: {', '.join(names)})"
    return None


def pieces(path: Path) -> Iterator[Piece]:
    """Cut a file into its row groups; large ones into row ranges."""
    size = path.stat().st_size
    if size == 0:
        yield Piece(FORMAT, None, 1, 0, (Rejected(None, "empty file"),))
        return
    try:
        metadata = pq.read_metadata(path)
    except _UNREADABLE as error:
        yield Piece(FORMAT, None, 1, size, (Rejected(None, "not readable as Parquet", str(error)),))
        return
    n_rows = max(metadata.num_rows, 1)
    first_row = 1
    for group in range(metadata.num_row_groups):
        n_group = metadata.row_group(group).num_rows
        for offset in range(0, n_group, _PIECE_ROWS):
            n_piece = min(_PIECE_ROWS, n_group - offset)
            payload = (str(path), group, offset, n_piece)
            yield Piece(FORMAT, payload, first_row + offset, size * n_piece // n_rows)
        first_row += n_group
    if metadata.num_rows == 0:
        yield Piece(FORMAT, None, 1, size, (Rejected(None, "empty file"),))


def parse(piece: Piece, *, lang_column: str | None = None, max_bytes: int = MAX_DOCUMENT_BYTES) -> Records:
    """Read the rows of a piece. A row without an id is identified by its text."""
    records = Records.of(piece)
    if piece.payload is None:
        return records
    path, group, offset, n_rows = piece.payload
    records.n_read += n_rows
    try:
        batch = _read_batch(path, group, offset, n_rows, lang_column)
        if batch.num_rows != n_rows:
            raise pa.ArrowInvalid(f"{batch.num_rows} rows where the file promises {n_rows}")
        is_long = _longer_than(batch, max_bytes)
        rows = _python_rows(batch.filter(pc.invert(is_long)))
    except _UNREADABLE as error:
        for line_number in range(piece.first_line, piece.first_line + n_rows):
            records.reject(line_number, "broken row group", f"row group {group}: {error}")
        return records
    remaining = iter(rows)
    for line_number, is_too_long in enumerate(is_long.to_pylist(), start=piece.first_line):
        if is_too_long:
            records.rejects.append(too_large(line_number, max_bytes))
        else:
            _add(records, line_number, next(remaining), lang_column)
    return records


def _read_batch(path: str, group: int, offset: int, n_rows: int, lang_column: str | None) -> pa.RecordBatch:
    with pq.ParquetFile(path) as file:
        wanted = {*_COLUMNS, *([lang_column.split(".")[0]] if lang_column else [])}
        columns = [name for name in file.schema_arrow.names if name in wanted]
        if columns.count("text") != 1:
            raise pa.ArrowInvalid("not one column `text`")
        # iter_batches decodes only what lies before and in the range, not the whole group at once
        first = 0
        for batch in file.iter_batches(batch_size=_PIECE_ROWS, row_groups=[group], columns=columns):
            if first == offset:
                return batch.slice(0, n_rows)
            first += batch.num_rows
    raise pa.ArrowInvalid(f"row group {group} has fewer than {offset + n_rows} rows")


def _longer_than(batch: pa.RecordBatch, max_bytes: int) -> pa.BooleanArray:
    """Return which rows hold a text of more bytes; told before any row becomes a Python object."""
    lengths = pc.binary_length(batch.column("text").cast(pa.large_string()).view(pa.large_binary()))
    return pc.fill_null(pc.greater(lengths, max_bytes), False)


def _python_rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """Return rows as dictionaries; text as bytes, so that broken UTF-8 in one row does not lose the others."""
    columns = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if column.type in _TEXT_TYPES:
            column = column.cast(pa.large_string()).view(pa.large_binary())
        columns[name] = column.to_pylist()
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _add(records: Records, line_number: int, row: dict[str, Any], lang_column: str | None) -> None:
    try:
        row = {name: value.decode() if isinstance(value, bytes) else value for name, value in row.items()}
    except UnicodeDecodeError as error:
        records.reject(line_number, "invalid UTF-8", error.reason)
        return
    text, source_id, source = row.get("text"), row.get("id"), row.get("source")
    if text is None:
        records.reject(line_number, "missing text")
        return
    if source_id is not None and (isinstance(source_id, bool) or not isinstance(source_id, str | int)):
        # a float that is no number and a struct would all be one id
        records.reject(line_number, "id is not a string", type(source_id).__name__)
        return
    if isinstance(row.get("metadata"), str):
        try:
            row["metadata"] = json.loads(row["metadata"])
        except ValueError:
            row["metadata"] = None
        except RecursionError:
            records.reject(line_number, "metadata nested too deeply", row["metadata"][:80])
            return
    records.add(
        line_number,
        source_id=None if source_id is None or source_id == "" else str(source_id),
        source=source if isinstance(source, str) else "",
        lang=language_field(row, lang_column),
        text=text,
    )
