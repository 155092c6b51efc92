"""What killed commands left is listed, and removed when asked to; what is new stays."""

import os
import time
from pathlib import Path

from warehouse.base.settings import Home
from warehouse.contract.atomic import unfinished_path
from warehouse.operations.clean_up import remove_leftovers, survey


def left_by_a_kill(path: Path, *, days_ago: float) -> Path:
    """Write a file under the hidden name that a command would have renamed to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_path(path)
    unfinished.write_text("half")
    then = time.time() - days_ago * 86_400
    os.utime(unfinished, (then, then))
    return unfinished


def test_unfinished_files_go_when_they_are_old(tmp_path: Path) -> None:
    home = Home(tmp_path)
    old = left_by_a_kill(home.report_file, days_ago=3)
    new = left_by_a_kill(home.exports / "e" / "manifest.json", days_ago=0)
    found = survey(home, older_than_days=2)
    assert [leftover.name(home) for leftover in found.leftovers] == [old.name]
    assert found.n_too_young == 1
    (removed,) = remove_leftovers(home, older_than_days=2).leftovers
    assert removed.n_bytes == len("half")
    assert not old.exists()
    assert new.exists()


def test_what_lies_in_a_leftover_goes_with_it(tmp_path: Path) -> None:
    home = Home(tmp_path)
    folder = left_by_a_kill(home.exports / "e", days_ago=0)
    folder.unlink()
    left_by_a_kill(folder / "deep" / "tokens.bin", days_ago=0)
    (removed,) = remove_leftovers(home, older_than_days=0).leftovers
    assert removed.path == folder
    assert not folder.exists()
