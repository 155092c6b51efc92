"""The build, once for every engine: raw views, dbt, and the record of what it saw."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.build import build_record
from warehouse.build.dbt_runner import VARS_FILE, build_variables, count_statuses, run_dbt, run_results
from warehouse.contract.atomic import atomic_file, remove_unfinished
from warehouse.lake.connections import open_writer, writer_lock
from warehouse.lake.raw_views import refresh_raw_views
from warehouse.lake.superseded_documents import bring_all_superseded_up_to_date


class Engine(Protocol):
    """Where models are computed, and whose raw rows they read. Methods are called in the order they stand here."""

    def session(self) -> AbstractContextManager[object]:
        """Hold what the engine needs for the whole build; the writer lock of the home is held around it."""
        ...

    def point_raw(self) -> None:
        """Point schema `raw` at today's rows."""
        ...

    def earlier_variables(self) -> dict[str, Any]:
        """Return the dbt variables of earlier builds."""
        ...

    def run_dbt(self, arguments: Sequence[str]) -> None:
        """Run one dbt command; its artifacts are in the home's dbt target.

        Raises:
            StepFailed: a model or test failed.
        """
        ...

    def finish(self, variables: dict[str, Any], *, is_whole: bool) -> None:
        """Show the marts and remember what was built from what. Called when all models and tests have passed."""
        ...


class EmbeddedEngine:
    """DuckDB in the home's own file, on the home's lake."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._lake_state: dict[str, str] = {}

    def session(self) -> AbstractContextManager[object]:
        """Need nothing: dbt opens the file by itself."""
        return nullcontext()

    def point_raw(self) -> None:
        """Point the raw views at the lake's current files, without what killed steps left."""
        for folder in (self.home.lake, self.home.exports):  # written under the lock only: what is unfinished is dead
            remove_unfinished(folder)
        bring_all_superseded_up_to_date(self.home)
        self.refresh_views()
        self._lake_state = build_record.lake_state(self.home)

    def refresh_views(self) -> None:
        """Make the views of schema `raw`."""
        with open_writer(self.home) as connection:
            refresh_raw_views(self.home, connection)

    def earlier_variables(self) -> dict[str, Any]:
        """Return the variables that the home keeps."""
        return build_variables(self.home)

    def run_dbt(self, arguments: Sequence[str]) -> None:
        """Run dbt as a process of its own."""
        run_dbt(self.home, arguments, quiet=True)

    def finish(self, variables: dict[str, Any], *, is_whole: bool) -> None:
        """Keep the variables, the state of the lake that was seen and, after a whole build, that of the project."""
        with atomic_file(self.home.root / VARS_FILE) as unfinished:
            unfinished.write_text(json.dumps(variables, indent=1, sort_keys=True))
        self.show_marts()
        build_record.record_build(self.home, self._lake_state)
        self.keep_project(is_whole=is_whole)

    def show_marts(self) -> None:
        """Do nothing: dbt has made the marts where readers look for them."""

    def keep_project(self, *, is_whole: bool) -> None:
        """Keep the project as this build saw it: a part that was built says nothing about the rest."""
        if is_whole:
            with atomic_file(self.home.dbt_state / "manifest.json") as unfinished:
                unfinished.write_bytes((self.home.dbt_target / "manifest.json").read_bytes())


def build(
    home: Home,
    *,
    engine: Engine | None = None,
    select: Sequence[str] = (),
    variables: dict[str, Any] | None = None,
    unit_tests: bool = False,
) -> dict[str, int]:
    """Build the models from the current raw rows, tests of the data included.

    Args:
        home: whose writer lock and dbt folders are used.
        engine: the embedded one of this home when None.
        select: dbt selectors; all models when empty.
        variables: dbt variables for this and all later builds; earlier ones stay unless named again.
        unit_tests: also hold the formulas to rows worked by hand: for who changes models, not for data.

    Returns:
        How many nodes ended in each status: success, pass, warn ...

    Raises:
        UsageError: no model matches `select`, or the engine is not installed.
        StepFailed: a model or test failed.
    """
    engine = engine or EmbeddedEngine(home)
    with writer_lock(home), engine.session(), build_record.unfinished_build(home, select):
        engine.point_raw()
        all_variables = {**engine.earlier_variables(), **(variables or {})}
        engine.run_dbt(build_arguments(all_variables, select, unit_tests=unit_tests))
        if not run_results(home.dbt_target):
            raise UsageError(f"--select {' '.join(select)} matches no model: `dbt ls` lists them")
        engine.finish(all_variables, is_whole=not select)
    return count_statuses(home.dbt_target)


def build_arguments(variables: dict[str, Any], select: Sequence[str], *, unit_tests: bool) -> list[str]:
    """Return the arguments of `dbt`."""
    arguments = ["build", "--vars", json.dumps(variables)]
    if select:
        # of a part, tests whose every input is built with it or before it
        arguments += ["--select", *select, "--indirect-selection", "buildable"]
    if not unit_tests:
        arguments += ["--exclude-resource-type", "unit_test"]
    return arguments
