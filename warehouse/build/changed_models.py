"""Build only what a change of the project touches, into a scratch file, and read all else from the published copy.

For who edits models: the warehouse that others work with stays as it is, and what did not change is not computed again.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.programs import dbt_command, program_environment
from warehouse.base.settings import Home
from warehouse.base.sql_text import identifier, literal
from warehouse.build import dbt_runner
from warehouse.lake.connections import PUBLISHED_CATALOG
from warehouse.lake.raw_views import refresh_raw_views


@dataclass(frozen=True)
class SlimBuild:
    """What a slim build did.

    Attributes:
        file: the scratch DuckDB file; it names the published marts as `warehouse.marts.*` once these are attached.
        changed: models that differ from the published copy's project, and what comes from them, sorted.
        rebuilt: models that are not published and were built again because a changed one reads them, sorted.
        statuses: how many nodes ended in each status.
    """

    file: Path
    changed: list[str]
    rebuilt: list[str]
    statuses: dict[str, int]


def slim_build(home: Home) -> SlimBuild:
    """Build the changed models, what comes from them, and their tests (dbt's `state:modified+`), in `slim/slim.duckdb`.

    Published marts that did not change are read from the copy, and so is an intermediate model that a published mart
    shows as it is (`meta: {shows: int_...}`). Other staging and intermediate models, which are not published, are built
    again as far as a changed model reads them.

    Raises:
        UsageError: there is no published copy, or it was built in parts only, so that no state of it is known.
        StepFailed: a model or test failed.
    """
    published = home.published_file.resolve()
    state = published.parent / "dbt"
    if not (state / "manifest.json").exists():
        raise UsageError(f"no copy of a whole build is published in {home.root}: run `pivots build`, `pivots publish`")
    scratch = home.root / "slim"
    file = scratch / "slim.duckdb"
    scratch.mkdir(exist_ok=True)
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema raw")
        refresh_raw_views(home, connection)
    target = scratch / "target"
    environment = {
        "PIVOTS_WAREHOUSE": str(file),
        "PIVOTS_PUBLISHED": str(published),
        "DBT_TARGET_PATH": str(target),
        "DBT_TARGET": "slim",
    }
    variables = json.dumps(dbt_runner.build_variables(home))
    touched = _touched(home, environment, ["--state", str(state), "--vars", variables])
    if not touched:
        return SlimBuild(file, [], [], {})
    nodes = json.loads((target / "manifest.json").read_text())
    marts = _published_marts(published)
    shown = _shown(nodes, touched, marts)
    needed = _needed(nodes, touched, marts, set(shown))
    _show(file, published, nodes, {model: mart for model, mart in shown.items() if model not in needed})
    names = [_selector(nodes, node) for node in sorted(needed)]
    arguments = ["build", "--select", *names, "--indirect-selection", "empty", "--vars", variables]
    dbt_runner.run_dbt(home, [*arguments, "--defer", "--state", str(state)], quiet=True, environment=environment)
    models = {node for node in needed if node.startswith("model.")}
    return SlimBuild(
        file,
        changed=sorted(nodes["nodes"][node]["name"] for node in models & touched),
        rebuilt=sorted(nodes["nodes"][node]["name"] for node in models - touched),
        statuses=dbt_runner.count_statuses(target),
    )


def _touched(home: Home, environment: dict[str, str], options: list[str]) -> set[str]:
    """Return the ids of changed nodes and of all that comes from them, tests included."""
    command = dbt_command("--quiet", "ls", "--select", "state:modified+", *options)
    command += ["--output", "json", "--output-keys", "unique_id", "resource_type"]
    finished = subprocess.run(
        command,
        env=program_environment(dbt_runner.dbt_environment(home) | environment),
        check=False,
        capture_output=True,
        text=True,
    )
    if finished.returncode != 0:
        raise StepFailed(f"dbt ls failed: {finished.stdout.strip()[-500:]}")
    found = [json.loads(line) for line in finished.stdout.splitlines() if line.startswith("{")]
    return {n["unique_id"] for n in found if n["resource_type"] in ("model", "seed", "test", "unit_test")}


def _shown(manifest: dict[str, Any], touched: set[str], published: set[str]) -> dict[str, str]:
    """Return unchanged intermediate models whose rows are in the copy: id -> name of the mart that shows them."""
    ids = {node["name"]: node_id for node_id, node in manifest["nodes"].items() if node_id.startswith("model.")}
    shown = {}
    for name in sorted(published):
        mart = ids.get(name)
        model = mart and manifest["nodes"][mart]["config"]["meta"].get("shows")
        if model and not touched & {mart, ids[model]}:
            shown[ids[model]] = name
    return shown


def _show(file: Path, published: Path, manifest: dict[str, Any], marts: dict[str, str]) -> None:
    """Let intermediate models of the scratch file read the marts that show them."""
    with duckdb.connect(str(file)) as connection:
        _attach(connection, published)
        connection.execute("create schema if not exists intermediate")
        for model, mart in marts.items():
            name = manifest["nodes"][model]["name"]
            published_mart = f"{PUBLISHED_CATALOG}.marts.{identifier(mart)}"
            connection.execute(f"create view intermediate.{identifier(name)} as select * from {published_mart}")


def _needed(manifest: dict[str, Any], touched: set[str], published: set[str], shown: set[str]) -> set[str]:
    """Return what has to be built: the touched nodes, and their ancestors up to the next rows that are published."""
    needed, queue = set(touched), sorted(touched)
    while queue:
        for parent in manifest["parent_map"].get(queue.pop(), ()):
            if parent in needed | shown or not parent.startswith(("model.", "seed.")):
                continue
            node = manifest["nodes"][parent]
            if not (node["schema"] == "marts" and node["name"] in published):
                needed.add(parent)
                queue.append(parent)
    return needed


def _selector(manifest: dict[str, Any], node: str) -> str:
    """Return how dbt's command line names one node and no other: by its place in the project."""
    described = manifest["unit_tests"].get(node) or manifest["nodes"][node]
    return "fqn:" + ".".join(described["fqn"])


def _published_marts(file: Path) -> set[str]:
    with duckdb.connect() as connection:  # attached, not opened: a reader elsewhere may have locked its settings
        _attach(connection, file)
        rows = connection.execute(
            "select table_name from duckdb_tables() where database_name = ? and schema_name = 'marts'",
            [PUBLISHED_CATALOG],
        ).fetchall()
    return {name for (name,) in rows}


def _attach(connection: duckdb.DuckDBPyConnection, published: Path) -> None:
    connection.execute(f"attach {literal(published)} as {PUBLISHED_CATALOG} (read_only)")
