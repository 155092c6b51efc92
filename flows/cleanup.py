"""Old work folders and replaced counts: listed, and removed when asked to. The deployment `clean-up` runs it."""

from pathlib import Path

from prefect import flow
from prefect.artifacts import create_table_artifact

from flows.steps import dated, ended_in_one_line, one_writer
from warehouse.base.settings import Home
from warehouse.lake.flow_records import recorded
from warehouse.operations.clean_up import remove_leftovers, survey


@flow(name="clean-up", flow_run_name=dated("clean-up"))
@ended_in_one_line
def clean_up(older_than_days: float = 30, dry_run: bool = True, home: str | None = None) -> int:
    """List what nothing needs any more and, unless `dry_run`, remove it; return its size in bytes."""
    here = Home.resolve(Path(home) if home else None)
    with recorded(here, "clean-up"), one_writer():
        find = survey if dry_run else remove_leftovers
        found = find(here, older_than_days=older_than_days).leftovers
        rows = [{"path": one.name(here), "why": one.why, "bytes": one.n_bytes} for one in found]
        said = "Could be removed (dry run)" if dry_run else "Removed"
        create_table_artifact(key="clean-up", table=rows, description=said)
    return sum(one.n_bytes for one in found)
