"""The only places that open DuckDB: one writer at a time, readers on the published copy."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
from filelock import FileLock, Timeout

from warehouse.errors import StepFailed, UsageError
from warehouse.settings import Home, available_threads, memory_limit


@contextmanager
def writer_lock(home: Home, *, wait_seconds: float = 600) -> Iterator[None]:
    """Hold the warehouse's writer lock. It is re-entrant neither across processes nor within one.

    Raises:
        StepFailed: another writer kept the lock for `wait_seconds`.
    """
    home.root.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home.writer_lock, timeout=wait_seconds):
            yield
    except Timeout:
        raise StepFailed(
            f"another command is writing to {home.root} (lock {home.writer_lock.name}); run this again when it is done"
        ) from None


@contextmanager
def open_writer(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the writer's file read-write, bounded in memory and threads. The caller holds `writer_lock`."""
    home.spill.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        str(home.warehouse_file),
        config={
            "memory_limit": memory_limit(),
            "threads": available_threads(),
            "temp_directory": str(home.spill),
            "preserve_insertion_order": False,
        },
    )
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
    """Open the published copy read-only, without access to files, network, extensions or settings.

    Raises:
        UsageError: nothing has been published yet.
    """
    if not home.published_file.exists():
        raise UsageError(f"nothing is published in {home.root}: run `pivots publish` first")
    connection = duckdb.connect(str(home.published_file.resolve()), read_only=True)
    try:
        connection.execute("set enable_external_access = false")
        connection.execute("set autoinstall_known_extensions = false")
        connection.execute("set autoload_known_extensions = false")
        connection.execute(f"set threads = {available_threads()}")
        connection.execute(f"set memory_limit = '{memory_limit()}'")
        connection.execute("set lock_configuration = true")
        yield connection
    finally:
        connection.close()
