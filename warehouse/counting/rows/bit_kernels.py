"""Numba kernels for pairs of frequent tokens: one bit per unit and token, so 64 units are compared at once.

Counting a pair by increments costs one step per unit that holds both; by bits, one step per 64 units, whoever holds
what. For the most frequent tokens, where most of the increments would be, bits are several times cheaper.
"""

import numpy as np
from numba import njit

from warehouse.counting.units.bit_intrinsics import count_ones

_TILE_WORDS = 256  # words of a token in one tile, at most: the rows of a few dozen tokens stay in the cache
_BLOCK_ROWS = 64
# What a pair of tokens costs by bits, against one increment: in all, and per 64 units. Measured as 10 and 0.15 with
# 512-bit vectors that count bits; without them the second is about twice that, and still pays.
_PAIR_COST = 10
_WORD_COST = 0.15
# What it costs to find where a unit's frequent tokens end, in increments.
_SKIP_COST = 30


def empty_bits(n_units: int, n_ranks: int) -> np.ndarray:
    """Return uint64[tiles, n_ranks, words] of zeros, with room for one bit per unit and rank."""
    n_words = -(-n_units // 64)
    n_tiles = -(-n_words // _TILE_WORDS)
    return np.zeros((n_tiles, n_ranks, -(-n_words // max(n_tiles, 1))), np.uint64)


def bit_work(n_ranks: int, n_units: int) -> np.ndarray:
    """Return float64[ranks]: what each rank's row costs by bits, in increments."""
    return np.arange(n_ranks) * (_PAIR_COST + _WORD_COST * n_units / 64)


def frequent_ranks(row_work: np.ndarray, n_units: int) -> int:
    """Return how many of the first ranks cost less by bits than by increments, taken together.

    Args:
        row_work: int64[ranks], increments of each rank's row.
    """
    saved = np.cumsum(row_work - bit_work(row_work.size, n_units))
    return int(saved.argmax()) + 1 if saved.size and saved.max() > 0 else 0


def frequent_columns(n_docs: np.ndarray, n_word_docs: np.ndarray, n_units: int, most: int) -> np.ndarray:
    """Return int64[words]: how many of the first ranks each word's row counts cheaper by bits than by increments.

    Args:
        n_docs: n(x) by rank. n_word_docs: n(w). most: no word gets more.
    """
    cost = _PAIR_COST + _WORD_COST * n_units / 64
    rates = n_docs[:most] / n_units
    # expected increments n(w) r(x) fall with the rank
    columns = (
        np.searchsorted(-rates, -cost / np.maximum(n_word_docs, 1)) if most else np.zeros(n_word_docs.size, np.int64)
    )
    saved = n_word_docs * (np.concatenate([[0], np.cumsum(rates)])[columns] - _SKIP_COST) - columns * cost
    return np.where(saved > 0, columns, 0)


@njit(nogil=True, cache=True)
def set_bits(ids, starts, tile, bits):
    """Set the bit of every unit and frequent token in one tile.

    Args:
        ids, starts: the unit sets, ranks ascending.
        tile, bits: the number of a tile and the tile, uint64[ranks, words], zeros.
    """
    size = bits.shape[1] * 64
    first = tile * size
    for unit in range(first, min(first + size, starts.size - 1)):
        word = (unit - first) >> 6
        bit = np.uint64(1) << np.uint64((unit - first) & 63)
        for i in range(starts[unit], starts[unit + 1]):
            if ids[i] >= bits.shape[0]:
                break
            bits[ids[i], word] |= bit


@njit(nogil=True, cache=True)
def _count_joint(a, b):
    joint = np.uint64(0)
    for i in range(a.size):
        joint += count_ones(a[i] & b[i])
    return joint


@njit(nogil=True, cache=True)
def add_frequent_rows(bits, first, last, cells, origin):
    """Count the rows of the frequent ranks in [first, last) over one chunk.

    Args:
        bits: uint64[tiles, frequent ranks, words], each tile as `set_bits` leaves it.
        cells: uint32, the rows of the triangle of ranks from position `origin` on.
    """
    for tile in range(bits.shape[0]):
        rows = bits[tile]
        for block in range(0, last, _BLOCK_ROWS):
            for x in range(max(first, block + 1), last):
                begin = np.int64(x) * (x - 1) // 2 - origin
                for y in range(block, min(block + _BLOCK_ROWS, x)):
                    cells[begin + y] += np.uint32(_count_joint(rows[x], rows[y]))


@njit(nogil=True, cache=True)
def add_frequent_columns(bits, words, word_units, first, last, n_frequent, cells, first_row, width):
    """Count the frequent columns of the words in [first, last) over one chunk.

    Args:
        bits: as in `add_frequent_rows`.
        words, word_units: which unit holds which word, grouped by word.
        n_frequent: int64 by word, how many columns.
        cells: uint32, the rows of all words from `first_row` on, `width` cells each.
    """
    most = n_frequent[first:last].max()
    if most == 0:
        return
    n_tiles, _, n_words = bits.shape
    own = np.zeros((last - first, n_tiles * n_words), np.uint64)
    for match in range(np.searchsorted(words, first), np.searchsorted(words, last)):
        unit = word_units[match]
        own[words[match] - first, unit >> 6] |= np.uint64(1) << np.uint64(unit & 63)
    for tile in range(n_tiles):
        columns = bits[tile]
        for block in range(0, most, _BLOCK_ROWS):
            for word in range(first, last):
                begin = (np.int64(word) - first_row) * width
                row = own[word - first, tile * n_words : (tile + 1) * n_words]
                for x in range(block, min(block + _BLOCK_ROWS, n_frequent[word])):
                    cells[begin + x] += np.uint32(_count_joint(row, columns[x]))
