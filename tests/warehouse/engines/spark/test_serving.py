"""The writer's file shows what a build on Spark wrote, and nothing that it did not; without Spark."""

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.base.settings import Home
from warehouse.engines.spark.mart_views import show_marts


def write_build(home: Home, tables: Path, statuses: dict[str, str]) -> None:
    """Leave what dbt leaves: a manifest of three marts, results of some, files of all."""
    nodes = {}
    for number, name in enumerate(("built", "stale", "shown")):
        folder = tables / "marts.db" / name
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"n": [number]}), folder / "part-0.parquet")
        columns = {"n": {"name": "n", "description": "How many; it's counted."}}
        nodes[f"model.p.{name}"] = {"name": name, "schema": "marts", "description": name.upper(), "columns": columns}
    nodes["model.p.inner"] = {"name": "inner", "schema": "intermediate", "description": "", "columns": {}}
    results = [{"unique_id": f"model.p.{name}", "status": status} for name, status in statuses.items()]
    home.dbt_target.mkdir(parents=True, exist_ok=True)
    (home.dbt_target / "manifest.json").write_text(json.dumps({"nodes": nodes}))
    (home.dbt_target / "run_results.json").write_text(json.dumps({"results": results}))


def test_only_marts_that_were_built_are_shown(tmp_path: Path) -> None:
    home, tables = Home(tmp_path / "it's a home"), tmp_path / "tables"
    write_build(home, tables, {"shown": "success"})
    show_marts(home, tables)
    with duckdb.connect(str(home.warehouse_file)) as connection:
        connection.execute("create table marts.built as select 40 as n; create table marts.stale as select 41 as n")
    write_build(home, tables, {"built": "success", "stale": "skipped", "inner": "success"})
    show_marts(home, tables)
    with duckdb.connect(str(home.warehouse_file), read_only=True) as connection:
        values = {name: connection.execute(f"from marts.{name}").fetchall() for name in ("built", "stale", "shown")}
        comments = connection.execute(
            "select table_name, comment from duckdb_columns() where schema_name = 'marts' order by 1"
        ).fetchall()
    assert values == {"built": [(0,)], "stale": [(41,)], "shown": [(2,)]}
    assert dict(comments) == {"built": "How many; it's counted.", "stale": None, "shown": "How many; it's counted."}
