"""Write raw tables of a scratch home, run dbt on it, read models back."""

from collections.abc import Iterable
from typing import Any

import duckdb
import pyarrow as pa

from warehouse.base.settings import Home
from warehouse.build import build as building
from warehouse.lake.files import NO_CORPUS, point_to_count, shard_path, write_table
from warehouse.lake.schemas import COUNTED, SCHEMAS

COUNT_ID = "hand-made"


def write_raw(home: Home, table: str, rows: Iterable[dict[str, Any]], *, corpus: str | None = None) -> None:
    """Write rows (missing columns are NULL) as one shard of a raw table; counted tables need their corpus."""
    schema = SCHEMAS[table]
    filled = [{name: row.get(name) for name in schema.names} for row in rows]
    if table in COUNTED:
        assert corpus is not None, f"{table} is counted per corpus"
        path = home.lake / "counts" / corpus / COUNT_ID / f"{table}.parquet"
        point_to_count(home, corpus, COUNT_ID)
    else:
        path = shard_path(home, table, "hand-made", corpus=corpus or NO_CORPUS)
    write_table(path, table, pa.Table.from_pylist(filled, schema=schema))


def build(home: Home, *select: str, **variables: Any) -> dict[str, int]:
    """Run `dbt build` on the home; return how many nodes ended in each status."""
    return building.build(home, select=select, variables=variables, unit_tests=True)


def query(home: Home, sql: str) -> list[dict[str, Any]]:
    """Return the rows of one query on the built warehouse."""
    with duckdb.connect(str(home.warehouse_file), read_only=True) as connection:
        return connection.execute(sql).to_arrow_table().to_pylist()
