"""Whether the last build finished, and what it saw of the lake, so that status can say what has changed since."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_file
from warehouse.contract.folders import RUN_KINDS
from warehouse.contract.hashing import file_hash, short_hash
from warehouse.lake.files import current_files
from warehouse.lake.schemas import SCHEMAS, STATE

# Rows of these tables record what was done with the marts, or what could not be used. Of them only `exports` is read by
# a mart, by fct_word_exposure, which says how often an export shows the words: the build after an experiment brings it
# up to date.
_NOT_BUILT_FROM = ("rejects", *(table for kind in RUN_KINDS.values() if not kind.feeds_marts for table in kind.tables))
# Runs of these kinds are rows that marts start from; of all others marts only look up a name or a time.
_RUNS_WITH_RESULTS = tuple(f"{name}-" for name, kind in RUN_KINDS.items() if kind.is_ml and kind.feeds_marts)


def build_record(home: Home) -> Path:
    """Return the file that names what builds have seen."""
    return home.root / "built.json"


@contextmanager
def unfinished_build(home: Home, select: Sequence[str] = ()) -> Iterator[None]:
    """Mark the home's marts as half built until the block ends well, whatever becomes of this process meanwhile.

    Marts of two builds stand side by side in the writer's file while one runs: who reads them must know. The mark goes
    when a whole build ends well, or the same part is built again. The caller holds the writer lock.

    Args:
        select: which part is built; all when empty.
    """
    path, before = _unfinished_mark(home), _unfinished_part(home)
    if before is None or not select:
        with atomic_file(path) as unfinished:
            unfinished.write_text(json.dumps(list(select)))
    try:
        yield
    except UsageError:  # found before any model was touched
        if before is None:
            path.unlink()
        raise
    if not select or before in (None, list(select)):
        path.unlink()


def is_build_unfinished(home: Home) -> bool:
    """Tell whether the last build was killed, interrupted, or failed: the marts may be of two builds."""
    return _unfinished_part(home) is not None


def _unfinished_part(home: Home) -> list[str] | None:
    """Return the selectors of the build that has not ended well, None when there is none."""
    path = _unfinished_mark(home)
    return json.loads(path.read_text()) if path.exists() else None


def _unfinished_mark(home: Home) -> Path:
    return home.root / "build-unfinished.json"


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
