"""Word postings: which units hold which word, sampled when asked, and the words of an item that share units."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq

from warehouse.counting.inputs import CountInputs, item_pairs, shard_id_of
from warehouse.counting.options import CountOptions
from warehouse.counting.units import Corpus, UnitIndex


@dataclass
class WordPostings:
    """Units of each word. Rows are words in the order of their ids; only words that occur have a row."""

    word_ids: np.ndarray  # int64[words], ascending
    row_starts: np.ndarray  # int64[words + 1]
    units: np.ndarray  # int64, ascending within each word

    @property
    def n_docs(self) -> np.ndarray:
        """n(w): int64[words]."""
        return np.diff(self.row_starts)


def unit_hash(doc_id: int, window: int, seed: int) -> int:
    """Return the number that decides which units a word's sample keeps: the first 16 hex digits of an MD5."""
    return int(hashlib.md5(f"{doc_id}:{window}:{seed}".encode(), usedforsecurity=False).hexdigest()[:16], 16)


def read_word_postings(inputs: CountInputs, corpus: Corpus, options: CountOptions) -> WordPostings:
    """Read which units hold which word; a match belongs to the window in which it begins."""
    words, units = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for path in inputs.word_documents:
        shard_id = shard_id_of(path)
        if shard_id is None or shard_id not in corpus.unit_index:
            continue
        file_words, file_units = _read_matches(path, corpus.unit_index[shard_id], options)
        words.append(file_words)
        units.append(file_units)
    pairs = np.unique(np.stack([np.concatenate(words), np.concatenate(units)], axis=1), axis=0)
    word_ids, row_starts = np.unique(pairs[:, 0], return_index=True)
    postings = WordPostings(word_ids, np.append(row_starts, len(pairs)).astype(np.int64), pairs[:, 1].copy())
    if options.max_docs_per_word is not None:
        return sample_postings(postings, corpus, options.max_docs_per_word, options.seed)
    return postings


def _read_matches(path, index: UnitIndex, options: CountOptions) -> tuple[np.ndarray, np.ndarray]:
    columns = ["doc_id", "word_id", "token_starts"]
    table = pq.read_table(path, columns=columns, filters=[("match_policy", "=", options.match_policy)])
    doc_ids = table["doc_id"].to_numpy()
    word_ids = table["word_id"].to_numpy()
    # documents that are superseded or empty have no units
    at = np.minimum(np.searchsorted(index.doc_ids, doc_ids), max(index.doc_ids.size - 1, 0))
    known = (index.doc_ids[at] == doc_ids) & (index.n_units[at] > 0) if index.doc_ids.size else np.zeros(0, bool)
    if not options.unit_tokens:
        return word_ids[known], index.first_units[at[known]]
    starts = table["token_starts"].combine_chunks()
    lengths = np.diff(starts.offsets.to_numpy())
    row = np.repeat(np.arange(doc_ids.size), lengths)
    windows = starts.flatten().to_numpy() // options.unit_tokens
    used = known[row]
    return word_ids[row[used]], index.first_units[at[row[used]]] + windows[used]


def sample_postings(postings: WordPostings, corpus: Corpus, max_docs: int, seed: int) -> WordPostings:
    """Keep the `max_docs` units of each word with the smallest hash (method section 2)."""
    doc_of, window_of = _unit_names(corpus)
    hashes: dict[int, tuple[int, int, int]] = {}
    kept = []
    for row in range(postings.word_ids.size):
        units = postings.units[postings.row_starts[row] : postings.row_starts[row + 1]]
        if units.size > max_docs:
            for unit in units.tolist():
                if unit not in hashes:
                    name = (int(doc_of[unit]), int(window_of[unit]))
                    hashes[unit] = (unit_hash(*name, seed), *name)
            units = np.sort(np.array(sorted(units.tolist(), key=hashes.__getitem__)[:max_docs], np.int64))
        kept.append(units)
    sizes = np.array([0, *(u.size for u in kept)], np.int64)
    return WordPostings(postings.word_ids, np.cumsum(sizes), np.concatenate([np.empty(0, np.int64), *kept]))


def _unit_names(corpus: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Return doc_id and window number of every unit."""
    doc_of = np.empty(corpus.n_units, np.int64)
    window_of = np.empty(corpus.n_units, np.int64)
    for index in corpus.unit_index.values():
        offsets = np.arange(index.n_units.sum()) - np.repeat(np.cumsum(index.n_units) - index.n_units, index.n_units)
        units = np.repeat(index.first_units, index.n_units) + offsets
        doc_of[units] = np.repeat(index.doc_ids, index.n_units)
        window_of[units] = offsets
    return doc_of, window_of


def count_item_pairs(inputs: CountInputs, postings: WordPostings) -> list[tuple[int, int, int]]:
    """Return (word_id_a, word_id_b, n(s,t)) of the words of one item that share units, sorted."""
    row_of = {word: row for row, word in enumerate(postings.word_ids.tolist())}
    found = []
    for a, b in item_pairs(inputs).tolist():
        if a in row_of and b in row_of:
            shared = np.intersect1d(_units(postings, row_of[a]), _units(postings, row_of[b]), assume_unique=True).size
            if shared:
                found.append((a, b, shared))
    return found


def _units(postings: WordPostings, row: int) -> np.ndarray:
    return postings.units[postings.row_starts[row] : postings.row_starts[row + 1]]
