"""`pivots count` from the command line."""

import sys
from pathlib import Path

import pytest

from support.corpora.counted import random_corpus, write_corpus
from warehouse.base.settings import Home
from warehouse.cli import main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command and return its exit code."""
    monkeypatch.setattr(sys, "argv", ["pivots", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_count_prints_what_it_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = random_corpus(2)
    write_corpus(Home(tmp_path), made)
    arguments = ["count", "--corpus", "c", "--home", str(tmp_path), "--unit", "window", "--window-tokens", "10"]
    assert run(monkeypatch, *arguments) == 0
    first = capsys.readouterr().out
    assert "units (window_10)" in first
    assert f"{sum(len(d.tokens) for d in made.docs()):,} tokens" in first
    for word in ("strata", "words", "cells", "edges", " s\n"):
        assert word in first
    assert run(monkeypatch, *arguments) == 0
    assert "was already there" in capsys.readouterr().out


def test_wrong_requests_end_with_2_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "count", "--corpus", "nowhere", "--home", str(tmp_path)) == 2
    error = capsys.readouterr().err
    assert error.startswith("pivots: no corpus 'nowhere'")
    assert error.count("\n") == 1
    assert run(monkeypatch, "count", "--corpus", "c", "--unit", "page", "--home", str(tmp_path)) == 2
