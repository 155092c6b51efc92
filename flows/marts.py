"""Building and publishing as tasks: what they did becomes artifacts, and events that deployments wait for."""

from typing import Any

from prefect import task
from prefect.artifacts import create_table_artifact
from prefect.events import emit_event

from flows.engines import Engines
from flows.steps import retry_unless_refused, timed
from warehouse.base.settings import Home
from warehouse.build import dbt_runner
from warehouse.build.build import build
from warehouse.serving.publish import publish

BUILT = "pivots.marts.built"  # the deployment `publish` waits for it
PUBLISHED = "pivots.warehouse.published"


@task(name="build")
def build_marts(
    home: Home,
    select: tuple[str, ...] = (),
    variables: dict[str, Any] | None = None,
    engines: Engines | None = None,
) -> None:
    """Build models and run the tests of their data. Never tried again: the same data fails the same test.

    Args:
        engines: where a build of everything runs; the embedded one of this home when None.
    """
    built_in = engines.built_in(home) if engines else home
    try:
        with timed("build"):
            if engines is None:
                build(home, select=select, variables=variables)
            else:
                engines.build(home)
    finally:
        _show_build(built_in)
    if built_in == home:  # the marts of a shared lake are there for its readers as they are
        emit_event(BUILT, resource=_resource(home), payload=dbt_runner.count_statuses(home.dbt_target))


@task(name="publish", retries=1, retry_condition_fn=retry_unless_refused)
def publish_warehouse(home: Home) -> int:
    """Swap in a new read-only copy, unless it would say the same; return the number of the one that readers open."""
    with timed("publish"):
        published = publish(home)
    number, tables = int(published.manifest["number"]), published.manifest["tables"]
    rows = [{"table": name, **tables[name]} for name in sorted(tables)]
    said = "new" if published.is_new else "nothing has changed"
    create_table_artifact(key="published-tables", table=rows, description=f"Copy {number}: {said}")
    if published.is_new:
        emit_event(PUBLISHED, resource=_resource(home), payload={"number": number})
    return number


def _show_build(home: Home) -> None:
    statuses = [
        {"status": status, "nodes": n} for status, n in sorted(dbt_runner.count_statuses(home.dbt_target).items())
    ]
    create_table_artifact(key="build", table=statuses, description="Models and tests of the data by how they ended")
    failures = [
        {
            "test or model": result["unique_id"].split(".", 2)[2],
            "status": result["status"],
            "rows": result["failures"],
            "message": result["message"],
        }
        for result in dbt_runner.run_results(home.dbt_target)
        if result["status"] in ("error", "fail", "warn")
    ]
    create_table_artifact(key="test-failures", table=failures, description="What failed or warned in the last build")


def _resource(home: Home) -> dict[str, str]:
    return {"prefect.resource.id": f"pivots.home.{home.root.name}", "pivots.home": str(home.root)}
