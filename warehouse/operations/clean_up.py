"""What a home keeps that nothing needs any more: replaced counts, unfinished files, and folders of finished work."""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.contract.atomic import UNFINISHED_PREFIX
from warehouse.contract.folders import EVALUATIONS
from warehouse.lake.connections import writer_lock
from warehouse.lake.files import read_table

_DAY_S = 86_400


@dataclass(frozen=True)
class Leftover:
    """A file or folder that may go, and why."""

    path: Path
    why: str
    n_bytes: int

    def name(self, home: Home) -> str:
        """Return the path within the home."""
        return str(self.path.relative_to(home.root))


@dataclass(frozen=True)
class Survey:
    """What a home keeps for nothing, and what was looked at: nothing found and nothing there are not the same.

    Attributes:
        leftovers: what may go, sorted by path.
        n_too_young: what will be, but was written to too recently.
        n_work_folders: folders of runs, whatever became of them.
        n_counts: counts of all corpora, the current ones included.
    """

    leftovers: list[Leftover]
    n_too_young: int
    n_work_folders: int
    n_counts: int


def survey(home: Home, *, older_than_days: float) -> Survey:
    """Return what may be removed and was not written to for N days.

    Raises:
        UsageError: the age is negative.
    """
    if older_than_days < 0:
        raise UsageError(f"--older-than-days {older_than_days:g}: give 0 or more")
    oldest = time.time() - older_than_days * _DAY_S
    known = dict([*_unfinished(home), *_work_folders(home), *_replaced_counts(home)])
    inside = {path for path in known if known.keys() & set(path.parents)}
    old = [path for path in known.keys() - inside if _last_write(path) <= oldest]
    return Survey(
        leftovers=[Leftover(path, known[path], _size(path)) for path in sorted(old)],
        n_too_young=len(known) - len(inside) - len(old),
        n_work_folders=sum(path.is_dir() for path in home.runs.glob("*")),
        n_counts=sum(path.is_dir() for path in (home.lake / "counts").glob("*/*")),
    )


def remove_leftovers(home: Home, *, older_than_days: float) -> Survey:
    """Remove the leftovers that `survey` finds, while nobody else writes; return it."""
    with writer_lock(home):
        found = survey(home, older_than_days=older_than_days)
        for leftover in found.leftovers:
            if leftover.path.is_dir() and not leftover.path.is_symlink():
                shutil.rmtree(leftover.path)
            else:
                leftover.path.unlink()
    return found


def _unfinished(home: Home) -> list[tuple[Path, str]]:
    """Return what killed commands left; a command that writes has changed its own a moment ago."""
    return [(path, "a command was killed in it") for path in home.root.rglob(f"{UNFINISHED_PREFIX}*")]


def _work_folders(home: Home) -> list[tuple[Path, str]]:
    """Return run folders that are done with: their results are kept elsewhere, or they never had any."""
    runs = read_table(home, "runs", columns=["run_id", "kind"]).to_pylist()
    kinds = {row["run_id"]: row["kind"] for row in runs}
    found = []
    for folder in home.runs.glob("*"):
        kind = kinds.get(folder.name)
        if kind is None:
            found.append((folder, "it never finished, and was not resumed"))
        elif kind in EVALUATIONS:
            found.append((folder, "its results are in the lake"))
    return found


def _replaced_counts(home: Home) -> list[tuple[Path, str]]:
    found = []
    for pointer in (home.lake / "counts").glob("*/current"):
        current = pointer.read_text().strip()
        others = [path for path in pointer.parent.iterdir() if path.is_dir() and path.name != current]
        found += [(folder, "another count is the current one") for folder in others]
    return found


def _last_write(path: Path) -> float:
    return max(each.lstat().st_mtime for each in [path, *path.rglob("*")])


def _size(path: Path) -> int:
    return sum(each.stat().st_size for each in [path, *path.rglob("*")] if each.is_file())
