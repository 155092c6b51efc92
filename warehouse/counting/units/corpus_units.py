"""A corpus ready to be counted: units as sets of token ranks in chunks, strata, and the words' units."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from warehouse.counting.memory import MemoryPlan
from warehouse.counting.options import CountOptions
from warehouse.counting.shards import ShardPart
from warehouse.counting.sums.kept_sums import Sums
from warehouse.counting.tables.counting_sort import stable_order
from warehouse.counting.totals import Totals
from warehouse.counting.units import kernels
from warehouse.counting.units.chunks import Chunk, ChunkStore, JoinedChunks
from warehouse.counting.units.cutting import id_dtype
from warehouse.counting.units.first_pass import FirstPass, read_units
from warehouse.counting.units.sampling import sample_limits


@dataclass
class Units:
    """Units to go through, and what the counting of rows costs over them. Ranks and words are those of the corpus."""

    store: ChunkStore | JoinedChunks
    n_units: int
    n_tokens: int
    stratum_sizes: np.ndarray  # int64[strata]
    n_docs: np.ndarray  # int64[ranks], n(x)
    row_work: np.ndarray  # int64[ranks], increments of each token's row
    word_strata: np.ndarray  # int32[words, strata], n_k(w); of the sample, when there is one
    word_work: np.ndarray  # int64[words], increments of each word's row

    @property
    def n_word_docs(self) -> np.ndarray:
        """int64[words], n(w)."""
        return self.word_strata.sum(axis=1, dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Corpus(Totals):
    """Everything that the counting of rows needs: counts = those of `base` - those of `removed` + those of `added`.

    A rank is a token. Without a base, rank 0 is the token in most units, ties by token id; on a base, its ranks come
    first. Rows are in any case sorted by ids before they are written, so the order of ranks changes no result.
    """

    base: Sums | None  # counted before
    added: Units
    removed: Units  # units of the base that do not count any more


@dataclass(frozen=True)
class Order:
    """The places of strata, tokens and words in the tables of a corpus."""

    strata: list[tuple[str, int]]
    token_ids: np.ndarray  # int32[ranks]
    ranks: np.ndarray  # [vocab], rank of each token id
    word_ids: np.ndarray


def read_corpus(
    base: Sums | None,
    added: list[ShardPart],
    removed: list[ShardPart],
    vocab_size: int,
    options: CountOptions,
    plan: MemoryPlan,
    folder: Path,
    *,
    threads: int,
) -> Corpus:
    """Read what a base lacks in two passes: the first counts by stratum, the second turns token ids into ranks.

    Args:
        added, removed: documents to count beyond the base, and documents of the base not to count.
        folder: where chunks go when there are several; it need not exist.
    """
    more = read_units(added, vocab_size, options, plan, folder / "added", threads=threads)
    less = read_units(removed, vocab_size, options, plan, folder / "removed", threads=threads)
    words = [more.numbers.word_ids, less.numbers.word_ids]
    n_docs = more.counts.sum(axis=0, dtype=np.int64)
    order = place(base, set(more.strata) | set(less.strata), words, n_docs)
    stratum_docs = _stratum_docs(more, order) - _stratum_docs(less, order)
    return on_base(
        base,
        order,
        stratum_docs,
        _units(more, order, options, threads=threads),
        _units(less, order, options, threads=threads),
    )


def on_base(base: Sums | None, order: Order, stratum_docs: np.ndarray, new: Units, gone: Units) -> Corpus:
    """Return the corpus that a base becomes with new units and without some that are gone.

    Args:
        stratum_docs: uint32[ranks, strata], n_k(x) of the new units - those of the units that are gone (wraps around).
    """
    sizes = new.stratum_sizes - gone.stratum_sizes
    word_strata = new.word_strata - gone.word_strata
    n_tokens = new.n_tokens - gone.n_tokens
    if base is not None:
        places = np.array([order.strata.index(stratum) for stratum in base.strata])
        sizes[places] += base.stratum_sizes
        stratum_docs[: base.token_ids.size, places] += base.stratum_docs
        word_strata[np.ix_(np.searchsorted(order.word_ids, base.word_ids), places)] += base.word_strata
        n_tokens += base.n_tokens
    return Corpus(
        base=base,
        added=new,
        removed=gone,
        strata=order.strata,
        stratum_sizes=sizes,
        token_ids=order.token_ids,
        stratum_docs=stratum_docs,
        word_ids=order.word_ids,
        word_strata=word_strata,
        n_tokens=n_tokens,
    )


def place(base: Sums | None, strata: set[tuple[str, int]], words: list[np.ndarray], n_docs: np.ndarray) -> Order:
    """Place what the base has as it has it, then what is new; what is removed is in the base.

    Args:
        strata, words: those of all units that are added or removed.
        n_docs: int64[vocab], n(x) in the units that are added.
    """
    known = np.empty(0, np.int32)
    if base is not None:
        strata = strata | set(base.strata)
        known = base.token_ids
        words = [*words, base.word_ids]
        n_docs = n_docs.copy()
        n_docs[known] = 0
    new = np.argsort(-n_docs, kind="stable")[: int((n_docs > 0).sum())]
    token_ids = np.concatenate([known, new]).astype(np.int32)
    ranks = np.zeros(n_docs.size, id_dtype(n_docs.size))
    ranks[token_ids] = np.arange(token_ids.size)
    return Order(sorted(strata), token_ids, ranks, np.unique(np.concatenate(words)))


def _stratum_docs(first: FirstPass, order: Order) -> np.ndarray:
    """Return uint32[ranks, strata]."""
    by_stratum = np.zeros((len(order.strata), order.token_ids.size), np.uint32)
    for stratum, number in first.strata.items():
        by_stratum[order.strata.index(stratum)] = first.counts[number, order.token_ids]
    return np.ascontiguousarray(by_stratum.T)


def _units(first: FirstPass, order: Order, options: CountOptions, *, threads: int) -> Units:
    """Give the chunks of a first pass their final numbers, and add up what counting over them needs to know."""
    n_words = order.word_ids.size
    new_strata = np.array([order.strata.index(stratum) for stratum in first.strata], np.int32)
    new_words = np.searchsorted(order.word_ids, first.numbers.word_ids).astype(np.int32)
    limits = sample_limits(first.store, new_words, n_words, options)
    units = no_units(order, first.store)
    units.n_units, units.n_tokens = first.n_units, first.n_tokens
    units.n_docs = first.counts[:, order.token_ids].sum(axis=0, dtype=np.int64)
    with ThreadPoolExecutor(threads) as pool:
        for number, chunk in enumerate(first.store):
            to_ranks(chunk, order, pool, threads=threads)
            chunk.strata = new_strata[chunk.strata]
            group_words(chunk, new_words, n_words, limits)
            add_chunk(units, chunk)
            first.store.replace(number, chunk)
    return units


def no_units(order: Order | Corpus, store: ChunkStore | JoinedChunks) -> Units:
    """Return the units of a store before any of its chunks is added."""
    n_strata, n_ranks, n_words = len(order.strata), order.token_ids.size, order.word_ids.size
    return Units(
        store=store,
        n_units=0,
        n_tokens=0,
        stratum_sizes=np.zeros(n_strata, np.int64),
        n_docs=np.zeros(n_ranks, np.int64),
        row_work=np.zeros(n_ranks, np.int64),
        word_strata=np.zeros((n_words, n_strata), np.int32),
        word_work=np.zeros(n_words, np.int64),
    )


def add_chunk(units: Units, chunk: Chunk) -> None:
    """Add up what counting over a chunk in its final numbers needs to know, but its units, tokens and n(x)."""
    n_strata, n_words = units.stratum_sizes.size, units.word_work.size
    units.stratum_sizes += np.bincount(chunk.strata, minlength=n_strata)
    kernels.add_row_work(chunk.ids, chunk.starts, units.row_work)
    kernels.count_words(chunk.words, chunk.word_units, chunk.strata, units.word_strata)
    sizes = np.diff(chunk.starts)[chunk.word_units]
    units.word_work += np.bincount(chunk.words, sizes, minlength=n_words).astype(np.int64)


def to_ranks(chunk: Chunk, order: Order, pool: ThreadPoolExecutor, *, threads: int) -> None:
    """Replace the token ids of a chunk by their ranks."""
    bounds = np.linspace(0, chunk.n_units, 4 * threads + 1).astype(np.int64)

    def replace(part: int) -> None:
        low, high = kernels.make_bitmap(order.token_ids.size)
        kernels.replace_ids(chunk.ids, chunk.starts, bounds[part], bounds[part + 1], order.ranks, low, high)

    list(pool.map(replace, range(4 * threads)))


def group_words(chunk: Chunk, new_words: np.ndarray, n_words: int, limits: np.ndarray | None) -> None:
    """Give words their final numbers, drop what the sample leaves out, and group the units by word."""
    words, units = new_words[chunk.words], chunk.word_units
    if limits is not None:
        kept = chunk.hashes[units] <= limits[words]
        words, units = words[kept], units[kept]
    order = stable_order(words, n_words)  # units ascend already
    chunk.words, chunk.word_units = words[order], units[order]
