"""The drill of hostile statements, on some of them, and that it sees what it looks for."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from drills.statements import drill
from warehouse.base.settings import Home
from warehouse.serving.sql import published_query


@pytest.mark.slow
def test_nothing_is_read_written_or_endless(tmp_path: Path) -> None:
    outcome = drill(tmp_path, 400, seed=7)
    assert outcome["failures"] == []
    assert outcome["ends"]["rows"] > 20


@pytest.mark.slow
def test_an_open_connection_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def opened(home: Home, text: str) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = duckdb.connect(str(home.published_file.resolve()))
        try:
            yield connection
        finally:
            connection.close()

    monkeypatch.setattr(published_query, "open_for_query", opened)
    monkeypatch.setattr(published_query, "check", lambda connection, text: text)
    said = "\n".join(drill(tmp_path, 300, seed=7)["failures"])
    assert "read: " in said
    assert "changed " in said
