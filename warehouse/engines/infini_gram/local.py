"""An infini-gram index in a folder, asked through the engine of the package `infini-gram`."""

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from warehouse.base.errors import StepFailed, UsageError
from warehouse.engines.infini_gram.files import NOT_INSTALLED, Shard, fingerprint, open_shards
from warehouse.engines.infini_gram.questions import Answer, Index, Query
from warehouse.text.vocabulary import Vocabulary

_MAX_PLACES = 20_000_000  # documents of a word are looked up in memory: 8 bytes a place
_KEPT_WORDS = 64  # their documents are kept: an item has as many words as languages


def local_index(
    folder: Path, *, tokenizer_hash: str, vocabulary: Vocabulary, max_diff_tokens: int, max_clause_freq: int
) -> Index:
    """Return the index in a folder. Answers count documents, too, for words of up to 20 million places.

    Args:
        vocabulary: of the tokenizer that the index was made with.

    Raises:
        UsageError: the package is missing, or there is no such index, or one of another token width.
    """
    if not folder.is_dir():
        raise UsageError(f"--index {folder}: no such folder; an index behind an API needs --url")
    shards = open_shards(folder)
    widths = {shard.token_bytes for shard in shards}
    if len(widths) > 1 or (widths == {2} and len(vocabulary) > 0xFFFF):
        raise UsageError(
            f"--index {folder}: its tokens have {8 * min(widths)} bits, too few for the {len(vocabulary):,} tokens of "
            "this tokenizer; name the index's own with --tokenizer"
        )
    engine = _open_engine(folder.resolve(), token_bytes=widths.pop(), vocab_size=len(vocabulary))

    @lru_cache(maxsize=_KEPT_WORDS)
    def find(query: tuple[int, ...]) -> tuple[int, tuple[npt.NDArray[np.int64], ...] | None]:
        """Return the places of some tokens, and the documents by shard unless there are too many."""
        found = _checked(engine.find(input_ids=list(query)))
        if found["cnt"] > _MAX_PLACES:
            return found["cnt"], None
        ranks = zip(shards, found["segment_by_shard"], strict=True)
        return found["cnt"], tuple(shard.documents(begin, end) for shard, (begin, end) in ranks)

    def ask(queries: tuple[Query, ...]) -> Answer:
        ids = [query for query in queries if not isinstance(query, str)]
        assert len(ids) == len(queries), "a folder has no tokenizer: it is asked for token ids"
        if not ids:
            return Answer(_size(shards), False, sum(len(shard.offsets) for shard in shards))
        found = [find(query) for query in ids]
        documents = [by_shard for _, by_shard in found if by_shard is not None]
        if len(ids) == 1:
            return Answer(found[0][0], False, sum(map(len, documents[0])) if documents else None)
        counted = _checked(
            engine.count_cnf(
                cnf=[[list(query)] for query in ids],
                max_clause_freq=max_clause_freq,
                max_diff_tokens=max_diff_tokens,
            )
        )
        n_docs = None
        if len(documents) == len(ids):
            shared = (np.intersect1d(a, b, assume_unique=True) for a, b in zip(*documents, strict=True))
            n_docs = sum(map(len, shared))
        return Answer(counted["count"], counted["approx"], n_docs)

    return Index(
        "local", folder.resolve().name, "", fingerprint(folder), tokenizer_hash, max_diff_tokens, max_clause_freq, ask
    )


def _size(shards: list[Shard]) -> int:
    return sum(shard.n_tokens for shard in shards)


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        raise StepFailed(f"the infini-gram engine does not answer: {answer['error']}")
    return answer


def _open_engine(folder: Path, *, token_bytes: int, vocab_size: int) -> Any:
    try:
        from infini_gram.engine import InfiniGramEngine
    except ImportError:
        raise UsageError(NOT_INSTALLED) from None
    # the engine takes every path with `table` in it for a suffix array, also for the name of a folder above: a link
    # keeps the user's names out of sight. The files stay mapped when it is gone.
    with tempfile.TemporaryDirectory(prefix="pivots-") as link_folder:
        link = Path(link_folder) / "index"
        link.symlink_to(folder, target_is_directory=True)
        return InfiniGramEngine(
            index_dir=str(link),
            eos_token_id=0,  # counting never uses it: documents end at separators
            vocab_size=vocab_size,
            token_dtype=f"u{8 * token_bytes}",
        )
