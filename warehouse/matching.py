"""Words found in text: the whole list in one pass, exactly by the rules of method section 1.

Everything works on a batch of documents at once: short documents would otherwise drown in per-call costs.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import ahocorasick_rs
import numpy as np
import numpy.typing as npt

from warehouse.scripts import SEPARATED, UNSEPARATED, edge_classes, fold, simple_folding

MATCH_POLICY = "text"
_SEPARATOR = "\0"  # stands between documents; a boundary, and in no document and no word
_CHUNK_CHARS = 1 << 21  # characters searched at once: bounds the list of raw matches


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
            if not pattern.strip() or _SEPARATOR in pattern:
                raise ValueError(f"cannot look for the word {word!r}")
        self.patterns = sorted(set(folded))
        self.max_chars = max(map(len, self.patterns), default=0)
        by_pattern: dict[str, list[int]] = {pattern: [] for pattern in self.patterns}
        for index, pattern in enumerate(folded):
            by_pattern[pattern].append(index)
        # words of several languages may share a pattern: pattern p stands for words[first[p]:first[p+1]]
        self._n_words = np.array([len(by_pattern[p]) for p in self.patterns], np.int64)
        self._first = np.concatenate([[0], np.cumsum(self._n_words)])
        self._words = np.array([i for p in self.patterns for i in by_pattern[p]], np.int64)
        classes = edge_classes()
        self._needs_left = np.array([classes[ord(p[0])] != UNSEPARATED for p in self.patterns], bool)
        self._needs_right = np.array([classes[ord(p[-1])] != UNSEPARATED for p in self.patterns], bool)
        self._automaton = (
            ahocorasick_rs.BytesAhoCorasick(
                [p.encode() for p in self.patterns], implementation=ahocorasick_rs.Implementation.DFA
            )
            if self.patterns
            else None
        )

    def match(
        self,
        texts: Sequence[str],
        token_ends: npt.NDArray[np.integer],
        token_offsets: npt.NDArray[np.integer],
    ) -> WordMatches:
        """Find every word in every text; overlapping matches all count.

        Args:
            texts: NFC texts without NUL.
            token_ends: for the tokens of all texts, one after another, the UTF-8 byte at which each ends, counted over
                all texts without separators.
            token_offsets: where each text's tokens begin in `token_ends` (length: texts + 1).
        """
        joined = _SEPARATOR.join(texts)
        code_points = np.frombuffer(joined.encode("utf-32-le"), np.uint32)
        first_chars = _starts(np.fromiter(map(len, texts), np.int64, len(texts)) + 1)
        found = [
            self._search(code_points, begin, min(begin + _CHUNK_CHARS, len(code_points)))
            for begin in range(0, len(code_points), _CHUNK_CHARS)
        ]
        chars = np.concatenate([chars for chars, _ in found]) if found else np.empty(0, np.int64)
        patterns = np.concatenate([patterns for _, patterns in found]) if found else np.empty(0, np.int64)

        documents = np.searchsorted(first_chars, chars, "right") - 1
        # one separator byte stands before each document but the first
        first_bytes = _byte_offsets(code_points, chars) - documents
        tokens = np.searchsorted(token_ends, first_bytes, "right") - np.asarray(token_offsets)[documents]

        repeats = self._n_words[patterns]
        within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        words = self._words[np.repeat(self._first[patterns], repeats) + within]
        return _grouped(np.repeat(documents, repeats), words, np.repeat(tokens, repeats))

    def _search(
        self, code_points: npt.NDArray[np.uint32], begin: int, end: int
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return (first character, pattern) of the matches that begin in [begin, end)."""
        nothing = np.empty(0, np.int64), np.empty(0, np.int64)
        if self._automaton is None:
            return nothing
        # one character before and after, for the boundaries
        low = max(begin - 1, 0)
        window = code_points[low : end + self.max_chars + 1]
        haystack = simple_folding()[window].tobytes().decode("utf-32-le").encode()
        matches = self._automaton.find_matches_as_indexes(haystack, overlapping=True)
        if not matches:
            return nothing
        patterns, first_byte, end_byte = np.array(matches, np.int64).T
        if len(haystack) == len(window):
            first, last = first_byte, end_byte - 1
        else:
            is_first_byte = (np.frombuffer(haystack, np.uint8) & 0xC0) != 0x80
            char_of_byte = np.cumsum(is_first_byte, dtype=np.int32) - 1
            first, last = char_of_byte[first_byte], char_of_byte[end_byte - 1]
        # a boundary on both sides of the window stands for the ends of the text
        classes = np.zeros(len(window) + 2, np.uint8)
        classes[1:-1] = edge_classes()[window]
        keep = (classes[first] != SEPARATED) | ~self._needs_left[patterns]
        keep &= (classes[last + 2] != SEPARATED) | ~self._needs_right[patterns]
        begins = first.astype(np.int64) + low
        keep &= (begins >= begin) & (begins < end)
        return begins[keep], patterns[keep]


def normalise_word(word: str) -> str:
    """Return a word in the form it is looked for: NFC, simple case folding."""
    return fold(unicodedata.normalize("NFC", word))


def _starts(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.cumsum(lengths) - lengths


def _byte_offsets(code_points: npt.NDArray[np.uint32], chars: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the UTF-8 byte offset of some characters."""
    n_extra = (code_points >= 0x80).astype(np.uint8)
    if not n_extra.any():
        return chars
    n_extra += code_points >= 0x800
    n_extra += code_points >= 0x10000
    before = np.cumsum(n_extra, dtype=np.int64) - n_extra
    return chars + before[chars]


def _grouped(
    documents: npt.NDArray[np.int64], words: npt.NDArray[np.int64], tokens: npt.NDArray[np.int64]
) -> WordMatches:
    order = np.lexsort((tokens, words, documents))
    documents, words, tokens = documents[order], words[order], tokens[order]
    is_new = np.ones(len(order), bool)
    is_new[1:] = (documents[1:] != documents[:-1]) | (words[1:] != words[:-1])
    first = np.flatnonzero(is_new)
    return WordMatches(documents[first], words[first], np.concatenate([first, [len(order)]]), tokens.astype(np.int32))
