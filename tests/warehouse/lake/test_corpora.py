"""Corpora by name, and their tokenizers."""

from dataclasses import asdict
from pathlib import Path

import pytest

from support.homes.handmade import write_rows
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.lake.corpora import copy_tokenizer, find_corpus, read_corpora, tokenizer_file
from warehouse.lake.files import read_table


def register(home: Home, *names: str) -> None:
    for name in names:
        row = {"corpus": name, "tokenizer_hash": f"hash of {name}", "tokenizer_name": "t", "vocab_size": 7}
        write_rows(home, "corpora", [row], name="corpus", corpus=name)


def test_an_unknown_corpus_is_named_with_those_that_exist_and_the_way_out(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(UsageError, match=r"no corpus 'wiki' in .*: there is none yet; `pivots ingest"):
        find_corpus(home, "wiki")
    register(home, "web", "news")
    with pytest.raises(UsageError, match=r"no corpus 'wiki' in .*: there are news, web; `pivots ingest"):
        find_corpus(home, "wiki")


def test_a_corpus_is_its_row_whatever_its_columns(tmp_path: Path) -> None:
    """Identities of exports are hashes of this row."""
    home = Home(tmp_path)
    register(home, "web", "news")
    (row,) = (row for row in read_table(home, "corpora").to_pylist() if row["corpus"] == "web")
    assert asdict(find_corpus(home, "web")) == row
    assert list(read_corpora(home)) == ["news", "web"]


def test_a_tokenizer_is_copied_byte_for_byte(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    kept = tokenizer_file(home, "abc")
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b'{"mots": "\xc5\x93uvre"}\r\n')
    copy_tokenizer(home, "abc", tmp_path)
    assert (tmp_path / "tokenizer.json").read_bytes() == kept.read_bytes()
