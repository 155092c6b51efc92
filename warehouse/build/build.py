"""The build: raw views, dbt, and the record of what it saw."""

import json
from collections.abc import Sequence
from typing import Any

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.build import build_record
from warehouse.build.dbt_runner import VARS_FILE, build_variables, count_statuses, run_dbt, run_results
from warehouse.contract.atomic import atomic_file, remove_unfinished
from warehouse.lake.connections import open_writer, writer_lock
from warehouse.lake.raw_views import refresh_raw_views
from warehouse.lake.superseded_documents import bring_all_superseded_up_to_date


def build(
    home: Home, *, select: Sequence[str] = (), variables: dict[str, Any] | None = None, unit_tests: bool = False
) -> dict[str, int]:
    """Point the raw views at the lake's current files and build the models, tests of the data included.

    Args:
        select: dbt selectors; all models when empty.
        unit_tests: also hold the formulas to rows worked by hand: for who changes models, not for data.
        variables: dbt variables for this and all later builds of the home; earlier ones stay unless named again.

    Returns:
        How many nodes ended in each status: success, pass, warn ...

    Raises:
        UsageError: no model matches `select`.
        StepFailed: a model or test failed.
    """
    with writer_lock(home), build_record.unfinished_build(home, select):
        for folder in (home.lake, home.exports):  # written under the lock only, so what is unfinished is dead
            remove_unfinished(folder)
        bring_all_superseded_up_to_date(home)
        with open_writer(home) as connection:
            refresh_raw_views(home, connection)
        seen = build_record.lake_state(home)
        chosen = {**build_variables(home), **(variables or {})}
        arguments = ["build", "--vars", json.dumps(chosen)]
        if select:
            arguments += ["--select", *select]
        if not unit_tests:
            arguments += ["--exclude-resource-type", "unit_test"]
        run_dbt(home, arguments, quiet=True)
        if not run_results(home.dbt_target):
            raise UsageError(f"--select {' '.join(select)} matches no model: `dbt ls` lists them")
        with atomic_file(home.root / VARS_FILE) as unfinished:
            unfinished.write_text(json.dumps(chosen, indent=1, sort_keys=True))
        build_record.record_build(home, seen)
        if not select:  # a part that was built says nothing about the rest of the project
            with atomic_file(home.dbt_state / "manifest.json") as unfinished:
                unfinished.write_bytes((home.dbt_target / "manifest.json").read_bytes())
    return count_statuses(home.dbt_target)
