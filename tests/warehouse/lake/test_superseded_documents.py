"""Records that other files replace, after an ingest that was killed before it had looked for them."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from support.corpora.files import document, rows, write_jsonl, write_tokenizer
from warehouse.base.errors import StepFailed
from warehouse.base.settings import Home
from warehouse.build.build import build
from warehouse.counting.count import count_corpus
from warehouse.counting.options import CountOptions
from warehouse.lake.connections import writer_lock
from warehouse.lake.files import shard_path, write_table
from warehouse.lake.schemas import STATE
from warehouse.lake.superseded_documents import bring_all_superseded_up_to_date, bring_superseded_up_to_date

KILLED = """
import os, signal, sys
from pathlib import Path
from warehouse.base.settings import Home
from warehouse.ingest import corpus
if sys.argv[4] == "kill":
    corpus.update_superseded = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
corpus.ingest_corpus(Home(Path(sys.argv[1])), [Path(sys.argv[2])], corpus="c", tokenizer=sys.argv[3])
"""
SEEN = "select source_id, count(*) from raw.documents group by 1 order by 1"


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose second file was committed by a process that was killed then: both files hold a record `same`."""
    folder = tmp_path_factory.mktemp("interrupted")
    home, tokenizer = Home(folder / "home"), write_tokenizer(folder)
    for name, code, how in (("a", 0, "finish"), ("b", -signal.SIGKILL, "kill")):
        path = write_jsonl(folder / f"{name}.jsonl", [document("same", f"text of {name}"), document(name, "other")])
        command = [sys.executable, "-c", KILLED, str(home.root), str(path), str(tokenizer), how]
        assert subprocess.run(command, env=os.environ | {"PIVOTS_THREADS": "1"}).returncode == code
    return home


@pytest.fixture
def home(interrupted: Home, tmp_path: Path) -> Home:
    """A copy of its own for each test."""
    home = Home(tmp_path / "home")
    shutil.copytree(interrupted.root, home.root, symlinks=True)
    assert rows(home, SEEN) == [("a", 1), ("b", 1), ("same", 2)]  # stale, or this tests nothing
    return home


def test_build_sees_one_record_of_each_id(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(home: Home, *_: object, **__: object) -> None:
        with duckdb.connect(str(home.warehouse_file), read_only=True) as connection:
            seen.extend(connection.execute(SEEN).fetchall())
        raise StepFailed("seen")

    seen: list[tuple[str, int]] = []
    monkeypatch.setattr("warehouse.build.build.run_dbt", look)
    with pytest.raises(StepFailed, match="seen"):
        build(home)
    assert seen == [("a", 1), ("b", 1), ("same", 1)]
    assert rows(home, "select reason from raw.rejects") == [("duplicate id with other text",)]


def test_what_is_up_to_date_is_left_alone(home: Home) -> None:
    state = shard_path(home, "superseded_documents", "state", corpus="c")
    with writer_lock(home):
        bring_superseded_up_to_date(home, "c")
        found = state.stat()
        bring_all_superseded_up_to_date(home)
        bring_all_superseded_up_to_date(Home(home.root / "empty"))
    assert (state.stat().st_ino, state.stat().st_mtime_ns) == (found.st_ino, found.st_mtime_ns)
    assert rows(home, SEEN) == [("a", 1), ("b", 1), ("same", 1)]


@pytest.mark.parametrize("newest", ["state", "shards"])
def test_neither_clocks_nor_copies_without_times_change_what_is_found(home: Home, newest: str) -> None:
    """Every time as after `cp -r`, an object store, or beside a machine whose clock is ahead."""
    state = shard_path(home, "superseded_documents", "state", corpus="c")
    for path in home.lake.rglob("*.parquet"):
        seconds = 2e9 if (path == state) == (newest == "state") else 1e9
        os.utime(path, (seconds, seconds))
    with writer_lock(home):
        bring_superseded_up_to_date(home, "c")
    assert rows(home, SEEN) == [("a", 1), ("b", 1), ("same", 1)]


def test_a_state_that_does_not_say_what_it_was_made_of_is_made_again(home: Home) -> None:
    state = shard_path(home, "superseded_documents", "state", corpus="c")
    bring_superseded_up_to_date(home, "c")
    right = state.read_bytes()
    empty = STATE["superseded_documents"].empty_table()
    for spoil in ("no name", "other state"):
        if spoil == "no name":  # as an earlier version left it
            state.with_name("state.made-of").unlink()
        write_table(state, "superseded_documents", empty)  # as of a backup from before the second file
        assert rows(home, SEEN) == [("a", 1), ("b", 1), ("same", 2)]
        bring_superseded_up_to_date(home, "c")
        assert rows(home, SEEN) == [("a", 1), ("b", 1), ("same", 1)]
        assert state.read_bytes() == right, spoil


def test_a_count_of_a_copied_home_is_right(home: Home) -> None:
    for path in home.lake.rglob("*.parquet"):
        os.utime(path, (1e9, 1e9))
    copy = Home(home.root.parent / "copy")
    shutil.copytree(home.root, copy.root, copy_function=shutil.copyfile)
    assert count_corpus(copy, "c", CountOptions()).n_units == 3
