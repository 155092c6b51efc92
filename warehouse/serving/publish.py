"""Publish: a compact, finished copy of the warehouse for readers, swapped in whole.

Layout: `serving/<n>/warehouse.duckdb`, `manifest.json`, and `dbt/` with the project it was built from;
`serving/current` is a link to one `<n>`.
Schema `marts` holds every mart as a table, schema `raw` the raw tables that people look things up in.
"""

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.base.sql_text import identifier, literal
from warehouse.build import build_record, dbt_runner
from warehouse.contract.atomic import atomic_link, commit_folder, remove_unfinished, unfinished_path
from warehouse.lake.connections import open_writer, writer_lock
from warehouse.lake.files import read_table
from warehouse.lake.first_step import nothing_built
from warehouse.lake.runs import git_commit

# Small, and what questions about origin need. Not the documents: a copy of token ids is a copy of the corpus.
RAW_TABLES = (
    "corpora",
    "counts",
    "experiments",
    "exports",
    "held_out_losses",
    "planted_concepts",
    "planted_pivots",
    "prompt_lenses",
    "rejects",
    "runs",
    "sentence_scores",
    "source_files",
    "training_steps",
    "translation_items",
    "words",
)


@dataclass(frozen=True)
class Publication:
    """One published copy.

    Attributes:
        folder: serving/<n>.
        manifest: what manifest.json holds.
        is_new: False when the copy that readers already have says exactly the same.
    """

    folder: Path
    manifest: dict[str, Any]
    is_new: bool


