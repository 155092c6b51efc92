"""A scratch home with raw tables written by the test, dbt run on it, and the models read back."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from warehouse import dbt, lake
from warehouse.schemas import COUNTED, SCHEMAS
from warehouse.settings import Home

COUNT_ID = "hand-made"


def write_raw(home: Home, table: str, rows: Iterable[dict[str, Any]], *, corpus: str | None = None) -> None:
    """Write rows (missing columns are NULL) as one shard of a raw table; counted tables need their corpus."""
    schema = SCHEMAS[table]
    filled = [{name: row.get(name) for name in schema.names} for row in rows]
    if table in COUNTED:
        assert corpus is not None, f"{table} is counted per corpus"
        path = home.lake / "counts" / corpus / COUNT_ID / f"{table}.parquet"
        lake.point_to_count(home, corpus, COUNT_ID)
    else:
        path = lake.shard_path(home, table, "hand-made", corpus=corpus or lake.NO_CORPUS)
    lake.write_table(path, table, pa.Table.from_pylist(filled, schema=schema))


def build(home: Home, *select: str, **variables: Any) -> dict[str, int]:
    """Run `dbt build` on the home; return how many nodes ended in each status."""
    return dbt.build(home, select=select, variables=variables)


def query(home: Home, sql: str) -> list[dict[str, Any]]:
    """Return the rows of one query on the built warehouse."""
    with duckdb.connect(str(home.warehouse_file), read_only=True) as connection:
        return connection.execute(sql).to_arrow_table().to_pylist()


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Home]:
    """Return a function that makes an empty home with a name."""

    def make(name: str) -> Home:
        root: Path = tmp_path_factory.mktemp(name, numbered=True)
        return Home(root)

    return make
