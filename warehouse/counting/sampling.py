"""Which units a word is counted in when there is a most: those with the smallest hashes, whatever their order."""

import numpy as np

from warehouse.counting.chunks import ChunkStore
from warehouse.counting.options import CountOptions


def sample_limits(store: ChunkStore, new_words: np.ndarray, n_words: int, options: CountOptions) -> np.ndarray | None:
    """Return uint64[words]: the largest unit hash that each word's sample keeps; None without sampling.

    Args:
        new_words: the final number of each word of the chunks.
    """
    most = options.max_docs_per_word
    if most is None:
        return None
    words, hashes = np.empty(0, np.int32), np.empty(0, np.uint64)
    for chunk in store:  # never more at once than the samples and one chunk
        words = np.concatenate([words, new_words[chunk.words]])
        hashes = np.concatenate([hashes, chunk.hashes[chunk.word_units]])
        order = np.lexsort((hashes, words))
        words, hashes = words[order], hashes[order]
        place = np.arange(words.size) - np.searchsorted(words, words)
        words, hashes = words[place < most], hashes[place < most]
    ends = np.searchsorted(words, np.arange(n_words), side="right")
    limits = np.full(n_words, np.iinfo(np.uint64).max)
    full = ends - np.searchsorted(words, np.arange(n_words)) == most
    limits[full] = hashes[ends[full] - 1]
    return limits
