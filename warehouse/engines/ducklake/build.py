"""`dbt build` on a shared lake: its raw tables as of one snapshot in, its marts as one snapshot out.

Staging and intermediate models stay in a working file below the home: they are nobody's results, and object storage is
no place for them. Raw tables are read as of the snapshot that was newest at the start, so what others register then
is in the next build; marts are written when every model and test has passed, so readers never see half a build.
"""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class LakeBuild:
    """What a build on a shared lake did.

    Attributes:
        snapshot: the snapshot whose raw tables were read.
        statuses: how many nodes ended in each status.
        marts: the lake's marts that this build has held to its own; new or unchanged.
    """

    snapshot: int
    statuses: dict[str, int]
    marts: list[Mart]


def build(
    home: Home,
    address: Address,
    *,
    select: Sequence[str] = (),
    variables: dict[str, Any] | None = None,
    unit_tests: bool = False,
) -> LakeBuild:
    """Build the models from the lake's raw tables and make their marts the lake's.

    Args:
        home: where the working file is; its own raw files are not read.
        select: dbt selectors; all models when empty. Only the marts that are built are written.
        variables: dbt variables for this and all later builds of the lake, whoever builds it.
        unit_tests: also hold the formulas to rows worked by hand.

    Raises:
        UsageError: the catalogue cannot be opened, or no model matches `select`.
        StepFailed: a model or test failed (the lake's marts stay what they were), or the catalogue went away.
    """
    with shared_lake(address) as shared:  # found to be there before any work
        prepare(shared)
        update_superseded(shared)  # also when who registered the last files was killed before it could
        chosen = {**shared.read(read_variables, "variables of the last build"), **(variables or {})}
    working = address.working_home(home)
    with writer_lock(working):
        environment = _point_to_lake(working, address)
        arguments = ["build", "--vars", json.dumps(chosen)]
        if select:
            arguments += ["--select", *select]
        if not unit_tests:
            arguments += ["--exclude-resource-type", "unit_test"]
        dbt_runner.run_dbt(working, arguments, quiet=True, environment=environment)
        results = dbt_runner.run_results(working.dbt_target)
        if not results:
            raise UsageError(f"--select {' '.join(select)} matches no model: `dbt ls` lists them")
        built = [r["unique_id"].split(".")[-1] for r in results if r["unique_id"].startswith("model.")]
        with shared_lake(address) as shared:
            marts = publish_marts(shared, working.warehouse_file, chosen, names=built)
    return LakeBuild(int(environment[SNAPSHOT_VARIABLE]), dbt_runner.count_statuses(working.dbt_target), marts)


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
