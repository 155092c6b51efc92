"""How tokens read, and what counts as the same content."""

import hashlib
from pathlib import Path

import pytest

from warehouse.contract.hashing import file_hash, text_hash
from warehouse.contract.token_text import text_of_bytes, visible_space


@pytest.mark.parametrize(
    ("token", "text"),
    [
        (b"water", "water"),
        (" 水".encode(), " 水"),
        (b"\xe4", "<0xE4>"),
        (b" \xe6\xb0", " <0xE6><0xB0>"),
        (b"a\xffb", "a<0xFF>b"),
        (b"", ""),
    ],
)
def test_bytes_that_are_no_character_show_as_numbers(token: bytes, text: str) -> None:
    assert text_of_bytes(token) == text


def test_white_space_shows() -> None:
    assert visible_space(" a\tb\n") == "␣a⇥b⏎"


def test_hashes_of_files_and_texts_are_blake2b_of_their_bytes(tmp_path: Path) -> None:
    text = "水" * 700_000  # more than one block
    (tmp_path / "f").write_text(text, encoding="utf-8")
    for size in (8, 16, 32):
        expected = hashlib.blake2b(text.encode(), digest_size=size).hexdigest()
        assert file_hash(tmp_path / "f", digest_size=size) == expected
    assert text_hash(text) == file_hash(tmp_path / "f")
