"""A list of words as a trie over code points, and the kernel that finds them in UTF-8 text in one pass.

An Aho-Corasick automaton reads every byte and reports every occurrence, of which boundaries then refuse most (`art` in
`part`). Here a trie is walked from the places where a word may begin, which in text of scripts that separate words is
about one character in six.

The trie is a double array (Aoe 1989): the child of slot `s` by code `c` is `t = base[s] + c` if `check[t] == s`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from warehouse.text.scripts import BOUNDARY, N_CODE_POINTS, SEPARATED, UNSEPARATED, edge_classes, simple_folding

_INVALID = 0x1A  # a byte that is no UTF-8 counts as this character, a boundary
_BYTES_PER_MATCH = 16  # of text; where there are more matches it is gone through twice
_MOST_TRIES = 32  # places that are looked at for one node's children before fuller parts of the array are given up
_BASE, _CHECK, _WORD = range(3)


@dataclass(frozen=True)
class Trie:
    """Folded words. The root is slot 0."""

    codes: npt.NDArray[np.int32]  # [N_CODE_POINTS]: the letter of the trie, folded or not; 0 is in no word
    slots: npt.NDArray[np.int32]  # [slots, 3]: base (0 without children), check, the word that ends here or -1
    is_bounded: npt.NDArray[np.bool_]  # [words, 2]: needs a boundary before it, after it


def build_trie(words: Sequence[str]) -> Trie:
    """Return the trie of some distinct folded words, none of them empty."""
    counts = Counter(character for word in words for character in word)
    # frequent letters are close together, so that the array is dense
    code_of = {character: i for i, (character, _) in enumerate(sorted(counts.items(), key=lambda c: (-c[1], c[0])), 1)}
    edges: dict[tuple[int, int], int] = {}  # (node, code) -> node; a node has a larger number than its parent
    ends = []
    for word in words:
        node = 0
        for character in word:
            node = edges.setdefault((node, code_of[character]), len(edges) + 1)
        ends.append(node)
    order = sorted(edges)
    parents, codes = (np.array(column, np.int64) for column in zip(*order, strict=True)) if order else _NO_EDGES
    nodes = np.array([edges[edge] for edge in order], np.int64)
    word_of = np.full(len(edges) + 1, -1, np.int32)
    word_of[ends] = np.arange(len(ends))
    by_folded = np.zeros(N_CODE_POINTS, np.int32)
    for character, code in code_of.items():
        by_folded[ord(character)] = code
    classes = edge_classes()
    return Trie(
        codes=by_folded[simple_folding()],
        slots=_place(parents, codes, nodes, word_of, len(code_of)),
        is_bounded=np.array(
            [[classes[ord(edge)] != UNSEPARATED for edge in (word[0], word[-1])] for word in words], bool
        ).reshape(-1, 2),
    )


def find_words(
    trie: Trie, data: bytes, token_ends: npt.NDArray[np.integer], token_offsets: npt.NDArray[np.integer]
) -> npt.NDArray[np.int32]:
    """Return int32[3, matches]: text, word, token of the text that holds the first byte; in the order of the texts.

    Args:
        data: UTF-8 of all texts, one after another. A byte that is no UTF-8 is a boundary.
        token_ends: for all tokens the byte of `data` at which each ends.
        token_offsets: where each text's tokens begin in `token_ends` (length: texts + 1).
    """
    text_bytes, ends = np.frombuffer(data, np.uint8), np.asarray(token_ends, np.int32)
    offsets = np.asarray(token_offsets, np.int64)
    room = len(data) // _BYTES_PER_MATCH + 1
    while True:
        found = np.empty((3, room), np.int32)
        n_found = _find(text_bytes, ends, offsets, edge_classes(), trie.codes, trie.slots, trie.is_bounded, found)
        if n_found <= room:
            return found[:, :n_found]
        room = n_found


_NO_EDGES = (np.empty(0, np.int64), np.empty(0, np.int64))


def _place(
    parents: npt.NDArray[np.int64],
    codes: npt.NDArray[np.int64],
    nodes: npt.NDArray[np.int64],
    word_of: npt.NDArray[np.int32],
    n_codes: int,
) -> npt.NDArray[np.int32]:
    """Return the double array of some edges, which are sorted by parent, then code."""
    room = 2 * len(word_of) + 2 * n_codes + 2
    while True:
        slots = np.full((room, 3), -1, np.int32)
        slots[:, _BASE] = 0
        n_used = _fill(slots, parents, codes, nodes, word_of, n_codes)
        if n_used:
            return slots[:n_used].copy()
        room *= 2


@njit(cache=True)
def _fill(slots, parents, codes, nodes, word_of, n_codes):
    """Give every node a slot; return how many slots there are, codes beyond the last included, or 0: no room."""
    slot_of = np.zeros(word_of.size, np.int64)
    is_used = np.zeros(slots.shape[0], np.bool_)
    is_used[0] = True
    first_free, last_used, edge = 1, 0, 0
    slots[0, _WORD] = word_of[0]
    while edge < parents.size:
        end = edge
        while end < parents.size and parents[end] == parents[edge]:
            end += 1
        while first_free < is_used.size and is_used[first_free]:
            first_free += 1
        least, n_tries = max(first_free, codes[edge] + 1), 0
        while True:
            base = least - codes[edge]
            if base + codes[end - 1] >= is_used.size:
                return 0
            fits = True
            for i in range(edge, end):
                fits = fits and not is_used[base + codes[i]]
            if fits:
                break
            least += 1
            n_tries += 1
        if n_tries > _MOST_TRIES:
            first_free = max(first_free, least - _MOST_TRIES)
        parent = slot_of[parents[edge]]
        slots[parent, _BASE] = base
        for i in range(edge, end):
            slot = base + codes[i]
            is_used[slot] = True
            slots[slot, _CHECK], slots[slot, _WORD] = parent, word_of[nodes[i]]
            slot_of[nodes[i]] = slot
            last_used = max(last_used, slot)
        edge = end
    return last_used + n_codes + 1 if last_used + n_codes < slots.shape[0] else 0


@njit(nogil=True, cache=True)
def _character(data, at, end):
    """Return (code point, bytes) of the character that begins at a byte; (_INVALID, 1) where none does before `end`."""
    lead = np.int32(data[at])
    if lead < 0x80:
        return lead, 1
    if lead < 0xC2 or lead > 0xF4:
        return np.int32(_INVALID), 1
    width = 2 + (lead >= 0xE0) + (lead >= 0xF0)
    if at + width > end:
        return np.int32(_INVALID), 1
    code_point = lead & (0x7F >> width)
    for i in range(1, width):
        byte = np.int32(data[at + i])
        if byte & 0xC0 != 0x80:
            return np.int32(_INVALID), 1
        code_point = code_point << 6 | byte & 0x3F
    too_long = (width == 3 and code_point < 0x800) or (width == 4 and code_point < 0x10000)
    if too_long or 0xD800 <= code_point < 0xE000 or code_point > 0x10FFFF:
        return np.int32(_INVALID), 1
    return np.int32(code_point), width


@njit(nogil=True, cache=True)
def _find(data, token_ends, token_offsets, classes, codes, slots, is_bounded, found):
    """Write the matches to int32[3, room] as far as there is room; return how many there are."""
    n_found, end = 0, 0
    for text in range(token_offsets.size - 1):
        begin, token = end, token_offsets[text]
        end = token_ends[token_offsets[text + 1] - 1] if token_offsets[text + 1] else 0
        at, class_before = begin, np.uint8(BOUNDARY)
        while at < end:
            point, width = _character(data, at, end)
            class_here, code = classes[point], codes[point]
            slot = 0
            if code and not (class_before == SEPARATED and class_here == SEPARATED):
                after = at + width
                while code and slots[slot, _BASE]:
                    child = slots[slot, _BASE] + code
                    if slots[child, _CHECK] != slot:
                        break
                    slot = child
                    class_after, code, n_more = np.uint8(BOUNDARY), np.int32(0), 0
                    if after < end:
                        point, n_more = _character(data, after, end)
                        class_after, code = classes[point], codes[point]
                    word = slots[slot, _WORD]
                    if (
                        word >= 0
                        and not (class_before == SEPARATED and is_bounded[word, 0])
                        and not (class_after == SEPARATED and is_bounded[word, 1])
                    ):
                        while token_ends[token] <= at:
                            token += 1
                        if n_found < found.shape[1]:
                            found[0, n_found], found[1, n_found] = text, word
                            found[2, n_found] = token - token_offsets[text]
                        n_found += 1
                    after += n_more
            class_before = class_here
            at += width
    return n_found
