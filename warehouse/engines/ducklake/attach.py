"""Attach a shared lake to a DuckDB connection: extensions from the wheels, credentials from the environment."""

import ctypes
import importlib
import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import duckdb

from warehouse.base.errors import UsageError
from warehouse.base.machine import available_threads, memory_limit
from warehouse.base.sql_text import literal
from warehouse.engines.ducklake import storage
from warehouse.engines.ducklake.address import Address
from warehouse.lake.connections import PUBLISHED_CATALOG, READER_SETTINGS, one_line

ALIAS = PUBLISHED_CATALOG  # the lake reads as the published copy does: marts.x, raw.x, warehouse.marts.x
_EXTENSIONS = ("postgres_scanner", "ducklake", "httpfs")
_PLAIN_NUMBER = re.compile(r"\d+")
_WHERE = re.compile(r'^([\w ]+ Error: )?(Failed to attach DuckLake MetaData "\w+" at path \+ "[^"]*")?')
_NO_KEY = "{data} needs credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_ENDPOINT_URL)"


def load_extensions(connection: duckdb.DuckDBPyConnection) -> None:
    """Load DuckLake and what it needs from the installed wheels, without a network.

    Raises:
        UsageError: the wheels are missing, or are of another DuckDB.
    """
    for name in _EXTENSIONS:
        package = f"duckdb_extension_{name}"
        if importlib.util.find_spec(package) is None:
            raise UsageError("a shared lake needs the extra `lake`: pip install 'semantic-pivots[lake]'")
        folder = Path(next(iter(importlib.import_module(package).__path__))) / "extensions" / f"v{duckdb.__version__}"
        file = folder / f"{name}.duckdb_extension"
        if not file.exists():
            raise UsageError(f"{package} is not of DuckDB {duckdb.__version__}: install matching versions")
        connection.execute(f"load {literal(str(file))}")


def attach(
    connection: duckdb.DuckDBPyConnection,
    address: Address,
    *,
    alias: str = ALIAS,
    read_only: bool = True,
    create: bool = False,
    as_of: str | None = None,
) -> None:
    """Attach a lake.

    Args:
        create: make the lake when it does not exist (then not `read_only`, and the address says where files go).
        as_of: a snapshot's number, or a timestamp (UTC unless it says otherwise); the newest snapshot when None.

    Raises:
        UsageError: the catalogue cannot be opened, holds no lake, or not that snapshot; the files cannot be reached.
    """
    load_extensions(connection)
    store = storage.object_store()
    if store is not None:
        storage.give_secret(connection, store)
    elif address.data is not None and address.data.startswith("s3://"):
        raise UsageError(_NO_KEY.format(data=address.data))
    options = ["read_only" if read_only else f"create_if_not_exists {create}"]
    if address.data is not None:
        options.append(f"data_path {literal(address.data)}")
    if as_of is not None:
        options.append(_snapshot_option(as_of))
    try:
        connection.execute(f"attach {literal(address.catalog)} as {alias} ({', '.join(options)})")
        kept = data_path(connection, alias)
    except duckdb.Error as error:
        raise UsageError(f"{address.catalog} cannot be opened: {_reason(error)}") from None
    if kept.startswith("s3://") and store is None:
        connection.execute(f"detach {alias}")
        raise UsageError(_NO_KEY.format(data=kept))


def data_path(connection: duckdb.DuckDBPyConnection, alias: str = ALIAS) -> str:
    """Return where an attached lake keeps its files, ending in '/'."""
    rows = connection.execute(
        f"select value from ducklake_options({literal(alias)}) where option_name = 'data_path'"
    ).fetchall()
    return str(rows[0][0])


def connect_lake(address: Address, *, create: bool = False) -> duckdb.DuckDBPyConnection:
    """Return a connection with a lake attached as `warehouse` for writing.

    Args:
        create: make the lake when it does not exist.

    Raises:
        UsageError: see `attach`.
    """
    connection = _connect()
    try:
        connection.execute("set TimeZone = 'UTC'")  # a timestamp's text is part of a content hash
        attach(connection, address, read_only=False, create=create)
    except BaseException:
        abandon(connection)
        raise
    return connection


def abandon(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave a connection whose server may be gone as it is, until the process ends.

    Closing it rolls back what it has open in PostgreSQL; where that fails, DuckDB 1.5 ends the whole process
    (std::terminate in a destructor). So it is neither closed nor collected. The server rolls back by itself.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


@contextmanager
def open_reader(address: Address, *, as_of: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Attach a lake as `warehouse` read-only, with the limits of every reader; of files only the lake's own are open.

    Raises:
        UsageError: see `attach`.
    """
    connection = _connect()
    try:
        attach(connection, address, as_of=as_of)
        try:
            connection.execute(f"use {ALIAS}.marts")
        except duckdb.Error:
            then = f" as of {as_of}" if as_of else ""
            raise UsageError(f"{address.catalog} holds no marts{then}: run `pivots migrate`") from None
        connection.execute(f"set allowed_directories = [{literal(data_path(connection))}]")
        for setting in READER_SETTINGS:
            connection.execute(f"set {setting}")
        yield connection
    except BaseException:
        abandon(connection)
        raise
    connection.close()


def _connect() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": available_threads(), "memory_limit": memory_limit()})


def _snapshot_option(as_of: str) -> str:
    if _PLAIN_NUMBER.fullmatch(as_of):
        return f"snapshot_version {as_of}"
    try:
        moment = datetime.fromisoformat(as_of)
    except ValueError:
        raise UsageError(f"--as-of {as_of}: give a snapshot's number or a timestamp such as 2026-01-31T12:00") from None
    return f"snapshot_time {literal(moment.isoformat(sep=' '))}"


def _reason(error: duckdb.Error) -> str:
    """Return why a lake cannot be attached, on one line, with the way out where there is one."""
    text = _WHERE.sub("", one_line(error))
    if "Could not set lock" in text:
        return "another process has the file open; a lake for several processes needs a catalogue in PostgreSQL"
    if "creating a new DuckLake is explicitly disabled" in text or "read-only mode: database does not exist" in text:
        return "there is no lake yet: make one with `pivots migrate`"
    if "data_path is not set" in text:
        return "there is no lake yet, and a new one needs to know where its files go: give --data FOLDER or s3://..."
    if "does not match existing data path" in text:
        kept = re.findall(r'"([^"]+)"', text)[-1]
        return f"its files are in {kept}: leave --data out, or give that"
    return text
