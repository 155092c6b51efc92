"""A new copy for readers, and the report on it. The deployment `publish` runs it whenever something was built."""

from pathlib import Path

from prefect import flow, task

from flows.marts import publish_warehouse
from flows.steps import dated, ended_in_one_line, one_writer, timed
from warehouse.base.settings import Home
from warehouse.lake.flow_records import recorded
from warehouse.serving.report import write_report


@task(name="report")
def report(home: Home) -> None:
    """Write the static report."""
    with timed("report"):
        write_report(home, home.report_file)


@flow(name="publish", flow_run_name=dated("publish"))
@ended_in_one_line
def publish(home: str | None = None) -> int:
    """Publish what is built, and report on it; return the number of the copy that readers open."""
    here = Home.resolve(Path(home) if home else None)
    with recorded(here, "publish"):
        with one_writer():
            number = publish_warehouse(here)
        report(here)
    return number
