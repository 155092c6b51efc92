"""Schema `raw` on Spark: the views of `warehouse.lake.raw_views` over external tables of the lake's Parquet files."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from warehouse.base.settings import Home
from warehouse.base.sql_text import spark_identifier, spark_literal
from warehouse.lake.files import current_files
from warehouse.lake.raw_views import tables_in_order, view_query
from warehouse.lake.schemas import COUNTED, SCHEMAS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# External tables, one per folder of files; the views of schema `raw` are made of them.
FILES_SCHEMA = "lake_files"
_TYPES = {
    pa.string(): "string",
    pa.bool_(): "boolean",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float64(): "double",
    pa.timestamp("us", tz="UTC"): "timestamp",
}


def refresh_raw_views(home: Home, spark: "SparkSession") -> None:
    """Point the views of schema `raw` at the lake's current files. The caller holds `writer_lock`."""
    for statement in raw_view_statements(home):
        spark.sql(statement)


def raw_view_statements(home: Home) -> Iterator[str]:
    """Yield the Spark SQL that makes the views, one statement at a time.

    Files are read under the table's schema of today: a column that an older file lacks is NULL there.
    """
    yield "create schema if not exists raw"
    yield f"drop schema if exists {FILES_SCHEMA} cascade"  # names only: the files are the lake's
    yield f"create schema {FILES_SCHEMA}"
    for table in tables_in_order():
        columns = ", ".join(map(spark_identifier, SCHEMAS[table].names))
        selects = []
        for number, (folder, files) in enumerate(groupby(current_files(home, table), key=lambda f: f.parent)):
            source = f"{FILES_SCHEMA}.{table}_{number}"
            pattern = f"{table}.parquet" if table in COUNTED else "*.parquet"
            yield _external_table(source, table, folder, pattern)
            selects.append(f"select {columns} from {source}{_only(files, folder, pattern)}")
        rows = "(" + (" union all ".join(selects) or _no_rows(table)) + ")"
        yield f"create or replace view raw.{table} as {view_query(table, rows, anti_join='left anti join')}"


def _external_table(name: str, table: str, folder: Path, pattern: str) -> str:
    fields = ", ".join(f"{spark_identifier(field.name)} {_spark_type(field.type)}" for field in SCHEMAS[table])
    location = spark_literal(f"file:{folder}")
    return f"create table {name} ({fields}) using parquet options (pathGlobFilter '{pattern}') location {location}"


def _only(files: Iterator[Path], folder: Path, pattern: str) -> str:
    """Return the condition that leaves out what a killed writer left in the folder; nothing when all is current."""
    strangers = {p.name for p in folder.glob(pattern) if not p.name.startswith(".")} - {f.name for f in files}
    return (
        f" where _metadata.file_name not in ({', '.join(map(spark_literal, sorted(strangers)))})" if strangers else ""
    )


def _no_rows(table: str) -> str:
    fields = ", ".join(
        f"cast(null as {_spark_type(field.type)}) as {spark_identifier(field.name)}" for field in SCHEMAS[table]
    )
    return f"select {fields} where false"


def _spark_type(arrow_type: pa.DataType) -> str:
    return f"array<{_TYPES[arrow_type.value_type]}>" if pa.types.is_list(arrow_type) else _TYPES[arrow_type]
