"""A home and a small tokenizer for every test of ingesting."""

from pathlib import Path

import pytest

from support.corpora.files import write_tokenizer
from warehouse.base.settings import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def tokenizer(tmp_path: Path) -> Path:
    return write_tokenizer(tmp_path)
