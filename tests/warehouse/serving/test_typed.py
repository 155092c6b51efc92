"""Commands are named as their reader can type them: with --home where it is another home than theirs."""

from pathlib import Path

import pytest

from warehouse.base.settings import Home
from warehouse.operations.flow_process import flow_environment
from warehouse.serving.outcome import typed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIVOTS_HOME", raising=False)
    monkeypatch.delenv("PIVOTS_CALLERS_HOME", raising=False)
    return tmp_path


def test_home_is_named_unless_commands_take_it_by_themselves(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, other = Home(folder / "pivots-home"), Home(folder / "other")
    assert typed(usual, "sql") == "pivots sql"
    assert typed(other, "sql") == f"pivots sql --home {other.root}"
    monkeypatch.setenv("PIVOTS_HOME", str(other.root))
    assert typed(other, "sql") == "pivots sql"


def test_a_flow_names_commands_for_who_started_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo = Home.of_demo()
    for name, value in flow_environment(demo).items():
        if name.startswith("PIVOTS_"):
            monkeypatch.setenv(name, value)
    assert Home.resolve().root == demo.root, "the flow works on the demo's home"
    assert typed(demo, "dashboard") == f"pivots dashboard --home {folder / 'pivots-home' / 'demo'}"
