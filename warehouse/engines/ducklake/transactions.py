"""Transactions on a shared lake: whole or not at all, tried again for a while when others were quicker."""

import contextlib
import getpass
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import duckdb

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.retrying import TryAgain, attempt
from warehouse.engines.ducklake.address import Address
from warehouse.engines.ducklake.attach import ALIAS, abandon, connect_lake
from warehouse.lake.connections import one_line

T = TypeVar("T")
WAIT_S = 60.0  # how long one transaction is tried again
# What an unfinished transaction can be tried again for: it lost a race, or the catalogue's server went away.
_CONFLICT = re.compile(
    r"Failed to commit DuckLake transaction|Transaction conflict|Could not set lock|already exists|could not serialize"
)
_GONE = re.compile(
    r"connection to server|server closed the connection|terminating connection|Unable to connect|no connection"
    r"|starting up|shutting down|recovery mode|connection not open|SSL connection|Connection reset|broken pipe"
    r"|transaction is aborted|unsuccessful query result",
    re.IGNORECASE,
)

_BROKEN = (duckdb.TransactionException, duckdb.InternalException, duckdb.FatalException)


class SharedLake:
    """A lake open for writing, attached as `warehouse`; it is attached again when the catalogue's server went away."""

    def __init__(self, address: Address, wait_s: float = WAIT_S, *, create: bool = False) -> None:
        """Attach the lake; `create`: make it when it does not exist.

        Raises:
            UsageError: the catalogue cannot be opened, or the files cannot be reached.
        """
        self.address = address
        self._wait_s = wait_s
        self._create = create
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._open_racing()

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """Return the connection; `read` and `commit` give it to work that may have to be done again."""
        if self._connection is None:
            self._connection = connect_lake(self.address, create=self._create)
        return self._connection

    def close(self) -> None:
        """Detach. What was committed stays."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def commit(
        self,
        work: Callable[[duckdb.DuckDBPyConnection], T | None],
        message: str,
        *,
        alone: bool = False,
        details: Callable[[T], str] | None = None,
    ) -> T | None:
        """Run `work` in a transaction, which becomes one snapshot; again from its start when it could not be committed.

        Args:
            work: reads and writes; returns what it did, or None when there was nothing to do (then nothing changes).
            message: what the snapshot says of itself.
            alone: let it stand only when nobody has committed anything since it began to read. What `work` has seen is
                then still true: the way to do something exactly once, for short transactions. Otherwise DuckLake lets
                it stand unless others changed the same things.
            details: JSON for programs, kept with the snapshot.

        Raises:
            StepFailed: it could not be committed for `wait_s`, or failed for a reason that waiting does not fix.
        """
        return self._persist(lambda: self._try(work, message, alone, details), message)

    def read(self, work: Callable[[duckdb.DuckDBPyConnection], T], what: str) -> T:
        """Read outside of a transaction; again when the catalogue's server went away.

        Raises:
            StepFailed: see `commit`.
        """
        return self._persist(lambda: work(self.connection), what)

    def _persist(self, action: Callable[[], T], what: str) -> T:
        def once() -> T:
            try:
                return action()
            except (duckdb.Error, UsageError) as error:  # UsageError: attaching it again
                reason = one_line(error) if isinstance(error, duckdb.Error) else str(error)
                is_conflict = bool(_CONFLICT.search(reason))
                # a commit that failed otherwise has lost the server, or its answer: what it did will be seen
                is_gone = isinstance(error, _BROKEN) or bool(_GONE.search(reason))
                self._roll_back(is_conflict)
                if not is_conflict and not is_gone:
                    raise StepFailed(f"{what}: {reason}") from None
                why = "others kept committing" if is_conflict else f"the catalogue cannot be reached ({reason})"
                raise TryAgain(why) from None

        try:
            return attempt(once, for_s=self._wait_s, first_pause_s=0.02, growth=1.5, longest_pause_s=2.0, spread=0.5)
        except TryAgain as last:
            raise StepFailed(f"{what}: {last.reason} for {self._wait_s:g} s; run this again to go on") from None

    def _try(
        self,
        work: Callable[[duckdb.DuckDBPyConnection], T | None],
        message: str,
        alone: bool,
        details: Callable[[T], str] | None,
    ) -> T | None:
        connection = self.connection
        connection.execute(f"set ducklake_max_retry_count = {0 if alone else 100}")
        connection.execute("begin")
        done = work(connection)
        if done is None:
            connection.execute("rollback")
            return None
        connection.execute(
            f"call {ALIAS}.set_commit_message(?, ?, extra_info => ?)",
            [author(), message, details(done) if details else None],
        )
        connection.execute("commit")
        return done

    def _roll_back(self, is_conflict: bool) -> None:
        """End the transaction; leave the connection when it may be broken."""
        if self._connection is None:
            return
        with contextlib.suppress(duckdb.Error):  # a failed commit has ended the transaction already
            self._connection.execute("rollback")
        if not is_conflict:
            abandon(self._connection)
            self._connection = None

    def _open_racing(self) -> None:
        """Open, also when another process makes the same lake at this moment."""

        def open_it() -> None:
            try:
                _ = self.connection
            except UsageError as error:
                if re.search(r"already exists|duplicate key|could not serialize", str(error)):
                    raise TryAgain(str(error)) from error
                raise

        try:
            attempt(open_it, tries=5, first_pause_s=0.2)
        except TryAgain as last:
            raise UsageError(last.reason) from None


@contextlib.contextmanager
def shared_lake(address: Address, wait_s: float = WAIT_S, *, create: bool = False) -> Iterator[SharedLake]:
    """Open a lake for writing, and close it; `create`: make it when it does not exist.

    Raises:
        UsageError: the catalogue cannot be opened, or the files cannot be reached.
    """
    lake = SharedLake(address, wait_s, create=create)
    try:
        yield lake
    finally:
        lake.close()


def author() -> str:
    """Return who writes: user and machine."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def rows(connection: duckdb.DuckDBPyConnection, sql: str, values: Any = None) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    return connection.execute(sql, values).fetchall()
