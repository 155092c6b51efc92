"""Marts of builds that end together: one of them whole, never a mixture, whoever looks."""

import threading
from pathlib import Path

import duckdb
import pytest

from support.homes.shared_homes import address_of
from support.servers.databases import Postgres
from warehouse.engines.ducklake.address import Address
from warehouse.engines.ducklake.attach import open_reader
from warehouse.engines.ducklake.marts import publish_marts, read_variables
from warehouse.engines.ducklake.snapshots import list_snapshots
from warehouse.engines.ducklake.tables import prepare
from warehouse.engines.ducklake.transactions import rows, shared_lake

pytestmark = pytest.mark.engines

N_ROUNDS = 4
MARTS = ("fct_first", "fct_second", "fct_third")


def built_file(root: Path, marker: int) -> Path:
    """Make a built warehouse of which every mart tells the same marker; small marts and large ones."""
    file = root / f"{marker}" / "warehouse.duckdb"
    file.parent.mkdir(parents=True)
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema marts")
        for n_rows, name in zip((3, 1000, 20_000), MARTS, strict=True):
            connection.execute(f"create table marts.{name} (marker int not null, i int)")
            connection.execute(f"insert into marts.{name} select {marker}, i from range({n_rows}) t(i)")
    return file


def markers(address: Address) -> list[tuple[int, ...]]:
    """Return what one query sees in all marts."""
    counted = ", ".join(f"(select count(*) from {name})" for name in MARTS)
    found = " union ".join(f"select marker from {name}" for name in MARTS)
    with open_reader(address) as connection:
        return rows(connection, f"select marker, {counted} from ({found})")


def test_builds_that_end_together_never_mix(postgres: Postgres, tmp_path: Path) -> None:
    address = address_of(postgres.new_catalog(), tmp_path / "data")
    with shared_lake(address, create=True) as shared:
        prepare(shared)
        publish_marts(shared, built_file(tmp_path, 0), {"marker": 0})
    failures: list[BaseException] = []
    done = threading.Event()

    def build(builder: int) -> None:
        try:
            for number in range(N_ROUNDS):
                marker = 100 * builder + number
                with shared_lake(address) as shared:
                    publish_marts(shared, built_file(tmp_path, marker), {"marker": marker})
        except BaseException as error:
            failures.append(error)

    seen: list[list[tuple[int, ...]]] = []

    def watch() -> None:
        try:
            while not done.is_set():
                seen.append(markers(address))
        except BaseException as error:
            failures.append(error)

    builders = [threading.Thread(target=build, args=(builder,)) for builder in (1, 2)]
    watcher = threading.Thread(target=watch)
    for thread in (*builders, watcher):
        thread.start()
    for thread in builders:
        thread.join()
    done.set()
    watcher.join()
    assert failures == []
    assert all(len(found) == 1 and found[0][1:] == (3, 1000, 20_000) for found in seen)
    assert len({found[0][0] for found in seen}) > 2
    [(last, *_)] = markers(address)
    with open_reader(address) as connection:
        assert read_variables(connection) == {"marker": last}
    assert last % 100 == N_ROUNDS - 1
    assert sum(s.message == "marts" for s in list_snapshots(address)) == 1 + 2 * N_ROUNDS


def test_a_part_of_a_build_replaces_only_its_marts(postgres: Postgres, tmp_path: Path) -> None:
    address = address_of(postgres.new_catalog(), tmp_path / "data")
    with shared_lake(address, create=True) as shared:
        prepare(shared)
        publish_marts(shared, built_file(tmp_path, 1), {})
        written = publish_marts(shared, built_file(tmp_path, 2), {}, names=["fct_second", "stg_other"])
        assert [(mart.name, mart.is_new) for mart in written] == [("fct_second", True)]
        assert rows(shared.connection, "select distinct marker from warehouse.marts.fct_first") == [(1,)]
        assert rows(shared.connection, "select distinct marker from warehouse.marts.fct_second") == [(2,)]
        with duckdb.connect(str(tmp_path / "3.duckdb")) as connection:
            connection.execute("create schema marts; create table marts.fct_first as select 1::bigint as marker")
        publish_marts(shared, tmp_path / "3.duckdb", {}, only_first=True)
        assert rows(shared.connection, "select count(*) from warehouse.marts.fct_first") == [(3,)]
