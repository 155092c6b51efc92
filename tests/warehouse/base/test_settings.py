"""Where warehouses live."""

from pathlib import Path

import pytest

from warehouse.base.settings import Home


def test_the_demo_has_a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIVOTS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert Home.of_demo().root == tmp_path / "pivots-home" / "demo"
    assert Home.of_demo(Path("mine")) == Home.resolve(Path("mine"))
    monkeypatch.setenv("PIVOTS_HOME", str(tmp_path / "set"))
    assert Home.of_demo().root == tmp_path / "set" / "demo"
    assert Home.resolve().root == tmp_path / "set"
