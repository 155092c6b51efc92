"""The only places that open DuckDB: one writer at a time, readers on the published copy."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from filelock import BaseFileLock, FileLock, Timeout

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.machine import available_threads, memory_limit
from warehouse.base.settings import Home
from warehouse.base.sql_text import literal
from warehouse.lake.first_step import nothing_published

if TYPE_CHECKING:
    import ibis

PUBLISHED_CATALOG = "warehouse"  # the file's stem, so that SQL reads the same here and in the writer's file


# What takes from every reader all it does not need. Spilling too: a reader writes nothing; a query over its limit
# fails.
READER_SETTINGS = (
    "TimeZone = 'UTC'",
    "temp_directory = ''",
    "enable_external_access = false",
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "python_enable_replacements = false",
    "lock_configuration = true",  # last: nothing can be set after it
)


_HELD: dict[Path, BaseFileLock] = {}  # by the lock's file


@contextmanager
def writer_lock(home: Home, *, wait_seconds: float = 600) -> Iterator[None]:
    """Hold the warehouse's writer lock. It is re-entrant neither across processes nor within one.

    Raises:
        StepFailed: another writer kept the lock for `wait_seconds`.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home.writer_lock, timeout=wait_seconds) as lock:
            _HELD[home.writer_lock] = lock
            try:
                yield
            finally:
                del _HELD[home.writer_lock]
    except Timeout:
        raise StepFailed(
            f"another command is writing to {home.root} (lock {home.writer_lock.name}); run this again when it is done"
        ) from None


def lock_descriptors(home: Home) -> list[int]:
    """Return the descriptor of the writer lock that this process holds: who inherits it holds the lock, too."""
    lock = _HELD.get(home.writer_lock)
    descriptor = lock._context.lock_file_fd if lock is not None else None
    return [] if descriptor is None else [descriptor]


@contextmanager
def open_writer(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the writer's file read-write, bounded in memory and threads. The caller holds `writer_lock`.

    Raises:
        StepFailed: another program has the file open, even if only to read it.
    """
    home.spill.mkdir(parents=True, exist_ok=True)
    try:
        connection = duckdb.connect(
            str(home.warehouse_file),
            config={
                "memory_limit": memory_limit(),
                "threads": available_threads(),
                "temp_directory": str(home.spill),
                "preserve_insertion_order": False,
            },
        )
    except duckdb.IOException as error:
        if "Conflicting lock" not in str(error):
            raise
        holder = re.search(r"is held in (.+?) by user", one_line(error)) or re.search(r"(PID \d+)", one_line(error))
        program = f" ({holder[1]})" if holder else ""
        raise StepFailed(
            f"{home.warehouse_file} is open in another program{program}: close it there and "
            f"run this again; what reads belongs on the published copy, {home.published_file} or `pivots sql`"
        ) from None
    try:
        connection.execute("create schema if not exists raw")
        yield connection
    finally:
        connection.close()


@contextmanager
def open_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an in-memory DuckDB with the same bounds, for steps that only read and write Parquet."""
    connection = duckdb.connect(config={"memory_limit": memory_limit(), "threads": available_threads()})
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def open_published(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published copy read-only, without access to files, network, extensions, settings or Python's variables.

    The copy stays readable until the connection closes, also when it is replaced and deleted meanwhile.

    Raises:
        UsageError: nothing has been published yet.
    """
    connection = _attach_published(home)
    try:
        _lock_down(connection)
        yield connection
    finally:
        connection.close()


@contextmanager
def open_published_ibis(home: Home) -> Iterator["ibis.backends.duckdb.Backend"]:
    """Open the published copy as `open_published` does, as an Ibis backend.

    Raises:
        UsageError: nothing has been published yet.
    """
    import ibis

    connection = _attach_published(home)
    try:
        backend = ibis.duckdb.from_connection(connection)  # sets the time zone, so before the settings are locked
        _lock_down(connection)
        yield backend
    finally:
        connection.close()


def _attach_published(home: Home) -> duckdb.DuckDBPyConnection:
    """Attach the copy that `current` names now; again when it was replaced between looking and opening.

    Attached to an instance of its own, not opened: connections to one file share an instance and its locked settings.
    """
    while True:
        if not home.published_file.exists():
            raise UsageError(nothing_published(home))
        published = home.published_file.resolve()
        connection = duckdb.connect(config={"threads": available_threads(), "memory_limit": memory_limit()})
        try:
            connection.execute(f"attach {literal(published)} as {PUBLISHED_CATALOG} (read_only)")
            connection.execute(f"use {PUBLISHED_CATALOG}.marts")
            return connection
        except duckdb.IOException:
            connection.close()
            if home.published_file.resolve() == published:
                raise


def _lock_down(connection: duckdb.DuckDBPyConnection) -> None:
    """Take from a reader all it does not need."""
    for setting in READER_SETTINGS:
        connection.execute(f"set {setting}")


def one_line(error: duckdb.Error) -> str:
    """Return DuckDB's message without its picture of the query, on one line."""
    kept = []
    for line in str(error).splitlines():
        if line.startswith("LINE ") or set(line.strip()) == {"^"}:
            break
        if line.strip():
            kept.append(line.strip())
    return " ".join(kept)
