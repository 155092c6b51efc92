"""Which words of one item share units: n(s,t)."""

import numpy as np
from numba import njit

from warehouse.counting.tables.writer import Columns
from warehouse.counting.units.chunks import Chunk
from warehouse.counting.units.corpus_units import Corpus, Units


def count_word_pairs(pairs: np.ndarray, corpus: Corpus) -> np.ndarray:
    """Return int64[pairs], n(s,t) of pairs of words of one item.

    Args:
        pairs: int64[pairs, 2] of word ids; when there is a base, those that it was counted with.
    """
    counts = _shared_units(pairs, corpus, corpus.added) - _shared_units(pairs, corpus, corpus.removed)
    return counts if corpus.base is None else counts + corpus.base.pair_docs


def word_pair_rows(pairs: np.ndarray, counts: np.ndarray) -> Columns:
    """Return the rows of `raw.word_pairs`: n(s,t) > 0, in the order of the pairs."""
    share = counts > 0
    return {"word_id_a": pairs[share, 0], "word_id_b": pairs[share, 1], "n_docs": counts[share]}


def _shared_units(pairs: np.ndarray, corpus: Corpus, units: Units) -> np.ndarray:
    counts = np.zeros(len(pairs), np.int64)
    for chunk in units.store:
        counts += shared_units(pairs, corpus.word_ids, chunk)
    return counts


def shared_units(pairs: np.ndarray, word_ids: np.ndarray, chunk: Chunk) -> np.ndarray:
    """Return int64[pairs]: how many units of a chunk hold both words of each pair.

    Args:
        word_ids: int64, ascending: the words that the chunk's numbers stand for.
    """
    counts = np.zeros(len(pairs), np.int64)
    occur = np.isin(pairs, word_ids).all(axis=1)
    rows = np.searchsorted(word_ids, pairs[occur])
    starts = np.searchsorted(chunk.words, np.arange(word_ids.size + 1))
    counts[occur] = _count_shared(chunk.word_units, starts, rows)
    return counts


@njit(nogil=True, cache=True)
def _count_shared(word_units, starts, rows):
    """Return int64[rows]: in how many units both words of each row are, by going through their units side by side."""
    counts = np.zeros(len(rows), np.int64)
    for row in range(len(rows)):
        a, a_end = starts[rows[row, 0]], starts[rows[row, 0] + 1]
        b, b_end = starts[rows[row, 1]], starts[rows[row, 1] + 1]
        while a < a_end and b < b_end:
            left, right = word_units[a], word_units[b]
            counts[row] += left == right
            a += left <= right
            b += right <= left
    return counts
