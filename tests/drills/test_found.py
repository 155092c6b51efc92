"""Every input that a fuzzer once broke a reader with, and a short run of changed ones."""

import itertools
from pathlib import Path

import pytest

from drills.fuzz import FOUND, changed
from drills.parsers import parsers

N_CHANGED = 150
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", name="readers")
def all_readers(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return parsers(tmp_path_factory.mktemp("readers") / "work")


def test_what_was_found_is_kept_under_the_name_of_a_reader(readers: dict) -> None:
    assert {folder.name for folder in FOUND.iterdir()} <= set(readers)


@pytest.mark.parametrize("path", sorted(FOUND.glob("*/*")), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_an_input_that_once_broke_a_reader_is_read_or_refused(readers: dict, path: Path) -> None:
    readers[path.parent.name].read(path.read_bytes())


def test_changed_inputs_are_read_rejected_or_refused(readers: dict) -> None:
    for reader in readers.values():
        for data in itertools.islice(changed(reader.seeds, seed=20), N_CHANGED):
            reader.read(data)
