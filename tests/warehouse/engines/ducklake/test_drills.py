"""Several writers, killed writers, a killed server: nothing lost, nothing double, and readers see whole shards only."""

import random
import threading
import time
from pathlib import Path

import duckdb
import pytest

from support.homes.shared_homes import address_of, finish, home_with_shards, look, n_snapshots_of_shards, start_writer
from support.servers.databases import Postgres
from warehouse.base.errors import UsageError
from warehouse.engines.ducklake.address import Address
from warehouse.engines.ducklake.migrate import verify_raw
from warehouse.engines.ducklake.transactions import shared_lake

pytestmark = pytest.mark.engines

N_TRANSACTIONS = 100


class Watching:
    """A reader that looks again and again while others write."""

    def __init__(self, address: Address) -> None:
        self._address, self._stop = address, threading.Event()
        self.torn: list[str] = []
        self.seen: list[int] = []
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                n_shards, torn = look(self._address)
            except (UsageError, duckdb.Error):  # no lake yet, or the server is down
                time.sleep(0.05)
                continue
            self.seen.append(n_shards)
            self.torn += torn

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for(self, n_shards: int) -> None:
        deadline = time.monotonic() + 60
        while not self.seen or self.seen[-1] < n_shards:
            assert time.monotonic() < deadline, self.seen[-1:]
            time.sleep(0.01)


def check_all_there(address: Address, n_shards: int) -> None:
    assert look(address) == (n_shards, [])
    assert n_snapshots_of_shards(address) == n_shards  # no shard in two transactions
    with shared_lake(address) as shared:
        tables = {table.table: table for table in verify_raw(shared)}
    assert tables["documents"].n_files == tables["word_documents"].n_files == n_shards


def test_two_writers_one_killed_again_and_again(postgres: Postgres, tmp_path: Path) -> None:
    address = address_of(postgres.new_catalog(), tmp_path / "lake")
    first = home_with_shards(tmp_path / "first", range(N_TRANSACTIONS))
    # 20 shards are in both homes: whoever comes first registers them
    second = home_with_shards(tmp_path / "second", range(N_TRANSACTIONS - 20, 2 * N_TRANSACTIONS - 20))
    n_shards = 2 * N_TRANSACTIONS - 20
    reader, pause = Watching(address), random.Random(8)
    steady, killed = start_writer(second, address), start_writer(first, address)
    try:
        for n_seen in (10, 40, 80):
            reader.wait_for(n_seen)
            time.sleep(pause.uniform(0, 0.05))
            killed.kill()
            killed.communicate()
            killed = start_writer(first, address)
        by_steady, by_killed = finish(steady), finish(killed)
    finally:
        reader.stop()
    assert not set(by_steady) & set(by_killed)
    check_all_there(address, n_shards)
    assert reader.torn == []
    assert reader.seen == sorted(reader.seen)
    assert len(set(reader.seen)) > 10  # it did look in between
    assert finish(start_writer(first, address)) == finish(start_writer(second, address)) == []
    check_all_there(address, n_shards)


def test_a_killed_server_tears_nothing_and_writers_go_on_when_it_is_back(tmp_path: Path) -> None:
    with Postgres.started() as server:
        address = address_of(server.new_catalog(), tmp_path / "lake")
        homes = [home_with_shards(tmp_path / "a", range(60)), home_with_shards(tmp_path / "b", range(50, 110))]
        reader = Watching(address)
        writers = [start_writer(home, address) for home in homes]
        try:
            for n_seen in (10, 50):
                reader.wait_for(n_seen)
                server.kill()
                time.sleep(0.3)
                server.start()
            for writer in writers:
                finish(writer)
        finally:
            reader.stop()
        assert reader.torn == []
        check_all_there(address, 110)


def test_a_server_that_stays_away_ends_a_writer_in_one_line(tmp_path: Path) -> None:
    with Postgres.started() as server:
        address = address_of(server.new_catalog(), tmp_path / "lake")
        home = home_with_shards(tmp_path / "home", range(200))
        reader = Watching(address)
        writer = start_writer(home, address, wait_s=1)
        try:
            reader.wait_for(5)
            server.kill()
            _, err = writer.communicate(timeout=60)
        finally:
            reader.stop()
        assert writer.returncode == 1
        assert len(err.strip().splitlines()) == 1
        assert "run this again to go on" in err
        server.start()
        n_shards, torn = look(address)
        assert torn == []
        assert 5 <= n_shards < 200
        assert len(finish(start_writer(home, address))) == 200 - n_shards
        check_all_there(address, 200)
