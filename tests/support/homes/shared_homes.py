"""Homes with many small shards, programs that register them, and what must hold of a lake at every moment."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from support.homes.handmade import write_rows
from warehouse.base.settings import Home
from warehouse.contract.hashing import id64
from warehouse.engines.ducklake.address import Address, resolve
from warehouse.engines.ducklake.attach import open_reader
from warehouse.engines.ducklake.transactions import rows

pytest.importorskip("duckdb_extension_ducklake", reason="needs the extra `lake`: `make setup-engines`")

CORPUS = "shared"
DOCS_PER_SHARD = 5

_WRITER = """
import json, sys
from pathlib import Path
from warehouse.engines.ducklake.address import resolve
import warehouse.engines.ducklake.register as registering
from warehouse.engines.ducklake.superseded_documents import update_superseded
from warehouse.engines.ducklake.tables import prepare
from warehouse.engines.ducklake.transactions import shared_lake
from warehouse.base.errors import StepFailed
from warehouse.base.settings import Home
home, catalog, data, wait_s = sys.argv[1:]
registering.FLUSH_EVERY = 15
try:
    with shared_lake(resolve(catalog, data), float(wait_s), create=True) as shared:
        prepare(shared)
        done = registering.register(shared, Home(Path(home)))
        update_superseded(shared)
        print(json.dumps([shard.name for shard in done]))
except StepFailed as failure:
    print(f"pivots: {failure}", file=sys.stderr)
    sys.exit(1)
"""


def home_with_shards(root: Path, names: range) -> Home:
    """Make a home with one ingested shard per name; a shard has the same rows in every home."""
    home = Home(root)
    for number in names:
        shard_id = f"{number:012x}"
        common = {"corpus": CORPUS, "shard_id": shard_id, "source_file": f"{number}.jsonl"}
        documents = [
            {
                **common,
                "doc_id": id64(CORPUS, shard_id, str(row)),
                "source_id": f"{number}-{row}",
                "source": "",
                "line_number": row + 1,
                "lang": "en",
                "content_hash": id64("text", shard_id, str(row)),
                "n_tokens": 3,
                "token_ids": [number, row, 7],
            }
            for row in range(DOCS_PER_SHARD)
        ]
        words = [
            {**common, "doc_id": d["doc_id"], "word_id": 1, "match_policy": "text", "n_matches": 1, "token_starts": [0]}
            for d in documents
        ]
        write_rows(home, "documents", documents, name=shard_id, corpus=CORPUS)
        write_rows(home, "word_documents", words, name=f"{shard_id}-words", corpus=CORPUS)
        write_rows(home, "rejects", [], name=shard_id, corpus=CORPUS)
        write_rows(home, "source_files", [{**common, "n_docs": DOCS_PER_SHARD}], name=shard_id, corpus=CORPUS)
    return home


def start_writer(home: Home, address: Address, *, wait_s: float = 60) -> subprocess.Popen[str]:
    """Start a process that registers all of a home's shards, one transaction each."""
    arguments = [str(home.root), address.catalog, str(address.data), str(wait_s)]
    environment = os.environ | {"PIVOTS_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def finish(writer: subprocess.Popen[str], timeout_s: float = 120) -> list[str]:
    """Wait for a writer; return the shards of which it says that it registered them."""
    out, err = writer.communicate(timeout=timeout_s)
    assert writer.returncode == 0, err
    return json.loads(out)


def look(address: Address, *, as_of: str | None = None) -> tuple[int, list[str]]:
    """Return how many shards a reader sees, and what it sees that no whole snapshot can hold."""
    with open_reader(address, as_of=as_of) as connection:
        found = rows(
            connection,
            f"""
            with registered as (
                select name as shard_id, count(*) as n
                from shards.registered where table_name = 'documents' group by all
            ),
            documents as (
                select shard_id, count(*) as n, count(distinct doc_id) as n_ids from raw.documents group by all
            ),
            words as (select shard_id, count(*) as n from raw.word_documents group by all),
            sources as (select shard_id, count(*) as n from raw.source_files group by all)
            select
                shard_id,
                coalesce(registered.n, 0) = 1 and coalesce(documents.n, 0) = {DOCS_PER_SHARD}
                and documents.n_ids = {DOCS_PER_SHARD} and coalesce(words.n, 0) = {DOCS_PER_SHARD}
                and coalesce(sources.n, 0) = 1
            from registered
            full join documents using (shard_id) full join words using (shard_id) full join sources using (shard_id)
            """,
        )
    return len(found), [shard_id for shard_id, is_whole in found if not is_whole]


def n_snapshots_of_shards(address: Address) -> int:
    """Return in how many snapshots a shard was registered."""
    with open_reader(address) as connection:
        [(n,)] = rows(connection, "select count(*) from warehouse.snapshots() where commit_message like 'shard %'")
    return n


def address_of(catalog: str, data: Path | str) -> Address:
    return resolve(catalog, str(data))


def check_marts_equal(home: Home, address: Address) -> None:
    with duckdb.connect(str(home.warehouse_file), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")  # as readers have it: times are compared as they are printed
        expected = marts_of(connection, "warehouse")
    with open_reader(address) as connection:
        found = marts_of(connection, "warehouse")
    different = [name for name in sorted(expected.keys() | found.keys()) if found.get(name) != expected.get(name)]
    assert different == [], different  # support modules are not rewritten: say it
    assert len(expected) > 10


def marts_of(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, Any]:
    names = rows(
        connection,
        "select table_name from information_schema.tables"
        f" where table_schema = 'marts' and table_catalog = '{database}'"
        " order by table_name",
    )
    shape = (
        "select column_name, data_type, is_nullable, comment from duckdb_columns() where schema_name = 'marts'"
        f" and database_name = '{database}' and table_name = ? order by column_index"
    )
    return {
        name: (rows(connection, shape, [name]), sorted(map(str, rows(connection, f'from {database}.marts."{name}"'))))
        for (name,) in names
    }
