"""`dbt build` on Spark: the same models, computed in a Spark session of this process."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.build import build_record, dbt_runner
from warehouse.contract.atomic import atomic_file, remove_unfinished
from warehouse.engines.spark.mart_views import show_marts
from warehouse.engines.spark.raw_views import refresh_raw_views
from warehouse.engines.spark.session import sql_session, tables_folder
from warehouse.lake.connections import writer_lock
from warehouse.lake.superseded_documents import bring_all_superseded_up_to_date


def build(
    home: Home, *, select: Sequence[str] = (), variables: dict[str, Any] | None = None, unit_tests: bool = False
) -> dict[str, int]:
    """Do what `warehouse.build.dbt_runner.build` does, on Spark.

    Tables are Parquet files, below `<home>/spark/warehouse` unless a server keeps them. The writer's DuckDB file shows
    the marts as views over them, so that publishing, exports and reports go on as after any other build.

    Args:
        select: dbt selectors; all models when empty.
        variables: dbt variables for this and all later builds of the home, on either engine.
        unit_tests: also hold the formulas to rows worked by hand.

    Returns:
        How many nodes ended in each status: success, pass, warn ...

    Raises:
        UsageError: no model matches `select`; PySpark or Java is not installed.
        StepFailed: a model or test failed.
    """
    with (
        writer_lock(home),
        sql_session(home, app_name="pivots build") as spark,
        build_record.unfinished_build(home, select),
    ):
        for folder in (home.lake, home.exports):
            remove_unfinished(folder)
        bring_all_superseded_up_to_date(home)
        refresh_raw_views(home, spark)
        seen = build_record.lake_state(home)
        chosen = {**dbt_runner.build_variables(home), **(variables or {})}
        arguments = ["build", "--vars", json.dumps(chosen)]
        if select:
            arguments += ["--select", *select]
        if not unit_tests:
            arguments += ["--exclude-resource-type", "unit_test"]
        _run_dbt(home, arguments)
        if not dbt_runner.run_results(home.dbt_target):
            raise UsageError(f"--select {' '.join(select)} matches no model: `dbt ls` lists them")
        with atomic_file(home.root / dbt_runner.VARS_FILE) as unfinished:
            unfinished.write_text(json.dumps(chosen, indent=1, sort_keys=True))
        show_marts(home, tables_folder(spark))
        build_record.record_build(home, seen)
        # slim builds compare DuckDB's projects with each other
        (home.dbt_state / "manifest.json").unlink(missing_ok=True)
    return dbt_runner.count_statuses(home.dbt_target)


def _run_dbt(home: Home, arguments: list[str]) -> None:
    """Run dbt in this process, where the session is."""
    from dbt.cli.main import dbtRunner

    (home.dbt_target / dbt_runner.RUN_RESULTS).unlink(missing_ok=True)
    with _environment({**dbt_runner.dbt_environment(home), "DBT_TARGET": "spark"}), redirect_stdout(sys.stderr):
        finished = dbtRunner().invoke(["--quiet", *arguments])
    if not finished.success:
        what = dbt_runner.failures(home.dbt_target) or "before any model ran"
        raise StepFailed(f"dbt {arguments[0]} on Spark failed: {what}; the log is {home.dbt_logs / 'dbt.log'}")


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