def publish(home: Home, keep: int = 3) -> Publication:
    """Copy marts and lookup tables into a fresh file and make it the one that readers open.

    Readers never wait: who has the old copy open keeps it. Nothing is swapped when nothing has changed.

    Args:
        keep: how many copies stay on disk, the current one included.

    Raises:
        UsageError: nothing has been built yet, the last build failed or did not finish, or `keep` is below 1.
    """
    if keep < 1:
        raise UsageError(f"--keep {keep}: at least the current copy has to stay; give 1 or more")
    if not home.warehouse_file.exists():
        raise UsageError(nothing_built(home))
    with writer_lock(home):
        _check_build(home)
        remove_unfinished(home.serving)
        number = max(published_numbers(home), default=0) + 1
        unfinished = unfinished_path(home.serving / str(number))
        unfinished.mkdir(parents=True)
        try:
            manifest = {"number": number, **_copy(home, unfinished / "warehouse.duckdb")}
            current = read_manifest(home)
            if current is not None and _content(manifest) == _content(current):
                return Publication(home.serving / str(current["number"]), current, is_new=False)
            manifest["published_at"] = datetime.now(UTC).isoformat(timespec="seconds")
            (unfinished / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True))
            if (home.dbt_state / "manifest.json").exists():  # what `pivots build --slim` compares models with
                shutil.copytree(home.dbt_state, unfinished / "dbt")
            folder = home.serving / str(number)
            commit_folder(unfinished, folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        _point_to(home, number)
        _prune(home, keep)
    return Publication(folder, manifest, is_new=True)


def published_numbers(home: Home) -> list[int]:
    """Return the numbers of the copies on disk, ascending."""
    return sorted(int(p.name) for p in home.serving.glob("*") if p.name.isdigit())


def read_manifest(home: Home) -> dict[str, Any] | None:
    """Return the manifest of the copy that readers open, or None when nothing is published."""
    path = home.serving / "current" / "manifest.json"
    return json.loads(path.read_text()) if path.exists() else None


def build_invocation(home: Home) -> dict[str, str] | None:
    """Return which dbt invocation wrote last (id, time, version), or None when dbt has never finished here."""
    path = home.dbt_target / "run_results.json"
    if not path.exists():
        return None
    metadata = json.loads(path.read_text())["metadata"]
    return {name: metadata[name] for name in ("invocation_id", "generated_at", "dbt_version")}


def _check_build(home: Home) -> None:
    """Raise UsageError when a model or a test of the data failed last: readers keep the copy that was audited."""
    if failures := dbt_runner.failures(home.dbt_target):
        raise UsageError(f"the last build failed: {failures}; fix it, run `pivots build`, then publish")
    if build_record.is_build_unfinished(home):
        raise UsageError("the last build did not finish, so marts of two builds stand side by side: run `pivots build`")


def _copy(home: Home, target: Path) -> dict[str, Any]:
    """Copy the tables into a fresh file and describe them.

    Marts are copied as they were built. Raw tables come from the lake as it is now, not through the writer's views:
    what was exported or trained after the build is there to be looked up, and no mart changes under the copy.
    """
    counts = read_table(home, "counts").sort_by("corpus")
    with open_writer(home) as connection:
        marts = _names(connection, "marts")
        if not marts:
            raise UsageError(nothing_built(home))
        connection.execute(f"attach {literal(target)} as published")
        connection.execute("create schema published.marts")
        connection.execute("create schema published.raw")
        tables = {}
        for name in marts:
            mart = identifier(name)
            connection.execute(f"create table published.marts.{mart} as select * from marts.{mart}")
            _copy_comments(connection, name)
            tables[f"marts.{name}"] = _describe(connection, f"published.marts.{mart}")
        for name in RAW_TABLES:
            connection.register("raw_rows", read_table(home, name))
            connection.execute(f"create table published.raw.{name} as select * from raw_rows")
            connection.unregister("raw_rows")
            tables[f"raw.{name}"] = _describe(connection, f"published.raw.{name}")
        connection.execute("checkpoint published")
        connection.execute("detach published")
    return {
        "tables": tables,
        "counts": dict(zip(counts["corpus"].to_pylist(), counts["count_id"].to_pylist(), strict=True)),
        "built_from": build_record.built_state(home),
        "build_variables": dbt_runner.build_variables(home),
        "build": build_invocation(home),
        "git_commit": git_commit(),
    }


def _names(connection: duckdb.DuckDBPyConnection, schema: str) -> list[str]:
    rows = connection.execute(
        "select table_name from information_schema.tables"
        " where table_catalog = current_catalog() and table_schema = ? order by table_name",
        [schema],
    ).fetchall()
    return [name for (name,) in rows]


def _copy_comments(connection: duckdb.DuckDBPyConnection, mart: str) -> None:
    """Carry over the descriptions that dbt wrote on a mart and its columns."""
    here = "database_name = current_catalog() and schema_name = 'marts' and comment is not null"
    comments = connection.execute(
        f"select null, comment from duckdb_tables() where {here} and table_name = $mart"
        f" union all select null, comment from duckdb_views() where {here} and view_name = $mart"
        f" union all select column_name, comment from duckdb_columns() where {here} and table_name = $mart",
        {"mart": mart},
    ).fetchall()
    for column, comment in comments:
        place = f"published.marts.{identifier(mart)}"
        thing = f"table {place}" if column is None else f"column {place}.{identifier(column)}"
        connection.execute(f"comment on {thing} is {literal(comment)}")


def _describe(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, Any]:
    """Return a table's row count and a content hash that does not depend on the order of rows.

    The hash is a sum of row hashes: under xor, equal rows would cancel out. They are DuckDB's own, 40 times as fast as
    a digest of each row's text; another version of it may hash otherwise, and then publishes once more.
    """
    n_rows, content = connection.execute(
        f"select count(*), coalesce(sum(hash(one_row)), 0) from {relation} one_row"
    ).fetchone() or (0, 0)
    return {"n_rows": n_rows, "content_hash": f"{content:x}"}


def _content(manifest: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in manifest.items() if name not in ("number", "published_at")}


def _point_to(home: Home, number: int) -> None:
    """Make a finished copy the current one, in one rename."""
    atomic_link(home.serving / "current", str(number))


def _prune(home: Home, keep: int) -> None:
    """Delete the oldest copies. Who has one open keeps reading it: the file lives until it is closed."""
    for number in published_numbers(home)[:-keep]:
        doomed = unfinished_path(home.serving / str(number))
        (home.serving / str(number)).rename(doomed)  # first, so that a killed deletion never looks like a copy
        shutil.rmtree(doomed)
