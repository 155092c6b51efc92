"""Dense co-occurrence rows, part by part, on all threads: words x tokens and tokens x tokens.

A part is a run of rows with a bounded number of cells and about the same work as every other. It is counted over all
chunks, then its caller's `keep` reduces it to what is worth keeping.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from warehouse.base.ordered_map import in_order
from warehouse.counting.memory import MemoryPlan
from warehouse.counting.row_runs import split_rows
from warehouse.counting.rows import bit_kernels
from warehouse.counting.rows import increment_kernels as kernels
from warehouse.counting.sums.packed_rows import pack_rows, packed_sizes
from warehouse.counting.units.chunks import Chunk
from warehouse.counting.units.corpus_units import Corpus

PART_CELLS = 1 << 21  # bounds what a part may return, and keeps its rows in the cache
_PARTS_PER_THREAD = 16

Part = tuple[int, int]  # rows [first, last)
Keep = Callable[[Part, np.ndarray, int], Any]  # (part, memory, the row at its start); leaves the part's memory zero
Packed = tuple[np.ndarray, np.ndarray]  # bytes of some rows one after another, and the number of bytes of each row
Save = Callable[[Packed], None]


@dataclass(frozen=True)
class _Rows:
    """Rows to count. `prepare` makes of a chunk what `add` needs, for the rows from some row on."""

    widths: np.ndarray  # cells of each row
    work: np.ndarray  # about what each row costs, in increments
    load: Callable[..., None]  # (corpus, part, memory, first_row: the row at its start): start from the base's rows
    prepare: Callable[[Chunk, int, ThreadPoolExecutor], Any]
    add: Callable[..., None]  # (prepared chunk, part, memory, first_row)


def row_begins(widths: np.ndarray, part: Part, first_row: int) -> np.ndarray:
    """Return int64[rows of the part]: where each begins in memory that starts with `first_row`."""
    own = widths[slice(*part)]
    return widths[first_row : part[0]].sum() + np.cumsum(own) - own


def word_widths(corpus: Corpus) -> np.ndarray:
    """Return int64[words]: the cells of each word's row, one for every token."""
    return np.full(corpus.word_ids.size, corpus.token_ids.size, np.int64)


def token_widths(corpus: Corpus) -> np.ndarray:
    """Return int64[ranks]: the cells of each token's row, one for every token of smaller rank."""
    return np.arange(corpus.token_ids.size, dtype=np.int64)


def cut_parts(widths: np.ndarray) -> list[Part]:
    """Cut rows into parts of a bounded number of cells, whatever the units they will be counted over."""
    return split_rows((widths, PART_CELLS))


def word_rows(
    corpus: Corpus,
    keep: Keep,
    plan: MemoryPlan,
    *,
    threads: int,
    save: Save | None = None,
    parts: list[Part] | None = None,
) -> Iterator[tuple[Part, Any]]:
    """Count n(w,x) of every word with every token; yield parts of words in order with what `keep` returns of them.

    `save` gets the complete rows of each part, packed. Without `parts`, parts are cut to be about equal work.
    """
    units = corpus.added
    width = corpus.token_ids.size
    most = bit_kernels.frequent_ranks(units.row_work, units.n_units)
    # on a base, ranks are in its order, which is roughly that of the units added
    n_docs = np.minimum.accumulate(units.n_docs)
    n_frequent = bit_kernels.frequent_columns(n_docs, units.n_word_docs, units.n_units, most)
    most = int(n_frequent.max(initial=0))

    def prepare(chunk: Chunk, first_row: int, pool: ThreadPoolExecutor) -> tuple[Chunk, np.ndarray]:
        return chunk, _frequent_bits(chunk, most, pool)

    def add(prepared: tuple[Chunk, np.ndarray], part: Part, memory: np.ndarray, first_row: int) -> None:
        chunk, bits = prepared
        place = (chunk.words, chunk.word_units, *part, n_frequent, memory, first_row, width)
        bit_kernels.add_frequent_columns(bits, *place)
        kernels.add_word_rows(chunk.ids, chunk.starts, *place)

    widths = word_widths(corpus)
    rows = _Rows(widths, units.word_work + _kept_work(widths), load_word_rows, prepare, add)
    return _count(corpus, rows, keep, save, plan, parts, threads=threads)


