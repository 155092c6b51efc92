"""`pivots build --engine spark`: what it refuses before any work, without Spark."""

import importlib.util
import sys
from pathlib import Path

import pytest

from warehouse import cli
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.engines.spark.session import spark_session


@pytest.mark.parametrize("option", [["--slim"], ["--print-env"], ["--catalog", "ducklake:lake.ducklake"]])
def test_what_only_duckdb_does_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: list[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pivots", "build", "--engine", "spark", "--home", str(tmp_path), *option])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert "--engine spark" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_missing_pyspark_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pyspark" else find(name))
    with pytest.raises(UsageError, match="setup-engines"), spark_session(Home(tmp_path), app_name="none"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_missing_java_is_named_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="Java"), spark_session(Home(tmp_path), app_name="none"):
        pass
