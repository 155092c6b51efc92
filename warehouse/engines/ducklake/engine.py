"""The build on a shared lake: its raw tables as of one snapshot in, its marts as one snapshot out.

Staging and intermediate models stay in a working file below the home: they are nobody's results, and object storage is
no place for them. Raw tables are read as of the snapshot that was newest at the start, so what others register then
is in the next build; marts are written when every model and test has passed, so readers never see half a build.
"""

import json
import shlex
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import duckdb

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.build import dbt_runner
from warehouse.engines.ducklake import address as addresses
from warehouse.engines.ducklake.address import Address
from warehouse.engines.ducklake.attach import attach, open_reader
from warehouse.engines.ducklake.marts import Mart, publish_marts, read_variables
from warehouse.engines.ducklake.superseded_documents import update_superseded
from warehouse.engines.ducklake.tables import prepare
from warehouse.engines.ducklake.transactions import rows, shared_lake
from warehouse.lake.connections import open_writer, writer_lock
from warehouse.lake.schemas import SCHEMAS

SNAPSHOT_VARIABLE = "PIVOTS_CATALOG_SNAPSHOT"
SOURCE = "lake"  # what the working file calls the shared lake


class SharedLakeEngine:
    """DuckDB in a working file below a home, on the raw tables of a shared lake; the marts become the lake's.

    Attributes:
        home: where the working file is; raw files of the home it belongs to are not read.
        snapshot: the lake's snapshot whose raw tables are read, once `point_raw` was called.
        marts: the lake's marts that the build has held to its own, new or unchanged, once it is finished.
    """

    def __init__(self, home: Home, address: Address) -> None:
        self.home = address.working_home(home)
        self.snapshot = -1
        self.marts: list[Mart] = []
        self._address = address
        self._environment: dict[str, str] = {}
        self._variables: dict[str, Any] = {}

    def session(self) -> AbstractContextManager[object]:
        """Need nothing: every step opens the lake by itself, so that no transaction is long."""
        return nullcontext()

    def point_raw(self) -> None:
        """Bring the lake's own tables up to date and point the working file's raw views at its newest snapshot.

        Raises:
            UsageError: the catalogue cannot be opened.
        """
        with shared_lake(self._address) as shared:  # found to be there before any work
            prepare(shared)
            update_superseded(shared)  # also when who registered the last files was killed before it could
            self._variables = shared.read(read_variables, "variables of the last build")
        self._environment = _point_to_lake(self.home, self._address)
        self.snapshot = int(self._environment[SNAPSHOT_VARIABLE])

    def earlier_variables(self) -> dict[str, Any]:
        """Return the variables that the lake keeps, whoever built it."""
        return self._variables

    def run_dbt(self, arguments: Sequence[str]) -> None:
        """Run dbt as a process of its own, which attaches the lake as of the snapshot."""
        dbt_runner.run_dbt(self.home, arguments, quiet=True, environment=self._environment)

    def finish(self, variables: dict[str, Any], *, is_whole: bool) -> None:
        """Make the marts that were built the lake's, in one transaction. A part and a whole build do the same."""
        ran = (result["unique_id"] for result in dbt_runner.run_results(self.home.dbt_target))
        names = [node.split(".")[-1] for node in ran if node.startswith("model.")]
        with shared_lake(self._address) as shared:
            self.marts = publish_marts(shared, self.home.warehouse_file, variables, names=names)


def shell_exports(home: Home, address: Address) -> str:
    """Return shell exports for typing dbt by hand on a lake's raw tables; what it builds stays in the working file."""
    working = address.working_home(home)
    with writer_lock(working):
        environment = _point_to_lake(working, address)
    with open_reader(address) as connection:
        environment["PIVOTS_VARS"] = json.dumps(read_variables(connection), sort_keys=True)
    exports = (f"export {name}={shlex.quote(value)}" for name, value in environment.items())
    return "\n".join([dbt_runner.shell_exports(working), *exports])


def _point_to_lake(working: Home, address: Address) -> dict[str, str]:
    """Point the working file's raw views at the lake; return what dbt needs to attach it as of its newest snapshot."""
    with open_writer(working) as connection:
        attach(connection, address, alias=SOURCE)
        [(snapshot,)] = rows(connection, f"select id from {SOURCE}.current_snapshot()")
        for table in SCHEMAS:
            connection.execute(f"create or replace view raw.{table} as from {SOURCE}.raw.{table}")
    environment = {"DBT_TARGET": "ducklake", addresses.CATALOG_VARIABLE: address.catalog}
    return environment | {SNAPSHOT_VARIABLE: str(snapshot)}


def attach_for_dbt(connection: duckdb.DuckDBPyConnection, environment: dict[str, str]) -> None:
    """Attach the lake that a dbt process was told of.

    Raises:
        UsageError: it was told of none, or the catalogue cannot be opened.
    """
    snapshot = environment.get(SNAPSHOT_VARIABLE)
    if snapshot is None:
        raise UsageError('dbt target ducklake: run `pivots build --catalog ...`, or eval "$(... --print-env)" first')
    attach(connection, addresses.resolve(None), alias=SOURCE, as_of=snapshot)
