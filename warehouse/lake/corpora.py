"""The corpora of a home and their tokenizers."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.contract.folders import TOKENIZER
from warehouse.contract.tokenizer_identity import byte_hash, known_as
from warehouse.lake.files import read_table


@dataclass(frozen=True, slots=True)
class Corpus:
    """A row of raw.corpora."""

    corpus: str
    tokenizer_hash: str
    tokenizer_name: str
    vocab_size: int
    eos_token_id: int | None


def read_corpora(home: Home) -> dict[str, Corpus]:
    """Return the corpora of a home by name, sorted."""
    rows = read_table(home, "corpora").to_pylist()
    return {row["corpus"]: Corpus(**row) for row in sorted(rows, key=lambda row: row["corpus"])}


def find_corpus(home: Home, corpus: str) -> Corpus:
    """Return a corpus by its name.

    Raises:
        UsageError: there is none of this name; the message names those that there are.
    """
    corpora = read_corpora(home)
    if corpus not in corpora:
        known = f"there are {', '.join(corpora)}" if corpora else "there is none yet"
        raise UsageError(
            f"no corpus {corpus!r} in {home.root}: {known};"
            f" `pivots ingest PATH --corpus {corpus} --tokenizer FILE` makes it"
        )
    return corpora[corpus]


def tokenizer_file(home: Home, tokenizer_hash: str) -> Path:
    """Return where the lake keeps a tokenizer."""
    return home.lake / "tokenizers" / f"{tokenizer_hash}.json"


def recorded_tokenizer_hash(home: Home, content: bytes) -> str:
    """Return the hash that stands for a tokenizer in this home: of the same one that it keeps or has asked with.

    Tables join on it, so that in a home that earlier versions made, their hash of the bytes goes on.
    """
    kept = {file.stem: file for file in (home.lake / "tokenizers").glob("[!.]*.json")}
    name = known_as(content, kept)
    runs = read_table(home, "runs", columns=["tokenizer_hash"])["tokenizer_hash"].to_pylist()
    return byte_hash(content) if name not in kept and byte_hash(content) in runs else name


def copy_tokenizer(home: Home, tokenizer_hash: str, folder: Path) -> None:
    """Put a tokenizer that the lake keeps into a folder, under the name that the programs of `ml` look for."""
    shutil.copyfile(tokenizer_file(home, tokenizer_hash), folder / TOKENIZER)
