"""Words found in text: the whole list in one pass, exactly by the rules of method section 1.

Everything works on a batch of documents at once: short documents would otherwise drown in per-call costs.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from warehouse.text.scripts import fold
from warehouse.text.word_trie import build_trie, find_words


@dataclass(frozen=True, slots=True)
class WordMatches:
    """One row per document and word, sorted by document, then by the word's place in the list.

    `starts` holds the token index of every match, ascending within a row; row i has `starts[offsets[i]:offsets[i+1]]`.
    """

    documents: npt.NDArray[np.int64]  # index of the document in the batch
    words: npt.NDArray[np.int64]  # index of the word in the list
    offsets: npt.NDArray[np.int64]  # length: rows + 1
    starts: npt.NDArray[np.int32]


class WordMatcher:
    """A list of words, ready to be looked for. Building it costs milliseconds per thousand words."""

    def __init__(self, words: Sequence[str]) -> None:
        """Raises ValueError for a word that is empty or holds a NUL."""
        folded = [normalise_word(word) for word in words]
        for word, pattern in zip(words, folded, strict=True):
            if not pattern.strip() or "\0" in pattern:
                raise ValueError(f"cannot look for the word {word!r}")
        self.patterns = sorted(set(folded))
        by_pattern: dict[str, list[int]] = {pattern: [] for pattern in self.patterns}
        for index, pattern in enumerate(folded):
            by_pattern[pattern].append(index)
        # words of several languages may share a pattern: pattern p stands for words[first[p]:first[p+1]]
        self._n_words = np.array([len(by_pattern[p]) for p in self.patterns], np.int64)
        self._first = np.concatenate([[0], np.cumsum(self._n_words)])
        self._words = np.array([i for p in self.patterns for i in by_pattern[p]], np.int64)
        self._trie = build_trie(self.patterns)

    def match(
        self, data: bytes, token_ends: npt.NDArray[np.integer], token_offsets: npt.NDArray[np.integer]
    ) -> WordMatches:
        """Find every word in every text; overlapping matches all count.

        Args:
            data: NFC texts in UTF-8, one after another. A byte that is no UTF-8 (half a character at the edge of a
                training instance) is a boundary.
            token_ends: for the tokens of all texts, one after another, the byte of `data` at which each ends.
            token_offsets: where each text's tokens begin in `token_ends` (length: texts + 1).
        """
        documents, patterns, tokens = find_words(self._trie, data, token_ends, token_offsets)
        repeats = self._n_words[patterns]
        within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        words = self._words[np.repeat(self._first[patterns], repeats) + within]
        return _grouped(np.repeat(documents, repeats), words, np.repeat(tokens, repeats), len(self._words))


def normalise_word(word: str) -> str:
    """Return a word in the form it is looked for: NFC, simple case folding."""
    return fold(unicodedata.normalize("NFC", word))


def _grouped(
    documents: npt.NDArray[np.int32], words: npt.NDArray[np.int64], tokens: npt.NDArray[np.int32], n_words: int
) -> WordMatches:
    """Group matches, which come in the order of their documents and tokens, by document and word."""
    keys = documents * np.int64(n_words) + words
    order = np.argsort(keys, kind="stable")
    keys, starts = keys[order], tokens[order]
    is_new = np.ones(len(order), bool)
    is_new[1:] = keys[1:] != keys[:-1]
    first = np.flatnonzero(is_new)
    documents_of_rows, words_of_rows = np.divmod(keys[first], max(n_words, 1))
    return WordMatches(documents_of_rows, words_of_rows, np.concatenate([first, [len(order)]]), starts)
