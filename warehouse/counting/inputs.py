"""What a count reads: the lake's files of one corpus, and the identity of all of it together."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.contract.hashing import file_hash, short_hash
from warehouse.counting.options import CountOptions
from warehouse.lake.corpora import find_corpus
from warehouse.lake.files import current_files, shard_path

_FORMAT = 1  # raise when the same inputs and options would give other rows


@dataclass(frozen=True)
class CountInputs:
    """Files of one corpus, sorted by name. File names carry content hashes, so names identify contents."""

    corpus: str
    documents: tuple[Path, ...]
    word_documents: tuple[Path, ...]
    items: tuple[Path, ...]
    superseded: Path | None
    tokenizer_hash: str
    vocab_size: int

    def hashes(self) -> dict[str, str]:
        """Return name -> hash of everything the counts depend on, beside the options."""
        return {
            "documents": short_hash([p.stem for p in self.documents]),
            "superseded_documents": file_hash(self.superseded) if self.superseded else "",
            "word_documents": short_hash([p.stem for p in self.word_documents]),
            "translation_items": short_hash([p.stem for p in self.items]),
            "tokenizer": self.tokenizer_hash,
        }

    def count_id(self, options: CountOptions) -> str:
        """Return the identity of the counts of these inputs with these options."""
        return short_hash([_FORMAT, self.corpus, self.hashes(), options.as_dict()])


def find_inputs(home: Home, corpus: str) -> CountInputs:
    """Find the files of a corpus.

    Raises:
        UsageError: there is no such corpus, or it holds no document file.
    """
    registered = find_corpus(home, corpus)
    documents = _files(home, "documents", corpus)
    if not documents:
        raise UsageError(f"corpus {corpus!r} in {home.root} holds no documents yet: run its `pivots ingest` again")
    superseded = shard_path(home, "superseded_documents", "state", corpus=corpus)
    return CountInputs(
        corpus=corpus,
        documents=tuple(documents),
        word_documents=tuple(_files(home, "word_documents", corpus)),
        items=tuple(current_files(home, "translation_items")),
        superseded=superseded if superseded.exists() else None,
        tokenizer_hash=registered.tokenizer_hash,
        vocab_size=registered.vocab_size,
    )


def _files(home: Home, table: str, corpus: str) -> list[Path]:
    return [p for p in current_files(home, table) if p.parent.name == corpus]


def item_pairs(inputs: CountInputs) -> np.ndarray:
    """Return int64[pairs, 2]: the word ids that stand in one item, smaller id first, sorted, distinct."""
    words_of: dict[int, set[int]] = {}
    for path in inputs.items:
        table = pq.ParquetFile(path).read()
        for item, word in zip(table["item_id"].to_pylist(), table["word_id"].to_pylist(), strict=True):
            words_of.setdefault(item, set()).add(word)
    pairs = {(a, b) for words in words_of.values() for a in words for b in words if a < b}
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)
