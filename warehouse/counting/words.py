"""Which words of one item share units: n(s,t)."""

import numpy as np

from warehouse.counting.inputs import CountInputs, item_pairs
from warehouse.counting.units import Corpus
from warehouse.counting.writing import Columns


def count_word_pairs(inputs: CountInputs, corpus: Corpus) -> Columns:
    """Return the rows of `raw.word_pairs`, sorted: pairs of words of one item, smaller id first, n(s,t) > 0."""
    pairs = item_pairs(inputs)
    rows = np.searchsorted(corpus.word_ids, pairs)
    occur = np.isin(pairs, corpus.word_ids).all(axis=1)
    pairs, rows = pairs[occur], rows[occur]
    counts = np.zeros(len(pairs), np.int64)
    for chunk in corpus.store:
        starts = np.searchsorted(chunk.words, np.arange(corpus.word_ids.size + 1))
        units = [chunk.word_units[starts[row] : starts[row + 1]] for row in range(corpus.word_ids.size)]
        for i, (a, b) in enumerate(rows.tolist()):
            if units[a].size and units[b].size:
                counts[i] += np.intersect1d(units[a], units[b], assume_unique=True).size
    share = counts > 0
    return {"word_id_a": pairs[share, 0], "word_id_b": pairs[share, 1], "n_docs": counts[share]}
