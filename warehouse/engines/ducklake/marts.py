"""Marts of a shared lake: those of a build become its marts in one transaction, one snapshot."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.base.sql_text import identifier, literal
from warehouse.engines.ducklake.attach import ALIAS
from warehouse.engines.ducklake.transactions import SharedLake, rows
from warehouse.lake.runs import git_commit

CONTENT = "select count(*), coalesce(sum(md5_number_lower(one_row::varchar)), 0)"
_BUILT = "built"


@dataclass(frozen=True)
class Mart:
    """One mart as it was written. `is_new` is False when the lake's rows are these already."""

    name: str
    n_rows: int
    content: int
    is_new: bool


def has_marts(connection: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether somebody has written marts."""
    return bool(rows(connection, f"select 1 from {ALIAS}.shards.published_marts limit 1"))


def read_variables(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Return the dbt variables of the lake's last build."""
    found = rows(connection, f"select variables from {ALIAS}.shards.build_variables")
    return json.loads(found[0][0]) if found else {}


def publish_marts(
    shared: SharedLake,
    file: Path,
    variables: dict[str, Any],
    *,
    names: Sequence[str] | None = None,
    only_first: bool = False,
) -> list[Mart]:
    """Write the marts of a built DuckDB file into the lake: readers see all of them change at once, or none.

    Marts that have not changed are left alone; with nothing changed there is no new snapshot. Of two builds that end
    at the same time the second one is tried again and stays.

    Args:
        file: a warehouse that dbt has built and nobody has open.
        variables: the dbt variables that they were built with, kept for the next build.
        names: these marts only; all when None.
        only_first: do nothing when the lake has marts.

    Returns:
        The marts of the file, by name; nothing when `only_first` found some.

    Raises:
        StepFailed: the catalogue or the storage cannot be reached.
    """
    written: list[Mart] = []

    def work(connection: duckdb.DuckDBPyConnection) -> list[Mart] | None:
        written.clear()
        if only_first and has_marts(connection):
            return None
        _attach(connection, file)
        found = _names(connection) if names is None else sorted(set(names) & set(_names(connection)))
        before = {name: (n, int(c)) for name, n, c in rows(connection, f"from {ALIAS}.shards.published_marts")}
        for name in found:
            [(n_rows, content)] = rows(connection, f'{CONTENT} from {_BUILT}.marts."{name}" one_row')
            written.append(Mart(name, n_rows, content, is_new=before.get(name) != (n_rows, content)))
        changed = [mart for mart in written if mart.is_new or not _same_shape(connection, mart.name)]
        for mart in changed:
            _write(connection, mart)
        text = json.dumps(variables, sort_keys=True)
        if changed_variables := read_variables(connection) != variables:
            connection.execute(f"delete from {ALIAS}.shards.build_variables")
            connection.execute(f"insert into {ALIAS}.shards.build_variables values (?)", [text])
        return changed if changed or changed_variables else None

    def details(changed: list[Mart]) -> str:
        tables = {mart.name: {"n_rows": mart.n_rows, "content_hash": f"{mart.content:x}"} for mart in changed}
        return json.dumps({"marts": tables, "git_commit": git_commit()}, sort_keys=True)

    shared.commit(work, "marts", details=details)
    shared.read(lambda connection: connection.execute(f"detach database if exists {_BUILT}"), "marts")
    return written


def _attach(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    attached = rows(connection, "select 1 from duckdb_databases() where database_name = ?", [_BUILT])
    if not attached:
        connection.execute(f"attach {literal(file)} as {_BUILT} (read_only)")


def _names(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = rows(
        connection,
        "select table_name from information_schema.tables where table_catalog = ? and table_schema = 'marts'"
        " order by table_name",
        [_BUILT],
    )
    return [name for (name,) in found]


def _same_shape(connection: duckdb.DuckDBPyConnection, mart: str) -> bool:
    """Tell whether columns, their types and all descriptions are those of the lake."""
    return _shape(connection, _BUILT, mart) == _shape(connection, ALIAS, mart)


def _shape(connection: duckdb.DuckDBPyConnection, database: str, mart: str) -> list[tuple[Any, ...]]:
    columns = rows(
        connection,
        "select column_name, data_type, is_nullable, comment from duckdb_columns()"
        " where database_name = ? and schema_name = 'marts' and table_name = ? order by column_index",
        [database, mart],
    )
    return [*columns, (_comment(connection, database, mart),)]


def _comment(connection: duckdb.DuckDBPyConnection, database: str, mart: str) -> str | None:
    found = rows(
        connection,
        "select comment from duckdb_tables() where database_name = $db and schema_name = 'marts' and table_name = $mart"
        " union all"
        " select comment from duckdb_views() where database_name = $db and schema_name = 'marts' and view_name = $mart",
        {"db": database, "mart": mart},
    )
    return found[0][0] if found else None


def _write(connection: duckdb.DuckDBPyConnection, mart: Mart) -> None:
    """Replace one mart: rows, NOT NULL, descriptions. DuckLake has no keys; the build's tests have held them."""
    name = f"{ALIAS}.marts.{identifier(mart.name)}"
    *columns, (comment,) = _shape(connection, _BUILT, mart.name)
    listed = ", ".join(
        f"{identifier(column)} {kind}{'' if is_nullable else ' not null'}"
        for column, kind, is_nullable, _comment in columns
    )
    connection.execute(f"create or replace table {name} ({listed})")
    connection.execute(f"insert into {name} from {_BUILT}.marts.{identifier(mart.name)}")
    if comment:
        connection.execute(f"comment on table {name} is {literal(comment)}")
    for column, _type, _is_nullable, described in columns:
        if described:
            connection.execute(f"comment on column {name}.{identifier(column)} is {literal(described)}")
    connection.execute(f"delete from {ALIAS}.shards.published_marts where mart = ?", [mart.name])
    connection.execute(
        f"insert into {ALIAS}.shards.published_marts values (?, ?, ?)", [mart.name, mart.n_rows, str(mart.content)]
    )
