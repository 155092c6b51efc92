"""Run dbt as its own process: it takes DuckDB's write lock and gives it back when the process ends."""

import base64
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from warehouse.base import shipped
from warehouse.base.child_process import child_process
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.machine import available_threads, memory_limit
from warehouse.base.programs import dbt_command, program_environment
from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_file
from warehouse.contract.disk import is_full, no_room
from warehouse.lake.connections import lock_descriptors, open_writer, writer_lock
from warehouse.lake.first_step import nothing_built
from warehouse.lake.raw_views import refresh_raw_views

PROJECT_DIR = shipped.dbt_project()
VARS_FILE = "build-vars.json"
RUN_RESULTS = "run_results.json"
_PROJECT_NAME = "semantic_pivots"
_BUILD_MIB = 2048  # a build is no faster with more: docs/dbt.md
_MAP = "marts.svg"  # as models/_overview.md names it
_ANY_MART = "select 1 from information_schema.tables where table_schema = 'marts' limit 1"


def dbt_environment(home: Home) -> dict[str, str]:
    """Return the variables that `dbt` needs to work on this home."""
    return {
        "PIVOTS_WAREHOUSE": str(home.warehouse_file),
        "PIVOTS_THREADS": str(available_threads()),
        "PIVOTS_MEMORY": memory_limit(_BUILD_MIB),
        "PIVOTS_SPILL": str(home.spill),
        "DBT_PROFILES_DIR": str(shipped.profiles()),
        "DBT_PROJECT_DIR": str(PROJECT_DIR),
        "DBT_TARGET_PATH": str(home.dbt_target),
        "DBT_LOG_PATH": str(home.dbt_logs),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_VERSION_CHECK": "false",
        # at `debug` it holds every statement of every model: seven megabytes and a tenth of a build's time
        "DBT_LOG_LEVEL_FILE": os.environ.get("DBT_LOG_LEVEL_FILE", "info"),
    }


def shell_exports(home: Home) -> str:
    """Return the same as shell exports, for people who type dbt by hand: `dbt build --vars "$PIVOTS_VARS"`.

    The project is that of the checkout they stand in: what they edit there is what they mean, not what is installed.
    """
    path = f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"
    variables = dbt_environment(home) | {"PIVOTS_VARS": json.dumps(build_variables(home), sort_keys=True)}
    variables["DBT_PROJECT_DIR"] = str(project_around(Path.cwd()) or PROJECT_DIR)
    return "\n".join([path, *(f"export {k}={shlex.quote(v)}" for k, v in variables.items())])


def project_around(folder: Path) -> Path | None:
    """Return the dbt project of this product that a folder is in, or beside; None where there is no such checkout."""
    for parent in (folder.resolve(), *folder.resolve().parents):
        for candidate in (parent, parent / "dbt_project"):
            settings = candidate / "dbt_project.yml"
            if settings.is_file() and f"name: {_PROJECT_NAME}" in settings.read_text(encoding="utf-8").splitlines():
                return candidate
    return None


def point_raw_views(home: Home) -> None:
    """Point the views of schema `raw` at the lake's current files."""
    with writer_lock(home), open_writer(home) as connection:
        refresh_raw_views(home, connection)


def run_dbt(
    home: Home, arguments: Sequence[str], *, quiet: bool = False, environment: Mapping[str, str] | None = None
) -> None:
    """Run one dbt command on the home's warehouse and wait for it. The caller holds `writer_lock`.

    Args:
        environment: variables that differ from `dbt_environment`.

    Raises:
        StepFailed: dbt reported an error; the message names the models and tests that failed.
    """
    variables = dbt_environment(home) | dict(environment or {})
    target = Path(variables["DBT_TARGET_PATH"])
    (target / RUN_RESULTS).unlink(missing_ok=True)  # so that what is read below is of this run
    command = dbt_command(*(["--quiet"] if quiet else []), *arguments)
    # it holds the lock with us: should it outlive us after all, nobody else writes meanwhile
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
    with child_process(command, env=program_environment(variables), hold=lock_descriptors(home), **pipes) as dbt:
        for line in dbt.stdout or ():
            if not is_full(home.root):  # then they are tracebacks: dbt's log finds no room
                sys.stderr.write(line)
                sys.stderr.flush()
        code = dbt.wait()
    if code != 0 and is_full(home.root):
        raise StepFailed(no_room(home.root))
    if code != 0:
        what = failures(target) or "before any model ran"
        raise StepFailed(f"dbt {arguments[0]} failed: {what}; the log is {home.dbt_logs / 'dbt.log'}")


def generate_docs(home: Home) -> Path:
    """Write what the models, columns and tests are, with their lineage, as one HTML page that needs no server.

    Returns:
        dbt-docs/index.html in the home.

    Raises:
        UsageError: nothing has been built yet, so that no column is known.
        StepFailed: dbt reported an error.
    """
    if not home.warehouse_file.exists():
        raise UsageError(nothing_built(home))
    target = home.root / "dbt" / "docs-target"  # its own, so that what the last build left is still that build's
    with writer_lock(home):
        with open_writer(home) as connection:
            refresh_raw_views(home, connection)
            if not connection.execute(_ANY_MART).fetchone():
                raise UsageError(nothing_built(home))
        arguments = ["docs", "generate", "--static", "--vars", json.dumps(build_variables(home))]
        run_dbt(home, arguments, quiet=True, environment={"DBT_TARGET_PATH": str(target)})
    page = (target / "static_index.html").read_text(encoding="utf-8")
    picture = base64.b64encode((PROJECT_DIR / "assets" / _MAP).read_bytes()).decode()
    with atomic_file(home.dbt_docs_file) as unfinished:
        unfinished.write_text(page.replace(f"({_MAP})", f"(data:image/svg+xml;base64,{picture})"), encoding="utf-8")
    return home.dbt_docs_file


def build_variables(home: Home) -> dict[str, Any]:
    """Return the dbt variables that this home's builds use."""
    path = home.root / VARS_FILE
    return json.loads(path.read_text()) if path.exists() else {}


def variable(home: Home, name: str) -> Any:
    """Return a dbt variable as this home's builds see it: as given to one, else as dbt_project.yml sets it."""
    return {**_project_variables(), **build_variables(home)}[name]


@cache
def _project_variables() -> dict[str, Any]:
    return yaml.safe_load((PROJECT_DIR / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]


def run_results(target: Path) -> list[dict[str, Any]]:
    """Return what the last dbt command with this target folder did, node by node; nothing when it ran none."""
    path = target / RUN_RESULTS
    return json.loads(path.read_text())["results"] if path.exists() else []


def count_statuses(target: Path) -> dict[str, int]:
    """Return how many nodes ended in each status; exposures, which only name readers, are left out."""
    counted: dict[str, int] = {}
    for result in run_results(target):
        if result["status"] != "no-op":
            counted[result["status"]] = counted.get(result["status"], 0) + 1
    return counted


def failures(target: Path) -> str:
    """Name what failed in the last dbt command, and where the rows are that a test found; empty when nothing did."""
    failed = [r for r in run_results(target) if r["status"] in ("error", "fail")]
    names = [r["unique_id"].split(".")[2] for r in failed]
    kept = next((r["relation_name"] for r in failed if r["status"] == "fail" and r.get("relation_name")), None)
    named = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return named + (f"; the rows are in {kept}" if kept else "")
