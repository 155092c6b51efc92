"""A small home with marts made by hand, for the tests of what people read.

The numbers are made up but keep the marts' rules: ranks are dense, shares sum to one, curves rise and fall.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.base.settings import Home
from warehouse.counting.options import CountOptions
from warehouse.lake.files import NO_CORPUS, point_to_count, shard_path, write_table
from warehouse.lake.schemas import SCHEMAS
from warehouse.serving.publish import publish

CORPUS = "demo"
MARTS_SQL = Path(__file__).with_name("handmade_marts.sql")


def write_rows(home: Home, table: str, rows: list[dict], *, name: str = "one", corpus: str = NO_CORPUS) -> None:
    """Write rows of a raw table; columns that are left out are NULL."""
    filled = [{column: row.get(column) for column in SCHEMAS[table].names} for row in rows]
    path = shard_path(home, table, name, corpus=corpus)
    write_table(path, table, pa.Table.from_pylist(filled, schema=SCHEMAS[table]))


def write_count(home: Home, options: CountOptions, *, count_id: str = "count-1") -> None:
    """Say what the corpus's current count counts; none of its other tables is written."""
    row = {"corpus": CORPUS, "count_id": count_id, "unit": options.unit_name, "n_units": 60}
    row["options"] = json.dumps(options.as_dict())
    filled = [{column: row.get(column) for column in SCHEMAS["counts"].names}]
    path = home.lake / "counts" / CORPUS / count_id / "counts.parquet"
    write_table(path, "counts", pa.Table.from_pylist(filled, schema=SCHEMAS["counts"]))
    point_to_count(home, CORPUS, count_id)


def make_marts(home: Home) -> None:
    """Build the handmade marts in the writer's file."""
    home.root.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(home.warehouse_file)) as connection:
        connection.execute("create schema if not exists raw; create schema if not exists marts")
        connection.execute(MARTS_SQL.read_text(encoding="utf-8"))
        decimals = connection.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = 'marts' and data_type like 'DEC%'"
        ).fetchall()
        for table, column in decimals:  # a literal such as 0.02 is a decimal, a mart's rate is a double
            connection.execute(f"alter table marts.{table} alter {column} type double")


def make_runs(home: Home) -> None:
    """Record the runs that the handmade marts lead back to."""
    now = datetime(2026, 1, 2, tzinfo=UTC)
    for strategy in ("base", "original", "random_multilingual", "pivot_aware", "word_density"):
        for seed in (0,) if strategy == "base" else (0, 1):
            for kind in ("score", "trace", "held_out"):
                row = {
                    "run_id": f"{kind}-{strategy}-{seed}",
                    "kind": kind,
                    "corpus": CORPUS,
                    "experiment": "experiment-1",
                    "strategy": strategy,
                    "seed": None if strategy == "base" else seed,
                    "model_id": f"model-{strategy}-{seed}",
                    "git_commit": "0123456789ab",
                    "config": "{}",
                    "inputs": "{}",
                    "started_at": now,
                    "finished_at": now,
                }
                write_rows(home, "runs", [row], name=row["run_id"])


def published_home(root: Path) -> Home:
    """Return a home with handmade marts and their runs, published."""
    home = Home(root)
    make_marts(home)
    make_runs(home)
    publish(home)
    return home
