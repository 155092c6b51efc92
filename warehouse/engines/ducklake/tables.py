"""What a shared lake holds: shards as they were registered, and the raw tables as views over them.

* schema `shards`: one table per raw table, with the rows of every registered file; `registered` names these files;
* schema `raw`: what dbt reads and people look up, the same tables and rows as the views of an embedded warehouse;
* schema `marts`: the marts of the last build, written in one transaction.
"""

import duckdb

from warehouse.engines.ducklake.attach import ALIAS
from warehouse.engines.ducklake.transactions import SharedLake, rows
from warehouse.lake.raw_views import view_query
from warehouse.lake.schemas import SCHEMAS, SHARDED

_OWN = {
    # One row per file that was ever registered; DuckLake has no keys, so a transaction that stood alone is what makes
    # (table_name, corpus, name) unique. The content is a sum over rows: sums over files are sums over tables.
    "registered": "table_name varchar, corpus varchar, name varchar, n_rows bigint, content varchar, file varchar,"
    " registered_by varchar",
    # One row per corpus: which of its registered counts is the current one, whose rows the counted tables hold.
    "current_counts": "corpus varchar, count_id varchar",
    # One row per mart: what its rows hash to, so that a mart that has not changed is not written again.
    "published_marts": "mart varchar, n_rows bigint, content varchar",
    # One row: the dbt variables of the last build, as JSON, for whoever builds next.
    "build_variables": "variables varchar",
    # One row per tokenizer: its tokenizer.json. Not a file: what no table names is deleted with old snapshots.
    "tokenizer_files": "tokenizer_hash varchar, content varchar",
}
# Documents of one id in several files: found over all files of a corpus, whoever registered them.
DUPLICATES = "duplicate_rejects"

_ROWS = {"rejects": f"(from shards.rejects union all from shards.{DUPLICATES})"}


def content_sql(table: str, relation: str) -> str:
    """Return the query for the row count of a raw table's rows, and for the sum of their hashes.

    NULLs are left out of a row's text, so that a column that a later version adds changes no hash.
    """
    columns = ", ".join(f"'{name}=' || {name}::varchar" for name in SCHEMAS[table].names)
    return f"select count(*), coalesce(sum(md5_number_lower(concat_ws(chr(31), {columns}))), 0) from {relation} one_row"


def prepare(lake: SharedLake) -> None:
    """Make the tables and views that the lake lacks, and the columns that an earlier version did not know.

    Raises:
        StepFailed: others kept committing, or the catalogue cannot be reached.
    """
    lake.commit(_prepare, "tables of Semantic Pivots", alone=True)


def _prepare(connection: duckdb.DuckDBPyConnection) -> bool | None:
    found: dict[tuple[str, str], list[str]] = {}
    for schema, table, column in rows(
        connection,
        "select schema_name, table_name, column_name from duckdb_columns() where database_name = ?"
        " order by column_index",
        [ALIAS],
    ):
        found.setdefault((schema, table), []).append(column)
    expected = {**SCHEMAS, DUPLICATES: SHARDED["rejects"]}
    changes = []
    if not found:
        changes += [f"create schema {ALIAS}.{schema}" for schema in ("shards", "raw", "marts")]
        changes.append(f"call {ALIAS}.set_option('parquet_compression', 'zstd')")
    for table, columns_of in _OWN.items():
        if ("shards", table) not in found:
            changes.append(f"create table {ALIAS}.shards.{table} ({columns_of})")
    for table, schema in expected.items():
        columns = found.get(("shards", table))
        if columns is None:
            listed = ", ".join(f"{name} {kind}" for name, kind in _types(connection, table).items())
            changes.append(f"create table {ALIAS}.shards.{table} ({listed})")
        else:
            types = _types(connection, table)
            missing = [name for name in schema.names if name not in columns]
            changes += [f"alter table {ALIAS}.shards.{table} add column {name} {types[name]}" for name in missing]
    if not changes and all(("raw", table) in found for table in SCHEMAS):
        return None
    for change in changes:
        connection.execute(change)
    connection.execute(f"use {ALIAS}")  # views name shards.x, whatever the lake is attached as
    for table in SCHEMAS:
        query = view_query(table, _ROWS.get(table, f"shards.{table}"), schema="shards")
        connection.execute(f"create or replace view raw.{table} as {query}")
    connection.execute("use memory")
    return True


def _types(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Return DuckDB's type of every column of a raw table."""
    schema = SHARDED["rejects"] if table == DUPLICATES else SCHEMAS[table]
    described = connection.from_arrow(schema.empty_table())
    return {name: str(kind) for name, kind in zip(described.columns, described.types, strict=True)}
