"""What the tables of schema `raw` are: one text for every engine.

A raw view holds the rows of a table's current files under today's schema, so that a column that an older file lacks is
NULL; documents that another record replaces are left out of it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.base.settings import Home
from warehouse.base.sql_text import literal
from warehouse.lake.files import current_files
from warehouse.lake.schemas import SCHEMAS

# Tables with rows of documents: those listed in raw.superseded_documents are left out.
_WITH_DOCUMENTS = ("documents", "word_documents")
_TYPES = {
    pa.string(): "varchar",
    pa.bool_(): "boolean",
    pa.int32(): "integer",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.timestamp("us", tz="UTC"): "timestamptz",
}


def tables_in_order(tables: Sequence[str] = tuple(SCHEMAS)) -> list[str]:
    """Return raw tables in an order in which their views can be made: the views of documents read another one."""
    return sorted(tables, key=lambda table: table != "superseded_documents")


def view_query(table: str, rows: str, *, schema: str = "raw", anti_join: str = "anti join") -> str:
    """Return the query of a raw view.

    Args:
        rows: SQL of a relation with the rows of the table's current files, in today's columns.
        schema: of the table `superseded_documents`.
        anti_join: what the engine calls it.
    """
    columns = ", ".join(SCHEMAS[table].names)
    if table not in _WITH_DOCUMENTS:
        return f"select {columns} from {rows}"
    return f"select {columns} from {rows} {anti_join} {schema}.superseded_documents using (shard_id, doc_id)"


def file_rows(table: str, files: Sequence[Path]) -> str:
    """Return DuckDB's relation of the rows of a table's files, in today's columns and types, however old a file is."""
    fields = ", ".join(f"cast(null as {duckdb_type(field.type)}) as {field.name}" for field in SCHEMAS[table])
    no_rows = f"select {fields} where false"
    if not files:
        return f"({no_rows})"
    listed = ", ".join(map(literal, files))
    return f"({no_rows} union all by name select * from read_parquet([{listed}], union_by_name = true))"


def duckdb_type(arrow_type: pa.DataType) -> str:
    """Return DuckDB's name of a column's type."""
    return f"{_TYPES[arrow_type.value_type]}[]" if pa.types.is_list(arrow_type) else _TYPES[arrow_type]


def raw_views(home: Home, tables: Sequence[str] = tuple(SCHEMAS)) -> Iterator[tuple[str, str, list[Path]]]:
    """Yield (table, query of its raw view in DuckDB's SQL, its current files), in an order that can be run."""
    for table in tables_in_order(tables):
        files = current_files(home, table)
        yield table, view_query(table, file_rows(table, files)), files


def refresh_raw_views(home: Home, connection: duckdb.DuckDBPyConnection) -> None:
    """Point the views of schema `raw` at the current files; a table without files is a view without rows."""
    for table, query, _ in raw_views(home):
        connection.execute(f"create or replace view raw.{table} as {query}")
