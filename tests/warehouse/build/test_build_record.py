"""A build that did not end well leaves a mark, and nobody publishes what it left."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from support.homes.handmade import make_marts, published_home
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.build import build as building
from warehouse.build.build_record import is_build_unfinished, unfinished_build
from warehouse.serving.publish import publish, read_manifest

KILLED = """
import os, signal, sys
from pathlib import Path
from warehouse.base.settings import Home
from warehouse.build import build
build.run_dbt = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
build.build(Home(Path(sys.argv[1])))
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return published_home(tmp_path)


def fail(home: Home, select: Sequence[str], error: BaseException) -> None:
    with pytest.raises(type(error)), unfinished_build(home, select):
        raise error


def test_a_build_killed_while_dbt_runs_is_not_published(home: Home) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(home.root)], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(UsageError, match=r"did not finish.*pivots build"):
        publish(home)
    manifest = read_manifest(home)
    assert manifest is not None
    assert manifest["number"] == 1


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StepFailed("a test failed"), MemoryError()])
def test_however_a_build_ends_badly_a_whole_one_puts_it_right(home: Home, error: BaseException) -> None:
    fail(home, (), error)
    with pytest.raises(UsageError, match="did not finish"):
        publish(home)
    with unfinished_build(home):
        assert is_build_unfinished(home)
    assert publish(home).manifest["number"] == 1


def test_a_part_puts_right_itself_only(home: Home) -> None:
    fail(home, ["a+"], StepFailed("x"))
    with unfinished_build(home, ["b"]):
        pass
    assert is_build_unfinished(home)
    with unfinished_build(home, ["a+"]):
        pass
    assert not is_build_unfinished(home)
    fail(home, (), StepFailed("x"))
    fail(home, ["a+"], StepFailed("x"))
    with unfinished_build(home, ["a+"]):
        pass
    assert is_build_unfinished(home)


def test_a_request_that_is_refused_leaves_no_mark_and_takes_none_away(home: Home) -> None:
    fail(home, ["no_such_model"], UsageError("matches no model"))
    assert not is_build_unfinished(home)
    fail(home, (), StepFailed("x"))
    fail(home, ["no_such_model"], UsageError("matches no model"))
    assert is_build_unfinished(home)


def test_the_mark_is_there_before_dbt_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    make_marts(home)
    seen = []

    def look(home: Home, *_: object, **__: object) -> None:
        seen.append(is_build_unfinished(home))
        raise StepFailed("seen")

    monkeypatch.setattr(building, "run_dbt", look)
    with pytest.raises(StepFailed, match="seen"):
        building.build(home)
    assert seen == [True]
