"""What the last build saw of the lake, so that status can say what has changed since."""

import json
from pathlib import Path
from typing import Any

from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_file
from warehouse.contract.folders import RUN_KINDS
from warehouse.contract.hashing import file_hash, short_hash
from warehouse.lake.files import current_files
from warehouse.lake.schemas import SCHEMAS, STATE

# Rows of these tables record what was done with the marts, or what could not be used. Of them only `exports` is read by a
# mart, by fct_word_exposure, which says how often an export shows the words: the build after an experiment brings it up
# to date.
_NOT_BUILT_FROM = ("rejects", *(table for kind in RUN_KINDS.values() if not kind.feeds_marts for table in kind.tables))
# Runs of these kinds are rows that marts start from; of all others marts only look up a name or a time.
_RUNS_WITH_RESULTS = tuple(f"{name}-" for name, kind in RUN_KINDS.items() if kind.is_ml and kind.feeds_marts)


def build_record(home: Home) -> Path:
    """Return the file that names what builds have seen."""
    return home.root / "built.json"


def lake_state(home: Home) -> dict[str, str]:
    """Return a hash of each raw table that marts are built from; tables without files are left out.

    File names carry the hash of what they hold, so names are enough, except for state tables, which are replaced in
    place and are small.
    """
    state = {}
    for table in sorted(set(SCHEMAS) - set(_NOT_BUILT_FROM)):
        files = current_files(home, table)
        if table == "runs":
            files = [f for f in files if f.name.startswith(_RUNS_WITH_RESULTS)]
        names = [str(f.relative_to(home.lake)) for f in files]
        if names:
            state[table] = short_hash([names, [file_hash(f) for f in files] if table in STATE else None])
    return state


def record_build(home: Home, state: dict[str, str]) -> None:
    """Remember what a successful build has seen of the lake. The caller holds the writer lock.

    A build of selected models has seen a raw table when it ran every model that comes from the table.

    Args:
        state: the lake's state when the build began.
    """
    seen = _tables_seen(home, set(state))
    earlier = built_state(home) or {}
    record = {table: state[table] if table in seen else earlier.get(table, "") for table in sorted(state)}
    with atomic_file(build_record(home)) as unfinished:
        unfinished.write_text(json.dumps(record, indent=1))


def built_state(home: Home) -> dict[str, str] | None:
    """Return what builds have seen, or None when there was none."""
    path = build_record(home)
    return json.loads(path.read_text()) if path.exists() else None


def changed_since_build(home: Home) -> list[str]:
    """Return the raw tables that differ from what builds have seen, sorted; all of them without a build."""
    now, then = lake_state(home), built_state(home) or {}
    return sorted(table for table in now.keys() | then.keys() if now.get(table) != then.get(table))


def _tables_seen(home: Home, tables: set[str]) -> set[str]:
    """Return the raw tables whose every descendant model was run by the last dbt invocation.

    Views do not count: what they show is computed when they are read.
    """
    ran = {result["unique_id"] for result in _artifact(home, "run_results")["results"]}
    manifest = _artifact(home, "manifest")
    children, sources = manifest["child_map"], manifest["sources"]
    views = {name for name, node in manifest["nodes"].items() if node["config"]["materialized"] == "view"}
    unseen = set()
    for source, description in sources.items():
        found: set[str] = set()
        queue = [source]
        while queue:
            new = set(children.get(queue.pop(), ())) - found
            found |= new
            queue += new
        if any(node.startswith("model.") and node not in ran | views for node in found):
            unseen.add(description["name"])
    return tables - unseen


def _artifact(home: Home, name: str) -> dict[str, Any]:
    return json.loads((home.dbt_target / f"{name}.json").read_text())
