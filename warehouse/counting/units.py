"""A corpus ready to be counted: units as sets of token ranks in chunks, strata, and the words' units."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from warehouse.counting import unit_kernels as kernels
from warehouse.counting.chunks import Chunk, ChunkStore
from warehouse.counting.cutting import id_dtype
from warehouse.counting.inputs import CountInputs
from warehouse.counting.memory import MemoryPlan
from warehouse.counting.options import CountOptions
from warehouse.counting.ordering import stable_order
from warehouse.counting.reading import FirstPass, read_units


@dataclass
class Corpus:
    """Everything that the counting of rows needs. A rank is a token: 0 is the one in most units, ties by token id."""

    store: ChunkStore
    n_units: int  # N
    n_tokens: int
    strata: list[tuple[str, int]]  # (lang, length_bin), sorted
    stratum_sizes: np.ndarray  # int64[strata], N_k
    token_ids: np.ndarray  # int32[ranks]
    n_docs: np.ndarray  # int64[ranks], n(x)
    stratum_docs: np.ndarray  # uint32[ranks, strata], n_k(x)
    row_work: np.ndarray  # int64[ranks], increments of each token's row
    word_ids: np.ndarray  # int64[words], ascending: only words that some unit holds
    word_strata: np.ndarray  # int32[words, strata], n_k(w); of the sample, when there is one
    word_work: np.ndarray  # int64[words], increments of each word's row

    @property
    def n_word_docs(self) -> np.ndarray:
        """int64[words], n(w)."""
        return self.word_strata.sum(axis=1, dtype=np.int64)


def read_corpus(inputs: CountInputs, options: CountOptions, plan: MemoryPlan, folder: Path, *, threads: int) -> Corpus:
    """Read a corpus in two passes: the first counts by stratum, the second turns token ids into ranks.

    Args:
        folder: where chunks go when there are several; it need not exist.
    """
    first = read_units(inputs, options, plan, folder, threads=threads)
    order = sorted(range(len(first.strata)), key=list(first.strata).__getitem__)
    counts = first.counts[order]
    n_docs = counts.sum(axis=0, dtype=np.int64)
    tokens = np.argsort(-n_docs, kind="stable")[: int((n_docs > 0).sum())]
    ranks = np.zeros(inputs.vocab_size, id_dtype(inputs.vocab_size))
    ranks[tokens] = np.arange(tokens.size)
    new_strata = np.argsort(order).astype(np.int32)
    word_ids = np.sort(first.numbers.word_ids)
    new_words = np.searchsorted(word_ids, first.numbers.word_ids).astype(np.int32)
    cut_at = _sample_limits(first, new_words, options)
    corpus = Corpus(
        store=first.store,
        n_units=first.n_units,
        n_tokens=first.n_tokens,
        strata=sorted(first.strata),
        stratum_sizes=np.zeros(len(order), np.int64),
        token_ids=tokens.astype(np.int32),
        n_docs=n_docs[tokens],
        stratum_docs=np.ascontiguousarray(counts[:, tokens].T),
        row_work=np.zeros(tokens.size, np.int64),
        word_ids=word_ids,
        word_strata=np.zeros((word_ids.size, len(order)), np.int32),
        word_work=np.zeros(word_ids.size, np.int64),
    )
    with ThreadPoolExecutor(threads) as pool:
        for number, chunk in enumerate(first.store):
            _to_ranks(chunk, ranks, pool, threads=threads)
            chunk.strata = new_strata[chunk.strata]
            _group_words(chunk, new_words, cut_at)
            corpus.stratum_sizes += np.bincount(chunk.strata, minlength=len(order))
            kernels.add_row_work(chunk.ids, chunk.starts, corpus.row_work)
            np.add.at(corpus.word_strata, (chunk.words, chunk.strata[chunk.word_units]), 1)
            sizes = np.diff(chunk.starts)[chunk.word_units]
            corpus.word_work += np.bincount(chunk.words, sizes, minlength=word_ids.size).astype(np.int64)
            first.store.replace(number, chunk)
    return corpus


def _to_ranks(chunk: Chunk, ranks: np.ndarray, pool: ThreadPoolExecutor, *, threads: int) -> None:
    bounds = np.linspace(0, chunk.n_units, 4 * threads + 1).astype(np.int64)

    def replace(part: int) -> None:
        low, high = kernels.make_bitmap(ranks.size)
        kernels.replace_ids(chunk.ids, chunk.starts, bounds[part], bounds[part + 1], ranks, low, high)

    list(pool.map(replace, range(4 * threads)))


def _sample_limits(first: FirstPass, new_words: np.ndarray, options: CountOptions) -> np.ndarray | None:
    """Return uint64[words]: the largest unit hash that each word's sample keeps; None without sampling."""
    if options.max_docs_per_word is None:
        return None
    words = np.concatenate([np.empty(0, np.int32), *(new_words[c.words] for c in first.store)])
    hashes = np.concatenate([np.empty(0, np.uint64), *(c.hashes[c.word_units] for c in first.store)])
    order = np.lexsort((hashes, words))
    starts = np.searchsorted(words[order], np.arange(new_words.size + 1))
    limits = np.full(new_words.size, np.iinfo(np.uint64).max)
    cut = np.diff(starts) > options.max_docs_per_word
    limits[cut] = hashes[order][starts[:-1][cut] + options.max_docs_per_word - 1]
    return limits


def _group_words(chunk: Chunk, new_words: np.ndarray, limits: np.ndarray | None) -> None:
    """Give words their final numbers, drop what the sample leaves out, and group the units by word."""
    words, units = new_words[chunk.words], chunk.word_units
    if limits is not None:
        kept = chunk.hashes[units] <= limits[words]
        words, units = words[kept], units[kept]
    order = stable_order(words, new_words.size)  # units ascend already
    chunk.words, chunk.word_units = words[order], units[order]
