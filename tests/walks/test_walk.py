"""A walk fails where its person would: when a command ends otherwise, or does not show what they came for."""

from pathlib import Path

import pytest

from walks.__main__ import PAGE, with_measured
from walks.walk import Walk, WalkFailed


@pytest.fixture
def walk(tmp_path: Path) -> Walk:
    (tmp_path / "walk").mkdir()
    return Walk("somebody", tmp_path / "walk")


def test_what_is_shown_is_held_to_what_is_needed(walk: Walk) -> None:
    assert walk.types("echo found it", shows=("^found",)) == "found it\n"
    with pytest.raises(WalkFailed, match=r"echo nothing\n.*does not show 'found'\n.*nothing"):
        walk.types("echo nothing", shows=("found",))
    with pytest.raises(WalkFailed, match="exit code 3"):
        walk.types("exit 3")
    assert [step.command for step in walk.steps] == ["echo found it", "echo nothing", "exit 3"]


def test_a_refusal_is_one_line(walk: Walk) -> None:
    walk.types("echo do this first; exit 2", refused=True, shows=("do this",))
    with pytest.raises(WalkFailed, match="exit code 0"):
        walk.types("true", refused=True)
    with pytest.raises(WalkFailed, match="more than one line"):
        walk.types("echo Traceback; echo do this; exit 2", refused=True)


def test_nothing_is_set_for_us_and_the_command_is_this_checkouts(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIVOTS_HOME", "/elsewhere")
    assert walk.types('echo "${PIVOTS_HOME-none}"') == "none\n"
    assert walk.types("command -v pivots").strip() == str(walk.folder.parent / "commands" / "pivots")


def test_the_page_has_a_place_for_what_is_measured(walk: Walk) -> None:
    walk.types("true")
    page = with_measured(PAGE.read_text(), [walk])
    assert "| somebody | 1 | 0 s |" in page
    assert with_measured(page, [walk]) == page
