"""The build on Spark: the same models, computed in a Spark session of this process."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, redirect_stdout

from warehouse.base.errors import StepFailed
from warehouse.build import dbt_runner
from warehouse.build.build import EmbeddedEngine
from warehouse.engines.spark.mart_views import show_marts
from warehouse.engines.spark.raw_views import refresh_raw_views
from warehouse.engines.spark.session import sql_session, tables_folder


class SparkEngine(EmbeddedEngine):
    """Spark on a home's lake.

    Tables are Parquet files, below `<home>/spark/warehouse` unless a server keeps them. The writer's DuckDB file shows
    the marts as views over them, so that publishing, exports and reports go on as after any other build.
    """

    def session(self) -> AbstractContextManager[object]:
        """Hold a Spark session.

        Raises:
            UsageError: PySpark or Java is not installed.
        """
        return self._opened()

    @contextmanager
    def _opened(self) -> Iterator[None]:
        with sql_session(self.home, app_name="pivots build") as self._spark:
            yield

    def refresh_views(self) -> None:
        """Make the views of schema `raw` in Spark's catalogue."""
        refresh_raw_views(self.home, self._spark)

    def run_dbt(self, arguments: Sequence[str]) -> None:
        """Run dbt in this process, where the session is."""
        from dbt.cli.main import dbtRunner

        home = self.home
        (home.dbt_target / dbt_runner.RUN_RESULTS).unlink(missing_ok=True)
        with _environment({**dbt_runner.dbt_environment(home), "DBT_TARGET": "spark"}), redirect_stdout(sys.stderr):
            finished = dbtRunner().invoke(["--quiet", *arguments])
        if not finished.success:
            what = dbt_runner.failures(home.dbt_target) or "before any model ran"
            raise StepFailed(f"dbt {arguments[0]} on Spark failed: {what}; the log is {home.dbt_logs / 'dbt.log'}")

    def show_marts(self) -> None:
        """Show the marts as views in the writer's file."""
        show_marts(self.home, tables_folder(self._spark))

    def keep_project(self, *, is_whole: bool) -> None:
        """Forget the last project: slim builds compare DuckDB's projects with each other."""
        (self.home.dbt_state / "manifest.json").unlink(missing_ok=True)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
