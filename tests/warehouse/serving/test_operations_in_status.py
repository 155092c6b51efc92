"""What status knows of flows and of the inbox, and what clean-up says it looked at."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from support.homes.handmade import write_rows
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.cli import app
from warehouse.lake.flow_records import flow_records, recorded
from warehouse.lake.inbox import inbox_folders
from warehouse.serving.status import status


def run_failing(home: Home) -> None:
    with pytest.raises(UsageError), recorded(home, "refresh"):
        raise UsageError("corpus wiki: it is new:\n  set a tokenizer")


def test_the_last_run_of_a_flow_is_recorded_however_it_ends(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert flow_records(home) == []
    with recorded(home, "publish"):
        [running] = flow_records(home)
        assert (running.flow, running.state, running.ended_at) == ("publish", "running", "")
    run_failing(home)
    with pytest.raises(ZeroDivisionError), recorded(home, "train"):
        _ = 1 / 0
    states = {record.flow: (record.state, record.message) for record in flow_records(home)}
    assert states == {
        "publish": ("completed", ""),
        "refresh": ("failed", "corpus wiki: it is new: set a tokenizer"),
        "train": ("failed", "ZeroDivisionError: division by zero"),
    }
    assert all(record.ended_at >= record.started_at for record in flow_records(home))


def with_inbox(home: Home) -> None:
    """Leave a corpus of which one of two files is ingested, one that is new, and folders that are none."""
    for name, text in (("known/a.txt", "12345"), ("known/deep/b.txt", "1"), ("new/c.txt", "1"), (".hidden/d.txt", "1")):
        (home.inbox / name).parent.mkdir(parents=True, exist_ok=True)
        (home.inbox / name).write_text(text)
    (home.inbox / "empty").mkdir()
    write_rows(home, "corpora", [{"corpus": "known", "tokenizer_hash": "h", "tokenizer_name": "t"}], corpus="known")
    rows = [
        {"corpus": "known", "shard_id": "s", "source_file": "known/a.txt", "n_bytes": 5, "n_docs": 1, "n_rejects": 0}
    ]
    write_rows(home, "source_files", rows, corpus="known")


def test_the_inbox_says_what_is_not_ingested(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert inbox_folders(home) == []
    with_inbox(home)
    known, new = inbox_folders(home)
    assert (known.corpus, known.n_new_files, known.tokenizer) == ("known", 1, home.lake / "tokenizers" / "h.json")
    assert (new.corpus, new.n_new_files, new.tokenizer) == ("new", 1, None)
    (home.inbox / "known" / "a.txt").write_text("123456")  # another file of that name
    assert inbox_folders(home)[0].n_new_files == 2


def test_status_names_failed_flows_and_corpora_that_wait(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with_inbox(home)
    run_failing(home)
    described = status(home)
    assert [entry["what"] for entry in described["attention"]] == ["flow refresh", "inbox/new"]
    assert described["attention"][1]["fix"].endswith("--corpus new --tokenizer FILE")
    shown = CliRunner().invoke(app, ["status", "--home", str(tmp_path)], env={"COLUMNS": "200"}).output
    assert "known: 1 files to ingest" in shown
    assert "new: 1 files to ingest; no such corpus yet" in shown
    assert "it is new: set a tokenizer" in shown


def test_clean_up_says_what_it_looked_at(tmp_path: Path) -> None:
    home = Home(tmp_path)
    said = CliRunner().invoke(app, ["clean-up", "--home", str(tmp_path)]).output
    assert f"looked at 0 work folders in {home.runs} and 0 counts; 0 more" in said
    for name in ("train-old", "train-young"):
        (home.runs / name).mkdir(parents=True)
    os.utime(home.runs / "train-old", (0, 0))
    said = CliRunner().invoke(app, ["clean-up", "--home", str(tmp_path)]).output
    assert "runs/train-old" in said
    assert "looked at 2 work folders" in said
    assert "1 more are done with, but were written to within 30 days" in said
