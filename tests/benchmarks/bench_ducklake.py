"""A shared lake: how many shards a second one and several writers register, and how long a reader takes to its answer.

    PYTHONPATH=.:tests python -m benchmarks.bench_ducklake

Starts a PostgreSQL of its own (`make test-deps`), registers small shards of four files each in new lakes, and rewrites
docs/benchmarks/ducklake.md. The files are tiny: what is measured is the catalogue, not the storage.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from support.homes.shared_homes import address_of, home_with_shards, look
from support.places import PROJECT
from support.servers.databases import Postgres
from warehouse.base.settings import Home
from warehouse.engines.ducklake.address import Address
from warehouse.engines.ducklake.attach import open_reader
from warehouse.engines.ducklake.register import register
from warehouse.engines.ducklake.tables import prepare
from warehouse.engines.ducklake.transactions import rows, shared_lake

PAGE = PROJECT / "docs" / "benchmarks" / "ducklake.md"
SHARDS_OF_A_WRITER = 100
WRITERS = (1, 2, 4, 8)
NAMES_BEFORE = (0, 40_000, 400_000)
TURNS = 5

_WRITER = """
import sys, time
from pathlib import Path
from warehouse.engines.ducklake.address import resolve
from warehouse.engines.ducklake.register import register
from warehouse.engines.ducklake.transactions import shared_lake
from warehouse.base.settings import Home
home, catalog, data = sys.argv[1:]
with shared_lake(resolve(catalog, data)) as shared:
    print("ready", flush=True)
    sys.stdin.readline()
    register(shared, Home(Path(home)))
"""


def several_writers(address: Address, homes: list[Home]) -> float:
    """Let a process per home register all its shards at once; return seconds until the last one is done."""
    with shared_lake(address, create=True) as shared:
        prepare(shared)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(home.root), address.catalog, str(address.data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PIVOTS_THREADS": "1"},
        )
        for home in homes
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    began = time.monotonic()
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.wait() for writer in writers] == [0] * len(homes)
    seconds = time.monotonic() - began
    assert look(address) == (SHARDS_OF_A_WRITER * len(homes), [])
    return seconds


def with_names(address: Address, home: Home, n_names: int) -> float:
    """Return seconds that one writer takes for a shard when N files are registered already."""
    with shared_lake(address, create=True) as shared:
        prepare(shared)
        shared.connection.execute(
            "insert into warehouse.shards.registered"
            " select 'documents', 'other', lpad(i::varchar, 12, '0'), 1000, '0', 'x', 'bench'"
            f" from range({n_names}) t(i)"
        )
        began = time.monotonic()
        done = register(shared, home)
    return (time.monotonic() - began) / len(done)


def reading(address: Address) -> tuple[float, float]:
    """Return median seconds of opening a reader, and of one query on it that reads every shard."""
    opened, asked = [], []
    for _ in range(TURNS):
        began = time.monotonic()
        with open_reader(address) as connection:
            opened.append(time.monotonic() - began)
            began = time.monotonic()
            rows(connection, "select lang, count(*), sum(n_tokens) from raw.documents group by lang")
            asked.append(time.monotonic() - began)
    return statistics.median(opened), statistics.median(asked)


def page(writing: dict[int, float], names: dict[int, float], read: tuple[float, float], n_read: int) -> str:
    """Write the page."""
    made = [
        "# A shared lake",
        "",
        "Shards of four files and five documents, one transaction each; PostgreSQL, files and writers on the same",
        f"{os.cpu_count()}-core {platform.machine()} machine; "
        f"DuckDB {version('duckdb')}, PostgreSQL {postgres_version()}.",
        "",
        "    PYTHONPATH=.:tests python -m benchmarks.bench_ducklake",
        "",
        f"## Writers, {SHARDS_OF_A_WRITER} shards each, at once",
        "",
        "| writers | seconds | shards per second, all together |",
        "|---|---|---|",
        *(f"| {n} | {s:.1f} | {n * SHARDS_OF_A_WRITER / s:.0f} |" for n, s in writing.items()),
        "",
        "Transactions stand one after another: each is committed only when nobody has committed since it began to "
        "read,",
        "and is tried again otherwise. Hashing and copying files, what large shards cost, run beside each other.",
        "",
        "## One writer, by how many files are registered already",
        "",
        "| files registered | ms per shard |",
        "|---|---|",
        *(f"| {n:,} | {1000 * s:.0f} |" for n, s in names.items()),
        "",
        "## A reader",
        "",
        f"Opening the lake takes {1000 * read[0]:.0f} ms, a query that reads all of {n_read:,} small files",
        f"{1000 * read[1]:.0f} ms (medians of {TURNS}).",
        "",
    ]
    return "\n".join(made)


def postgres_version() -> str:
    from support.servers.databases import postgres_folder

    said = subprocess.run([postgres_folder() / "postgres", "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[2]


def main() -> None:
    writing, names = {}, {}
    with tempfile.TemporaryDirectory() as folder, Postgres.started() as server:
        root = Path(folder)
        homes = [
            home_with_shards(root / f"home-{n}", range(n * SHARDS_OF_A_WRITER, (n + 1) * SHARDS_OF_A_WRITER))
            for n in range(max(WRITERS))
        ]
        for n in WRITERS:
            address = address_of(server.new_catalog(), root / f"lake-{n}")
            writing[n] = several_writers(address, homes[:n])
            print(f"{n} writers: {writing[n]:.1f} s", file=sys.stderr)
        read = reading(address)
        for n in NAMES_BEFORE:
            names[n] = with_names(address_of(server.new_catalog(), root / f"names-{n}"), homes[0], n)
            print(f"{n:,} names: {1000 * names[n]:.0f} ms", file=sys.stderr)
    PAGE.write_text(page(writing, names, read, max(WRITERS) * SHARDS_OF_A_WRITER), encoding="utf-8")


if __name__ == "__main__":
    main()
