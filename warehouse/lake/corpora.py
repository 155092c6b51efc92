"""The corpora of a home and their tokenizers."""

from dataclasses import dataclass
from pathlib import Path

from warehouse.base.settings import Home


@dataclass(frozen=True, slots=True)
class Corpus:
    """A row of raw.corpora."""

    corpus: str
    tokenizer_hash: str
    tokenizer_name: str
    vocab_size: int
    eos_token_id: int | None


def tokenizer_file(home: Home, tokenizer_hash: str) -> Path:
    """Return where the lake keeps a tokenizer."""
    return home.lake / "tokenizers" / f"{tokenizer_hash}.json"
