"""Marts that Spark wrote, as views of the writer's DuckDB file: what reads marts need not know who computed them."""

import json
from pathlib import Path
from typing import Any

import duckdb

from warehouse.base.settings import Home
from warehouse.base.sql_text import identifier, literal
from warehouse.build import dbt_runner
from warehouse.lake.connections import open_writer
from warehouse.lake.raw_views import refresh_raw_views

SCHEMA = "marts"


def show_marts(home: Home, tables: Path) -> None:
    """Point views of schema `marts` at the files that the last dbt command wrote, with their descriptions as comments.

    They replace what a DuckDB build wrote under the same names; marts that were not built stay what they are. The
    caller holds `writer_lock`.

    Args:
        tables: where Spark keeps its tables, `<schema>.db/<table>/*.parquet`.
    """
    nodes = json.loads((home.dbt_target / "manifest.json").read_text())["nodes"]
    built = sorted(r["unique_id"] for r in dbt_runner.run_results(home.dbt_target) if r["status"] == "success")
    with open_writer(home) as connection:
        refresh_raw_views(home, connection)
        connection.execute(f"create schema if not exists {SCHEMA}")
        for node in (nodes[name] for name in built if name.startswith("model.")):
            if node["schema"] == SCHEMA:
                _show(connection, node["name"], tables / f"{SCHEMA}.db" / node["name"])
                _describe(connection, node)


def _show(connection: duckdb.DuckDBPyConnection, name: str, folder: Path) -> None:
    is_table = connection.execute(
        "select count(*) from duckdb_tables() where database_name = current_catalog() and schema_name = ?"
        " and table_name = ?",
        [SCHEMA, name],
    ).fetchone()
    if is_table != (0,):
        connection.execute(f'drop table {SCHEMA}."{name}"')
    files = literal(f"{folder}/*.parquet")
    connection.execute(f"create or replace view {SCHEMA}.{identifier(name)} as select * from read_parquet({files})")


def _describe(connection: duckdb.DuckDBPyConnection, node: dict[str, Any]) -> None:
    view = f"{SCHEMA}.{identifier(node['name'])}"
    connection.execute(f"comment on view {view} is {literal(node['description'])}")
    for column in node["columns"].values():
        place = f"{view}.{identifier(column['name'])}"
        connection.execute(f"comment on column {place} is {literal(column['description'])}")
