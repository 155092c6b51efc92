"""The Parquet lake: immutable shards committed by an atomic rename, and the raw views over them.

Layout below `<home>/lake`:

* sharded and result tables: `<table>/<corpus or '_'>/<name>.parquet`
* state tables: `<table>/<corpus>/state.parquet`
* counted tables: `counts/<corpus>/<count_id>/<table>.parquet`, and `counts/<corpus>/current` names the count_id
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.schemas import COUNTED, SCHEMAS
from warehouse.settings import Home

NO_CORPUS = "_"
_UNFINISHED = ".unfinished-"


def shard_path(home: Home, table: str, name: str, *, corpus: str = NO_CORPUS) -> Path:
    """Return where shard `name` of a sharded, result or state table lives."""
    return home.lake / table / corpus / f"{name}.parquet"


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path` in one rename, on failure it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.parent / f"{_UNFINISHED}{secrets.token_hex(4)}-{path.name}"
    try:
        yield unfinished
        with unfinished.open("rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path` that becomes `path` in one rename. `path` must not exist yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.parent / f"{_UNFINISHED}{secrets.token_hex(4)}-{path.name}"
    unfinished.mkdir()
    try:
        yield unfinished
        os.rename(unfinished, path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextlib.contextmanager
def scratch_folder(home: Home) -> Iterator[Path]:
    """Yield a folder of the lake that is removed at the end; what a killed process leaves of it is unfinished work."""
    folder = home.lake / f"{_UNFINISHED}{secrets.token_hex(4)}-scratch"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_unfinished(root: Path) -> int:
    """Delete what killed writers left below `root` (the caller holds the writer lock). Return how many."""
    leftovers = [p for p in root.rglob(f"{_UNFINISHED}*") if p.exists()]
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(leftovers)


def write_table(path: Path, table_name: str, rows: pa.Table) -> None:
    """Write rows as Parquet under the table's own schema, atomically. Rows keep the caller's order."""
    schema = SCHEMAS[table_name]
    with atomic_file(path) as unfinished:
        pq.write_table(rows.select(schema.names).cast(schema), unfinished, compression="zstd")


def current_count(home: Home, corpus: str) -> str | None:
    """Return the count_id of a corpus's current count, or None when it was never counted."""
    pointer = home.lake / "counts" / corpus / "current"
    return pointer.read_text().strip() if pointer.exists() else None


def point_to_count(home: Home, corpus: str, count_id: str) -> None:
    """Make a finished count folder the current one of its corpus, in one rename."""
    with atomic_file(home.lake / "counts" / corpus / "current") as unfinished:
        unfinished.write_text(count_id)


def current_files(home: Home, table: str) -> list[Path]:
    """Return the Parquet files that make up a raw table now, sorted by path."""
    if table in COUNTED:
        folders = sorted((home.lake / "counts").glob("*/current"))
        files = [f.parent / f.read_text().strip() / f"{table}.parquet" for f in folders]
        return [f for f in files if f.exists()]
    files = sorted(p for p in (home.lake / table).glob("*/*.parquet") if not p.name.startswith(_UNFINISHED))
    return [f for f in files if _is_committed(home, f)] if table in ("documents", "word_documents") else files


def _is_committed(home: Home, path: Path) -> bool:
    """Tell whether a shard's row of raw.source_files, which is written last, exists (where a corpus has such rows)."""
    markers = home.lake / "source_files" / path.parent.name
    shard_id = path.stem.split("-")[0]
    return not markers.is_dir() or (markers / f"{shard_id}.parquet").exists()


def read_table(home: Home, table: str, *, columns: list[str] | None = None) -> pa.Table:
    """Read a whole (small) raw table. A column that an older file lacks is NULL there."""
    empty = SCHEMAS[table].empty_table().select(columns or SCHEMAS[table].names)
    parts = [pq.read_table(f, columns=columns) for f in current_files(home, table)]
    return pa.concat_tables([empty, *parts], promote_options="default")


def refresh_raw_views(home: Home, connection: duckdb.DuckDBPyConnection) -> None:
    """Point the views of schema `raw` at the current files; a table without files is a view without rows.

    `raw.documents` and `raw.word_documents` leave out superseded documents, which stay visible in
    `raw.superseded_documents`.
    """
    # superseded_documents comes first: the document views read it
    for table in sorted(SCHEMAS, key=lambda name: name != "superseded_documents"):
        # an empty file with today's columns comes first: files that an earlier version wrote may lack some (NULL)
        empty = home.lake / "_empty" / f"{table}.parquet"
        if not empty.exists() or not pq.read_schema(empty).equals(SCHEMAS[table]):
            write_table(empty, table, SCHEMAS[table].empty_table())
        listed = ", ".join("'" + str(f).replace("'", "''") + "'" for f in [empty, *current_files(home, table)])
        relation = f"select * from read_parquet([{listed}], union_by_name = true)"
        if table in ("documents", "word_documents"):
            relation = f"from ({relation}) anti join raw.superseded_documents using (shard_id, doc_id)"
        connection.execute(f"create or replace view raw.{table} as {relation}")
