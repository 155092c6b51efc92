"""The Parquet lake: immutable shards committed by an atomic rename, and the raw views over them.

Layout below `<home>/lake`:

* sharded and result tables: `<table>/<corpus or '_'>/<name>.parquet`
* state tables: `<table>/<corpus>/state.parquet`
* counted tables: `counts/<corpus>/<count_id>/<table>.parquet`, and `counts/<corpus>/current` names the count_id
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.base.settings import Home
from warehouse.contract.atomic import UNFINISHED_PREFIX, atomic_file, unfinished_path
from warehouse.lake.schemas import COUNTED, SCHEMAS

NO_CORPUS = "_"


def shard_path(home: Home, table: str, name: str, *, corpus: str = NO_CORPUS) -> Path:
    """Return where shard `name` of a sharded, result or state table lives."""
    return home.lake / table / corpus / f"{name}.parquet"


@contextlib.contextmanager
def scratch_folder(home: Home) -> Iterator[Path]:
    """Yield a folder of the lake that is removed at the end; what a killed process leaves of it is unfinished work."""
    folder = unfinished_path(home.lake / "scratch")
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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
    files = sorted(p for p in (home.lake / table).glob("*/*.parquet") if not p.name.startswith(UNFINISHED_PREFIX))
    return [f for f in files if _is_committed(home, f)] if table in ("documents", "word_documents") else files


def _is_committed(home: Home, path: Path) -> bool:
    """Tell whether a shard's row of raw.source_files, which is written last, exists (where a corpus has such rows)."""
    markers = home.lake / "source_files" / path.parent.name
    shard_id = path.stem.split("-")[0]
    return not markers.is_dir() or (markers / f"{shard_id}.parquet").exists()


def read_table(home: Home, table: str, *, columns: list[str] | None = None) -> pa.Table:
    """Read a whole (small) raw table. A column that an older file lacks is NULL there."""
    # neither `empty_table()` nor `pq.read_table`: for both pyarrow imports pandas, which takes half a second
    empty = pa.Table.from_batches([], schema=SCHEMAS[table]).select(columns or SCHEMAS[table].names)
    parts = []
    for file in current_files(home, table):
        with pq.ParquetFile(file) as parquet:
            parts.append(parquet.read(columns=columns))
    return pa.concat_tables([empty, *parts], promote_options="default")
