"""What the last build saw of the lake, so that status can say what has changed since."""

import json
from pathlib import Path

from warehouse import lake
from warehouse.hashing import file_hash, short_hash
from warehouse.schemas import SCHEMAS, STATE
from warehouse.settings import Home

# Rows of these tables record what was done with the marts; none changes a mart.
_NOT_BUILT_FROM = ("exports", "rejects", "training_steps")
_RUNS_WITH_RESULTS = ("score-", "trace-", "held_out-")


def build_record(home: Home) -> Path:
    """Return the file that names what the last complete build saw."""
    return home.root / "built.json"


def lake_state(home: Home) -> dict[str, str]:
    """Return a hash of each raw table that marts are built from; tables without files are left out.

    File names carry the hash of what they hold, so names are enough, except for state tables, which are replaced in
    place and are small.
    """
    state = {}
    for table in sorted(set(SCHEMAS) - set(_NOT_BUILT_FROM)):
        files = lake.current_files(home, table)
        if table == "runs":
            files = [f for f in files if f.name.startswith(_RUNS_WITH_RESULTS)]
        names = [str(f.relative_to(home.lake)) for f in files]
        if names:
            state[table] = short_hash([names, [file_hash(f) for f in files] if table in STATE else None])
    return state


def record_build(home: Home, state: dict[str, str]) -> None:
    """Remember the lake's state that a complete build has seen. The caller holds the writer lock."""
    with lake.atomic_file(build_record(home)) as unfinished:
        unfinished.write_text(json.dumps(state, indent=1, sort_keys=True))


def built_state(home: Home) -> dict[str, str] | None:
    """Return what the last complete build saw, or None when there was none."""
    path = build_record(home)
    return json.loads(path.read_text()) if path.exists() else None


def changed_since_build(home: Home) -> list[str]:
    """Return the raw tables that differ from what the last complete build saw, sorted; all of them without a build."""
    now, then = lake_state(home), built_state(home) or {}
    return sorted(table for table in now.keys() | then.keys() if now.get(table) != then.get(table))
