"""Words found in text: the whole list in one pass, exactly by the rules of method section 1.

Everything works on a batch of documents at once: short documents would otherwise drown in per-call costs.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import ahocorasick_rs
import numpy as np
import numpy.typing as npt

from warehouse.scripts import SEPARATED, UNSEPARATED, edge_classes, fold

MATCH_POLICY = "text"
_SEPARATOR = "\0"  # stands between documents; a boundary, and in no document and no word
_CHUNK_CHARS = 1 << 17  # characters searched at once: bounds the list of raw matches, and stays in the cache
_FIRST_LEAD = {2: 0xC0, 3: 0xE0, 4: 0xF0}  # the smallest first byte of a character of so many bytes


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
        patterns = [pattern.encode() for pattern in self.patterns]
        self._n_bytes = np.array([len(pattern) for pattern in patterns], np.int64)
        self._automaton = ahocorasick_rs.BytesAhoCorasick(patterns, implementation=ahocorasick_rs.Implementation.DFA)

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
        text_bytes = np.concatenate([[0], token_ends])[token_offsets]  # where each text begins, then the end of all
        # one separator byte stands before each text but the first
        first_bytes = text_bytes[:-1] + np.arange(len(texts))
        places, patterns = self._search(_SEPARATOR.join(texts))
        documents = np.searchsorted(first_bytes, places, "right") - 1
        tokens = np.searchsorted(token_ends, places - documents, "right") - np.asarray(token_offsets)[documents]

        repeats = self._n_words[patterns]
        within = np.arange(repeats.sum()) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        words = self._words[np.repeat(self._first[patterns], repeats) + within]
        return _grouped(np.repeat(documents, repeats), words, np.repeat(tokens, repeats))

    def _search(self, text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return (first UTF-8 byte, pattern) of every match between boundaries."""
        found = [(np.empty(0, np.int64), np.empty(0, np.int64))]
        n_bytes_before = 0
        for begin in range(0, len(text) if self.patterns else 0, _CHUNK_CHARS):
            # one character before and after what is searched, for the boundaries
            margin = text[begin - 1 : begin] if begin else ""
            chunk = text[begin : begin + _CHUNK_CHARS]
            rest = text[begin + _CHUNK_CHARS : begin + _CHUNK_CHARS + self.max_chars + 1]
            n_margin, n_chunk = len(margin.encode()), len(chunk.encode())
            places, patterns = self._search_chunk(margin + chunk + rest)
            own = (places >= n_margin) & (places < n_margin + n_chunk)
            found.append((places[own] + n_bytes_before - n_margin, patterns[own]))
            n_bytes_before += n_chunk
        places, patterns = (np.concatenate(column) for column in zip(*found, strict=True))
        return places, patterns

    def _search_chunk(self, text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        raw = text.encode()
        haystack, original_byte = _folded_bytes(text, raw)
        matches = self._automaton.find_matches_as_indexes(haystack, overlapping=True)
        patterns = np.fromiter(map(itemgetter(0), matches), np.int64, len(matches))
        begins = np.fromiter(map(itemgetter(1), matches), np.int64, len(matches))
        ends = begins + self._n_bytes[patterns]
        if original_byte is not None:
            begins, ends = original_byte[begins], original_byte[ends]
        # boundaries around the text stand for its ends; the rest lets every character be read as four bytes
        padded = np.frombuffer(b"\0" + raw + b"\0\0\0\0", np.uint8)
        last_byte = begins.copy()  # of the character before
        for _ in range(3):
            last_byte -= (padded[last_byte] & 0xC0) == 0x80
        keep = (_class_at(padded, last_byte) != SEPARATED) | ~self._needs_left[patterns]
        keep &= (_class_at(padded, ends + 1) != SEPARATED) | ~self._needs_right[patterns]
        return begins[keep], patterns[keep]


def _folded_bytes(text: str, raw: bytes) -> tuple[bytes, npt.NDArray[np.int64] | None]:
    """Return a text's simple case folding in UTF-8, and for each of its bytes, and its end, the byte of `raw` there.

    The second is None when every character keeps its length: then the places are the same.
    """
    # Python folds fully, which is faster and the same thing as long as no character changes its length
    folded = text.casefold().encode()
    if len(folded) == len(raw) and (raw.isascii() or np.array_equal(_is_lead(folded), _is_lead(raw))):
        return folded, None
    folded = fold(text).encode()
    original = np.append(np.flatnonzero(_is_lead(raw)), len(raw))
    return folded, original[np.append(np.cumsum(_is_lead(folded)) - 1, len(original) - 1)]


def _is_lead(data: bytes) -> npt.NDArray[np.bool_]:
    """Tell for each byte whether a character begins with it."""
    return (np.frombuffer(data, np.uint8) & 0xC0) != 0x80


def _class_at(data: npt.NDArray[np.uint8], leads: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Return the edge class of the characters that begin at some bytes."""
    code_points = data[leads].astype(np.int64)
    for n_bytes, mask in ((2, 0x1F), (3, 0x0F), (4, 0x07)):
        longer = np.flatnonzero(data[leads] >= _FIRST_LEAD[n_bytes])
        value = data[leads[longer]].astype(np.int64) & mask
        for i in range(1, n_bytes):
            value = (value << 6) | (data[leads[longer] + i] & 0x3F)
        code_points[longer] = value
    return edge_classes()[code_points]


def normalise_word(word: str) -> str:
    """Return a word in the form it is looked for: NFC, simple case folding."""
    return fold(unicodedata.normalize("NFC", word))


def _grouped(
    documents: npt.NDArray[np.int64], words: npt.NDArray[np.int64], tokens: npt.NDArray[np.int64]
) -> WordMatches:
    order = np.lexsort((tokens, words, documents))
    documents, words, tokens = documents[order], words[order], tokens[order]
    is_new = np.ones(len(order), bool)
    is_new[1:] = (documents[1:] != documents[:-1]) | (words[1:] != words[:-1])
    first = np.flatnonzero(is_new)
    return WordMatches(documents[first], words[first], np.concatenate([first, [len(order)]]), tokens.astype(np.int32))
