"""A small home with marts made by hand, for the tests of what people read.

The numbers are made up but keep the marts' rules: ranks are dense, shares sum to one, curves rise and fall.
"""

from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse import lake
from warehouse.publish import publish
from warehouse.schemas import SCHEMAS
from warehouse.settings import Home

CORPUS = "demo"
MARTS_SQL = Path(__file__).with_name("handmade_marts.sql")


def write_rows(home: Home, table: str, rows: list[dict], *, name: str = "one", corpus: str = lake.NO_CORPUS) -> None:
    """Write rows of a raw table; columns that are left out are NULL."""
    filled = [{column: row.get(column) for column in SCHEMAS[table].names} for row in rows]
    path = lake.shard_path(home, table, name, corpus=corpus)
    lake.write_table(path, table, pa.Table.from_pylist(filled, schema=SCHEMAS[table]))


def make_marts(home: Home) -> None:
    """Build the handmade marts in the writer's file."""
    home.root.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(home.warehouse_file)) as connection:
        connection.execute("create schema if not exists raw; create schema if not exists marts")
        connection.execute(MARTS_SQL.read_text(encoding="utf-8"))


def published_home(root: Path) -> Home:
    """Return a home with handmade marts, published."""
    home = Home(root)
    make_marts(home)
    publish(home)
    return home
