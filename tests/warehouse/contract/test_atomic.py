"""Files and folders appear whole or not at all, whatever call is the last one that a process makes."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from warehouse.contract.atomic import UNFINISHED_PREFIX, atomic_file, atomic_folder, commit_folder, remove_unfinished

CALLS = ("fsync", "replace", "rename", "rmdir", "unlink")


class Crash(BaseException):
    """The power is gone: no exception handler of the product may catch it."""


def write_file(folder: Path) -> None:
    with atomic_file(folder / "target") as unfinished:
        unfinished.write_text("new")


def write_folder(folder: Path) -> None:
    with atomic_folder(folder / "target", replace=True) as unfinished:
        (unfinished / "sub").mkdir()
        (unfinished / "a").write_text("new")
        (unfinished / "sub" / "b").write_text("new")


def content(folder: Path) -> dict[str, str] | None:
    target = folder / "target"
    if target.is_dir():
        return {str(path.relative_to(target)): path.read_text() for path in target.rglob("*") if path.is_file()}
    return {"": target.read_text()} if target.exists() else None


OLD_FILE, NEW_FILE = {"": "old"}, {"": "new"}
OLD_FOLDER, NEW_FOLDER = {"a": "old", "c": "old"}, {"a": "new", "sub/b": "new"}
WRITERS = [
    pytest.param(write_file, OLD_FILE, NEW_FILE, id="file"),
    pytest.param(write_folder, OLD_FOLDER, NEW_FOLDER, id="folder"),
]


def make_old(folder: Path, old: dict[str, str]) -> None:
    for name, text in old.items():
        path = folder / "target" / name if name else folder / "target"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def fail_from(patch: pytest.MonkeyPatch, at: int, *, only_once: bool, problem: type[BaseException]) -> list[str]:
    """Let call number `at` of those that touch the disk fail; return the list that names the calls as they are made."""
    made: list[str] = []

    def failing(name: str, whole: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            made.append(name)
            if len(made) - 1 == at or (len(made) - 1 > at and not only_once):
                raise problem(f"{name} fails")
            return whole(*args, **options)

        return call

    for name in CALLS:
        patch.setattr(os, name, failing(name, getattr(os, name)))
    return made


def n_calls(writer: Callable[[Path], None], folder: Path, old: dict[str, str]) -> int:
    make_old(folder, old)
    with pytest.MonkeyPatch.context() as patch:
        made = fail_from(patch, 10_000, only_once=True, problem=Crash)
        writer(folder)
        return len(made)


@pytest.mark.parametrize(("writer", "old", "new"), WRITERS)
@pytest.mark.parametrize("has_old", [True, False])
def test_after_a_crash_at_any_call_there_is_the_old_or_the_new(
    writer: Callable[[Path], None], old: dict[str, str], new: dict[str, str], has_old: bool, tmp_path: Path
) -> None:
    """Everything from that call on fails, as for a process that is gone; then the next writer clears up."""
    before = old if has_old else None
    seen = []
    for at in range(n_calls(writer, tmp_path / "count", old)):
        folder = tmp_path / str(at)
        folder.mkdir()
        if has_old:
            make_old(folder, old)
        with pytest.MonkeyPatch.context() as patch, pytest.raises(Crash):
            fail_from(patch, at, only_once=False, problem=Crash)
            writer(folder)
            raise Crash("only what is cleared up behind the commit was left")
        remove_unfinished(folder)
        assert content(folder) in (before, new), f"crash at call {at}"
        assert [path.name for path in folder.iterdir()] in ([], ["target"])
        seen.append(content(folder))
    assert seen[0] == before
    assert seen[-1] == new


@pytest.mark.parametrize(("writer", "old", "new"), WRITERS)
def test_after_a_failure_of_any_call_there_is_the_old_or_the_new_at_once(
    writer: Callable[[Path], None], old: dict[str, str], new: dict[str, str], tmp_path: Path
) -> None:
    """One call fails, as on a full disk, and the process lives on: nothing has to be cleared up first."""
    for at in range(n_calls(writer, tmp_path / "count", old)):
        folder = tmp_path / str(at)
        folder.mkdir()
        make_old(folder, old)
        with pytest.MonkeyPatch.context() as patch:
            fail_from(patch, at, only_once=True, problem=OSError)
            try:
                writer(folder)
            except OSError:
                pass
            else:
                assert content(folder) == new
        assert content(folder) in (old, new), f"failure of call {at}"
        if content(folder) == old:
            assert [path.name for path in folder.iterdir()] == ["target"]


def test_everything_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are of files that exist: contents first, then the folders, then the rename, then the parent."""
    log: list[str] = []
    by_number = {}
    whole_open, whole_fsync, whole_rename = os.open, os.fsync, os.rename

    def opened(path: Any, *args: Any, **options: Any) -> int:
        number = whole_open(path, *args, **options)
        by_number[number] = Path(path)
        return number

    def synced(number: int) -> None:
        path = by_number[number]
        log.append("unfinished" if path.name.startswith(UNFINISHED_PREFIX) else path.name)
        whole_fsync(number)

    def renamed(*args: Any, **options: Any) -> None:
        log.append("rename")
        whole_rename(*args, **options)

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    write_folder(tmp_path)
    assert sorted(log[:-3]) == ["a", "b", "sub"]
    assert log.index("b") < log.index("sub")
    assert log[-3:] == ["unfinished", "rename", tmp_path.name]


def test_without_replace_an_older_folder_stays(tmp_path: Path) -> None:
    make_old(tmp_path, OLD_FOLDER)
    with pytest.raises(OSError, match="not empty"), atomic_folder(tmp_path / "target") as unfinished:
        (unfinished / "a").write_text("new")
    assert content(tmp_path) == OLD_FOLDER
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_a_folder_that_several_processes_filled_is_committed_too(tmp_path: Path) -> None:
    make_old(tmp_path, OLD_FOLDER)
    ready = tmp_path / f"{UNFINISHED_PREFIX}target"
    ready.mkdir()
    (ready / "a").write_text("new")
    commit_folder(ready, tmp_path / "target", replace=True)
    assert content(tmp_path) == {"a": "new"}
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_failed_work_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "x") as unfinished:
        (unfinished / "half").write_text("half")
        raise RuntimeError
    with pytest.raises(RuntimeError), atomic_file(tmp_path / "y") as unfinished:
        unfinished.write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_killed_writer_leaves_only_what_the_next_one_removes(tmp_path: Path) -> None:
    program = f"""
        import os, signal
        from pathlib import Path
        from warehouse.contract.atomic import atomic_file, unfinished_path
        link = unfinished_path(Path({str(tmp_path / "link")!r}))
        link.symlink_to("nowhere")
        with atomic_file(Path({str(tmp_path / "t" / "f")!r})) as unfinished:
            unfinished.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False, env=os.environ)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "t" / "f").exists()
    assert remove_unfinished(tmp_path) == 2
    assert [path.name for path in tmp_path.rglob("*")] == ["t"]