def token_rows(
    corpus: Corpus,
    keep: Keep,
    plan: MemoryPlan,
    *,
    threads: int,
    save: Save | None = None,
    parts: list[Part] | None = None,
) -> Iterator[tuple[Part, Any]]:
    """Count n(x,y) of every rank x with every y of smaller rank; yield parts as `word_rows` does.

    The rows of the most frequent tokens are counted by bits, the others by increments.
    """
    units = corpus.added
    n_frequent = bit_kernels.frequent_ranks(units.row_work, units.n_units)

    def prepare(chunk: Chunk, first_row: int, pool: ThreadPoolExecutor) -> tuple[Chunk, np.ndarray]:
        return chunk, _frequent_bits(chunk, n_frequent if first_row < n_frequent else 0, pool)

    def add(prepared: tuple[Chunk, np.ndarray], part: Part, memory: np.ndarray, first_row: int) -> None:
        (chunk, bits), (first, last), origin = prepared, part, kernels.triangle(first_row)
        middle = min(max(first, n_frequent), last)
        bit_kernels.add_frequent_rows(bits, first, middle, memory, origin)
        kernels.add_token_rows(chunk.ids, chunk.starts, middle, last, memory, origin)

    widths = token_widths(corpus)
    work = units.row_work.astype(np.float64)
    work[:n_frequent] = bit_kernels.bit_work(n_frequent, units.n_units)
    rows = _Rows(widths, work + _kept_work(widths), load_token_rows, prepare, add)
    return _count(corpus, rows, keep, save, plan, parts, threads=threads)


def load_word_rows(corpus: Corpus, part: Part, memory: np.ndarray, first_row: int) -> None:
    """Write what the base counted of a part's words to its rows, which are zero."""
    base = corpus.base
    if base is None or not corpus.word_ids.size:
        return
    places = np.searchsorted(corpus.word_ids, base.word_ids)
    first, last = np.searchsorted(places, part).tolist()
    base.read_word_rows(first, last, memory, (places[first:last] - first_row) * corpus.token_ids.size)


def load_token_rows(corpus: Corpus, part: Part, memory: np.ndarray, first_row: int) -> None:
    """Write what the base counted of a part's tokens to its rows, which are zero."""
    base = corpus.base
    if base is None:
        return
    first, last = (min(row, base.token_ids.size) for row in part)
    if last > first:
        base.read_token_rows(first, last, memory, row_begins(token_widths(corpus), (first, last), first_row))


def _kept_work(widths: np.ndarray) -> np.ndarray:
    """Return what loading and reducing rows costs, in increments: about one a cell."""
    return widths.astype(np.float64)


def _frequent_bits(chunk: Chunk, n_ranks: int, pool: ThreadPoolExecutor) -> np.ndarray:
    """Return uint64[tiles, n_ranks, words]: which unit of the chunk holds which of the first ranks."""
    bits = bit_kernels.empty_bits(chunk.n_units, n_ranks)
    if n_ranks:
        list(pool.map(lambda tile: bit_kernels.set_bits(chunk.ids, chunk.starts, tile, bits[tile]), range(len(bits))))
    return bits


def _count(
    corpus: Corpus,
    rows: _Rows,
    keep: Keep,
    save: Save | None,
    plan: MemoryPlan,
    parts: list[Part] | None,
    *,
    threads: int,
) -> Iterator[tuple[Part, Any]]:
    if parts is None:
        one_part = rows.work.sum() / (threads * _PARTS_PER_THREAD) + 1
        parts = split_rows((rows.widths, PART_CELLS), (rows.work, one_part))
    n_chunks = corpus.added.store.n_chunks + corpus.removed.store.n_chunks
    counted = _at_once if corpus.added.store.n_chunks <= 1 and n_chunks <= 2 else _in_groups

    def reduce(part: Part, memory: np.ndarray, first_row: int) -> tuple[Packed | None, Any]:
        packed = pack(rows.widths, part, memory, first_row) if save else None
        return packed, keep(part, memory, first_row)

    with ThreadPoolExecutor(threads) as pool:
        results = counted(corpus, rows, parts, reduce, plan, pool, ahead=2 * threads)
        for part, (packed, kept) in zip(parts, results, strict=True):
            if save:
                save(packed)
            yield part, kept


