"""Publishing: whole copies, swapped atomically, readable while the next ones come."""

import json
import multiprocessing
from pathlib import Path

import duckdb
import pytest

from support.homes.handmade import make_marts, published_home, write_rows
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.lake.connections import open_published, open_writer, writer_lock
from warehouse.serving.publish import publish, published_numbers, read_manifest


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    make_marts(made)
    return made


def change_a_mart(home: Home, marker: int) -> None:
    """Make two marts agree on a marker, so that a reader can see a torn copy."""
    with duckdb.connect(str(home.warehouse_file)) as connection:
        for name in ("marker_first", "marker_second"):
            connection.execute(f"create or replace table marts.{name} as select {marker} as marker from range(1000)")


def test_a_copy_holds_the_marts_and_lookup_tables_and_says_so(home: Home) -> None:
    write_rows(home, "rejects", [{"step": "ingest", "source_file": "a", "line_number": 1, "reason": "no text"}])
    made = publish(home)
    assert made.is_new
    with open_published(home) as connection:
        for name, table in made.manifest["tables"].items():
            assert connection.execute(f"select count(*) from {name}").fetchone() == (table["n_rows"],)
        assert connection.execute("select reason from raw.rejects").fetchall() == [("no text",)]
    assert made.manifest["tables"]["marts.dim_documents"]["n_rows"] == 60
    assert read_manifest(home) == made.manifest == json.loads((made.folder / "manifest.json").read_text())


def test_views_become_tables_and_comments_survive(home: Home) -> None:
    with open_writer(home) as connection:
        connection.execute("create view marts.fct_view as select 1 as one")
        connection.execute("comment on view marts.fct_view is 'One row. It''s a test.'")
        connection.execute("comment on column marts.dim_tokens.token is 'Decoded text.'")
    publish(home)
    with open_published(home) as connection:
        tables = connection.execute("select comment from duckdb_tables() where table_name = 'fct_view'").fetchall()
        columns = connection.execute(
            "select comment from duckdb_columns() where table_name = 'dim_tokens' and column_name = 'token'"
        ).fetchall()
    assert (tables, columns) == ([("One row. It's a test.",)], [("Decoded text.",)])


def test_publishing_again_without_a_change_swaps_nothing(home: Home) -> None:
    first = publish(home)
    again = publish(home)
    assert (again.is_new, again.folder) == (False, first.folder)
    assert published_numbers(home) == [1]


@pytest.mark.slow
def test_the_content_hash_ignores_row_order_and_sees_one_changed_value(home: Home) -> None:
    def hash_of(sql: str) -> str:
        with open_writer(home) as connection:
            connection.execute(f"create or replace table marts.fct_x as {sql}")
        return publish(home).manifest["tables"]["marts.fct_x"]["content_hash"]

    rows = hash_of("select i, i % 7 as b from range(100) t(i)")
    assert hash_of("select i, i % 7 as b from range(100) t(i) order by i desc") == rows
    assert hash_of("select i, if(i = 50, 0, i % 7) as b from range(100) t(i)") != rows
    # equal rows do not cancel out
    assert hash_of("select 1 as a from range(2)") != hash_of("select 1 as a from range(4)")


def test_the_last_copies_are_kept_and_an_open_one_stays_readable(home: Home) -> None:
    change_a_mart(home, 0)
    publish(home, keep=2)
    with open_published(home) as reader:
        for marker in range(1, 5):
            change_a_mart(home, marker)
            publish(home, keep=2)
        assert published_numbers(home) == [4, 5]
        assert reader.execute("select distinct marker from marts.marker_second").fetchall() == [(0,)]
    with open_published(home) as reader:
        assert reader.execute("select distinct marker from marts.marker_second").fetchall() == [(4,)]


def test_leftovers_of_a_killed_publish_go_away(home: Home) -> None:
    leftover = home.serving / ".unfinished-abcd-1"
    leftover.mkdir(parents=True)
    (leftover / "warehouse.duckdb").write_bytes(b"half")
    (home.serving / ".unfinished-abcd-current").symlink_to("1")  # killed right before the copy became the current one
    publish(home)
    assert sorted(p.name for p in home.serving.iterdir()) == ["1", "current"]
    (home.serving / ".unfinished-abce-current").symlink_to("1")
    publish(home)
    assert sorted(p.name for p in home.serving.iterdir()) == ["1", "current"]


def test_nothing_built_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing is ingested"):
        publish(Home(tmp_path))
    with duckdb.connect(str(Home(tmp_path).warehouse_file)):
        pass
    with pytest.raises(UsageError, match="nothing is ingested"):
        publish(Home(tmp_path))
    assert published_numbers(Home(tmp_path)) == []


def test_nothing_published_is_a_usage_error(home: Home) -> None:
    with pytest.raises(UsageError, match=r"nothing is (published|ingested)"), open_published(home):
        pass


def test_readers_do_not_block_the_writer(tmp_path: Path) -> None:
    home = published_home(tmp_path)
    with open_published(home) as reader, writer_lock(home, wait_seconds=0), open_writer(home) as writer:
        writer.execute("create table marts.more as select 1 as one")
        assert reader.execute("select count(*) from marts.dim_documents").fetchone() == (60,)


def read_until_told(
    home: Home, stop: "multiprocessing.Event", failures: "multiprocessing.Queue", reads: "multiprocessing.Queue"
) -> None:  # type: ignore[name-defined]
    n_reads = 0
    while not stop.is_set():
        try:
            with open_published(home) as connection:
                (first,) = connection.execute("select distinct marker from marts.marker_first").fetchall()
                (second,) = connection.execute("select distinct marker from marts.marker_second").fetchall()
            if first != second:
                failures.put(f"torn: {first} and {second}")
            n_reads += 1
        except Exception as error:
            failures.put(repr(error))
    reads.put(n_reads)


@pytest.mark.slow
def test_readers_in_other_processes_never_fail_while_copies_are_swapped(home: Home) -> None:
    change_a_mart(home, 0)
    publish(home, keep=1)
    context = multiprocessing.get_context("spawn")
    stop, failures, reads = context.Event(), context.Queue(), context.Queue()
    readers = [context.Process(target=read_until_told, args=(home, stop, failures, reads)) for _ in range(8)]
    for reader in readers:
        reader.start()
    for marker in range(1, 21):
        change_a_mart(home, marker)
        assert publish(home, keep=1).is_new
    stop.set()
    n_reads = sum(reads.get(timeout=30) for _ in readers)
    for reader in readers:
        reader.join(timeout=30)
    assert failures.empty(), failures.get()
    assert n_reads > len(readers)
