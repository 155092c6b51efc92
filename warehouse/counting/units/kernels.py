"""Numba kernels that turn token sequences into units: sorted sets of distinct ids, and their length bins.

They release the GIL and are called from threads; none of them allocates.
"""

import numpy as np
from numba import njit

from warehouse.counting.units.bit_intrinsics import leading_zeros, trailing_zeros

_WORD = 64


def make_bitmap(n_ids: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an empty two-level bitmap for ids below `n_ids`: one bit per id, one bit per word of ids."""
    n_words = n_ids // _WORD + 1
    return np.zeros(n_words, np.uint64), np.zeros(n_words // _WORD + 1, np.uint64)


@njit(nogil=True, cache=True, inline="always")
def _mark(low, high, value):
    word = value >> 6
    low[word] |= np.uint64(1) << np.uint64(value & 63)
    high[word >> 6] |= np.uint64(1) << np.uint64(word & 63)


@njit(nogil=True, cache=True)
def _drain(low, high, out, at):
    """Write the marked ids in ascending order to `out[at:]`, clear the bitmap, return the end."""
    for i in range(high.size):
        words = high[i]
        high[i] = np.uint64(0)
        while words != 0:
            w = (i << 6) + np.int64(trailing_zeros(words))
            words &= words - np.uint64(1)
            bits = low[w]
            low[w] = np.uint64(0)
            while bits != 0:
                out[at] = (w << 6) + np.int64(trailing_zeros(bits))
                bits &= bits - np.uint64(1)
                at += 1
    return at


@njit(nogil=True, cache=True)
def distinct_tokens(tokens, doc_starts, unit_tokens, low, high, vocab_size, ids, unit_starts):
    """Cut documents into units and write each unit's distinct token ids, ascending.

    Args:
        tokens: int32, where the documents' ids are.
        doc_starts: int64[n_docs + 1], where each document starts in `tokens`.
        unit_tokens: tokens of a unit; 0 makes every document one unit. A document without tokens has no unit.
        low, high: an empty bitmap of `make_bitmap` for `vocab_size` ids; empty again afterwards.
        ids: receives the sets; as long as the documents have tokens.
        unit_starts: int64[n_units + 1], receives where each unit's set starts.

    Returns:
        False when a token id is not below `vocab_size`.
    """
    unit = 0
    at = 0
    unit_starts[0] = 0
    for doc in range(doc_starts.size - 1):
        start = doc_starts[doc]
        while start < doc_starts[doc + 1]:
            end = doc_starts[doc + 1]
            if 0 < unit_tokens < end - start:
                end = start + unit_tokens
            for i in range(start, end):
                token = np.int64(tokens[i])
                if token < 0 or token >= vocab_size:
                    return False
                _mark(low, high, token)
            at = _drain(low, high, ids, at)
            unit += 1
            unit_starts[unit] = at
            start = end
    return True


@njit(nogil=True, cache=True)
def replace_ids(ids, starts, unit_from, unit_to, new_ids, low, high):
    """Replace every id of the units [unit_from, unit_to) by `new_ids[id]` and sort each set again, in place."""
    for unit in range(unit_from, unit_to):
        for i in range(starts[unit], starts[unit + 1]):
            _mark(low, high, np.int64(new_ids[ids[i]]))
        _drain(low, high, ids, starts[unit])


@njit(nogil=True, cache=True)
def length_bins(starts, bins):
    """Write `floor(2*log2(d))` of each set's size d to `bins`, in integers.

    It is the largest b with 2^b <= d*d, which is the position of the highest bit of d*d: exact at every boundary.
    """
    for unit in range(starts.size - 1):
        size = np.uint64(starts[unit + 1] - starts[unit])
        bins[unit] = 63 - np.int64(leading_zeros(size * size))


@njit(nogil=True, cache=True)
def count_by_stratum(ids, starts, unit_strata, counts):
    """Add every unit's ids to `counts[stratum, id]`."""
    for unit in range(starts.size - 1):
        row = counts[unit_strata[unit]]
        for i in range(starts[unit], starts[unit + 1]):
            row[ids[i]] += np.uint32(1)


@njit(nogil=True, cache=True)
def add_row_work(ids, starts, work):
    """Add to `work[rank]` how many smaller ranks stand beside it in all units: the increments of its row."""
    for unit in range(starts.size - 1):
        for i in range(starts[unit], starts[unit + 1]):
            work[ids[i]] += i - starts[unit]


@njit(nogil=True, cache=True)
def count_words(words, word_units, unit_strata, counts):
    """Add every word's units to `counts[word, stratum]`."""
    for match in range(words.size):
        counts[words[match], unit_strata[word_units[match]]] += np.int32(1)
