"""A cut of the power, on paper: what was not synced is lost, and nothing else is."""

from pathlib import Path

import pytest

from drills import power


def line(what: str, path: Path, other: Path | str = "", kept: Path | str = "") -> str:
    return f"{what}\t{path}\t{other}\t{kept}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which `new` was written, synced and renamed to `name`, over an older one, and then `late` begun."""
    (tmp_path / "name").write_text("new")
    (tmp_path / "late").write_text("late")
    (tmp_path / "kept").write_text("old")
    return tmp_path


def log(folder: Path, *, synced_folder: bool) -> list[str]:
    lines = [
        line("create", folder / "new"),
        line("write", folder / "new"),
        line("sync", folder / "new"),
        line("rename", folder / "new", folder / "name", folder / "kept"),
    ]
    lines += [line("sync", folder)] if synced_folder else []
    return [*lines, line("create", folder / "late"), line("write", folder / "late")]


def test_bytes_that_were_not_synced_are_lost(folder: Path) -> None:
    power.lose_bytes(log(folder, synced_folder=True))
    assert (folder / "name").read_text() == "new"
    assert (folder / "late").read_text() == ""


def test_a_name_whose_folder_was_synced_stays(folder: Path) -> None:
    power.lose_names(log(folder, synced_folder=True), spared="none")
    assert (folder / "name").read_text() == "new"
    assert not (folder / "late").exists()


def test_a_name_whose_folder_was_not_synced_is_what_it_was(folder: Path) -> None:
    power.lose_names(log(folder, synced_folder=False), spared="none")
    assert (folder / "name").read_text() == "old"
    assert not (folder / "new").exists()


def test_files_that_guard_themselves_are_left_alone(folder: Path) -> None:
    power.lose_names(log(folder, synced_folder=True), spared="late")
    assert (folder / "late").read_text() == "late"


def test_a_renamed_folder_takes_its_unsynced_files_along(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "file").write_text("x")
    lines = [line("write", tmp_path / "a" / "file"), line("rename", tmp_path / "a", tmp_path / "b")]
    power.lose_bytes(lines)
    assert (tmp_path / "b" / "file").read_text() == ""


def test_what_was_deleted_and_not_synced_comes_back(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("old")
    power.lose_names([line("unlink", tmp_path / "gone", "", tmp_path / "kept")], spared="none")
    assert (tmp_path / "gone").read_text() == "old"
