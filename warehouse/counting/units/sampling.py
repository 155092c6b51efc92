"""Which units a word is counted in when there is a most: those with the smallest hashes, whatever their order."""

import numpy as np

from warehouse.counting.options import CountOptions
from warehouse.counting.units.chunks import ChunkStore


def sample_limits(store: ChunkStore, new_words: np.ndarray, n_words: int, options: CountOptions) -> np.ndarray | None:
    """Return uint64[words]: the largest unit hash that each word's sample keeps; None without sampling.

    Args:
        new_words: the final number of each word of the chunks.
    """
    most = options.max_docs_per_word
    if most is None:
        return None
    return limits_of(np.arange(n_words), *chunk_samples(store, new_words, most), most)


def chunk_samples(store: ChunkStore, word_ids: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the samples of some chunks: words and unit hashes, sorted by both, at most `most` of a word.

    Args:
        word_ids: what each word of the chunks is called in the result.
    """
    words, hashes = np.empty(0, word_ids.dtype), np.empty(0, np.uint64)
    for chunk in store:  # never more at once than the samples and one chunk
        words = np.concatenate([words, word_ids[chunk.words]])
        words, hashes = smallest(words, np.concatenate([hashes, chunk.hashes[chunk.word_units]]), most)
    return words, hashes


def smallest(words: np.ndarray, hashes: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the `most` smallest hashes of each word, sorted by word and hash."""
    order = np.lexsort((hashes, words))
    words, hashes = words[order], hashes[order]
    place = np.arange(words.size) - np.searchsorted(words, words)
    return words[place < most], hashes[place < most]


def limits_of(names: np.ndarray, words: np.ndarray, hashes: np.ndarray, most: int) -> np.ndarray:
    """Return uint64 by name: the largest hash in each word's full sample, else the largest there is."""
    ends = np.searchsorted(words, names, side="right")
    limits = np.full(names.size, np.iinfo(np.uint64).max)
    full = ends - np.searchsorted(words, names) == most
    limits[full] = hashes[ends[full] - 1]
    return limits