def pack(row_widths: np.ndarray, part: Part, memory: np.ndarray, first_row: int) -> Packed:
    """Return the rows of a part as bytes; `memory` holds rows of these widths from `first_row` on."""
    begins, widths = row_begins(row_widths, part, first_row), row_widths[slice(*part)]
    sizes = np.empty(begins.size, np.int64)
    packed_sizes(memory, begins, widths, sizes)
    content = np.empty(sizes.sum(), np.uint8)
    pack_rows(memory, begins, widths, content)
    return content, sizes


def _at_once(
    corpus: Corpus,
    rows: _Rows,
    parts: list[Part],
    keep: Keep,
    plan: MemoryPlan,
    pool: ThreadPoolExecutor,
    *,
    ahead: int,
) -> Iterator[Any]:
    """Count and reduce each part at once, in memory that its thread keeps: of one chunk, so rows stay in the cache."""
    added, removed = ([rows.prepare(c, 0, pool) for c in units.store] for units in (corpus.added, corpus.removed))
    size = max((_n_cells(rows, part) for part in parts), default=0)
    own = threading.local()

    def count(part: Part) -> Any:
        if not hasattr(own, "memory"):
            own.memory = np.zeros(size, np.uint32)
        memory = own.memory
        rows.load(corpus, part, memory, part[0])
        for chunk in removed:
            _subtract(rows, chunk, part, memory, part[0])
        for chunk in added:
            rows.add(chunk, part, memory, part[0])
        return keep(part, memory, part[0])

    return in_order(pool, count, parts, ahead=ahead)


def _in_groups(
    corpus: Corpus,
    rows: _Rows,
    parts: list[Part],
    keep: Keep,
    plan: MemoryPlan,
    pool: ThreadPoolExecutor,
    *,
    ahead: int,
) -> Iterator[Any]:
    """Count as many parts as fit in memory over all chunks, reduce them, and go on with the next."""
    sizes = np.array([_n_cells(rows, part) for part in parts], np.int64)
    groups = [parts[start:end] for start, end in split_rows((sizes, plan.rows // 4))]
    most = max((_n_cells(rows, (group[0][0], group[-1][1])) for group in groups), default=0)
    memory = np.zeros(most, np.uint32)
    for group in groups:
        first_row = group[0][0]
        _on_all(pool, partial(rows.load, corpus, memory=memory, first_row=first_row), group)
        for chunk in corpus.removed.store:
            prepared = rows.prepare(chunk, first_row, pool)
            _on_all(pool, partial(_subtract, rows, prepared, memory=memory, first_row=first_row), group)
        for chunk in corpus.added.store:
            prepared = rows.prepare(chunk, first_row, pool)
            _on_all(pool, partial(rows.add, prepared, memory=memory, first_row=first_row), group)
        yield from in_order(pool, partial(_call, keep, memory, first_row), group, ahead=ahead)


def _on_all(pool: ThreadPoolExecutor, work: Callable[[Part], None], parts: list[Part]) -> None:
    list(pool.map(work, parts))


def _call(keep: Keep, memory: np.ndarray, first_row: int, part: Part) -> Any:
    return keep(part, memory, first_row)


def _subtract(rows: _Rows, prepared: Any, part: Part, memory: np.ndarray, first_row: int) -> None:
    """Take a chunk's counts off the part's cells: -(-a + b), in arithmetic that wraps around."""
    before = _n_cells(rows, (first_row, part[0]))
    cells = memory[before : before + _n_cells(rows, part)]
    np.negative(cells, out=cells)
    rows.add(prepared, part, memory, first_row)
    np.negative(cells, out=cells)


def _n_cells(rows: _Rows, part: Part) -> int:
    return int(rows.widths[part[0] : part[1]].sum())
