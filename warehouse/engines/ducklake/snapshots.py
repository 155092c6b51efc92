"""Snapshots of a shared lake: what each one was, and forgetting old ones."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb

from warehouse.base.errors import StepFailed, UsageError
from warehouse.engines.ducklake.address import Address
from warehouse.engines.ducklake.attach import ALIAS, open_reader
from warehouse.engines.ducklake.transactions import rows, shared_lake
from warehouse.lake.connections import one_line


@dataclass(frozen=True)
class Snapshot:
    """One committed transaction: number for --as-of, time (UTC), who, what it says of itself."""

    number: int
    at: datetime
    author: str
    message: str


def list_snapshots(address: Address, *, limit: int | None = None) -> list[Snapshot]:
    """Return the lake's snapshots, newest first.

    Raises:
        UsageError: the catalogue cannot be opened.
        StepFailed: it went away.
    """
    with open_reader(address) as connection:
        try:
            found = rows(
                connection,
                "select snapshot_id, snapshot_time, coalesce(author, ''), coalesce(commit_message, '')"
                f" from {ALIAS}.snapshots() order by snapshot_id desc limit ?",
                [limit if limit is not None else 1 << 62],
            )
        except duckdb.Error as error:
            raise StepFailed(f"snapshots of {address.catalog}: {one_line(error)}") from None
    return [Snapshot(*row) for row in found]


@dataclass(frozen=True)
class Forgotten:
    """How many snapshots, and how many files that no snapshot needs any more, were removed."""

    n_snapshots: int
    n_files: int


def forget_snapshots(address: Address, *, older_than_days: float) -> Forgotten:
    """Remove snapshots older than a number of days, and files that only they needed; the newest snapshot always stays.

    Files that a killed writer left behind go too when they are as old.

    Raises:
        UsageError: less than one day, which could take files that somebody is reading or writing now.
        StepFailed: the catalogue or the storage failed on the way; run it again.
    """
    if older_than_days < 1:
        raise UsageError(f"--forget-days {older_than_days:g}: at least 1, for who reads or writes at this moment")
    return forget_until(address, datetime.now(UTC) - timedelta(days=older_than_days))


def forget_until(address: Address, until: datetime) -> Forgotten:
    """Remove snapshots, and files that no snapshot needs, of before a moment; see `forget_snapshots`."""
    with shared_lake(address) as shared:
        try:
            before = f"older_than => timestamptz '{until.isoformat(sep=' ')}'"
            gone = rows(shared.connection, f"call ducklake_expire_snapshots('{ALIAS}', {before})")
            files = rows(shared.connection, f"call ducklake_cleanup_old_files('{ALIAS}', {before})")
            orphans = rows(shared.connection, f"call ducklake_delete_orphaned_files('{ALIAS}', {before})")
        except duckdb.Error as error:
            raise StepFailed(f"forgetting snapshots: {one_line(error)}") from None
    return Forgotten(len(gone), len(files) + len(orphans))
