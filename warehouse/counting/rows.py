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

from warehouse.counting import bit_kernels
from warehouse.counting import pair_kernels as kernels
from warehouse.counting.chunks import Chunk
from warehouse.counting.memory import MemoryPlan
from warehouse.counting.parallel import in_order, split_rows
from warehouse.counting.units import Corpus

_PART_CELLS = 1 << 21  # bounds what a part may return, and keeps its rows in the cache
_PARTS_PER_THREAD = 16

Part = tuple[int, int]  # rows [first, last)
Keep = Callable[[Part, np.ndarray, int], Any]  # (part, memory, the row at its start); leaves the part's memory zero


@dataclass(frozen=True)
class _Rows:
    """Rows to count. `prepare` makes of a chunk what `add` needs, for the rows from some row on."""

    widths: np.ndarray  # cells of each row
    work: np.ndarray  # about what each row costs, in increments
    prepare: Callable[[Chunk, int, ThreadPoolExecutor], Any]
    add: Callable[[Any, Part, np.ndarray, int], None]  # (prepared chunk, part, memory, the row at its start)


def word_rows(corpus: Corpus, keep: Keep, plan: MemoryPlan, *, threads: int) -> Iterator[tuple[Part, Any]]:
    """Count n(w,x) of every word with every token; yield parts of words in order with what `keep` returns of them."""
    width = corpus.token_ids.size
    most = bit_kernels.frequent_ranks(corpus.row_work, corpus.n_units)
    n_frequent = bit_kernels.frequent_columns(corpus.n_docs, corpus.n_word_docs, corpus.n_units, most)
    most = int(n_frequent.max(initial=0))

    def prepare(chunk: Chunk, first_row: int, pool: ThreadPoolExecutor) -> tuple[Chunk, np.ndarray]:
        return chunk, _frequent_bits(chunk, most, pool)

    def add(prepared: tuple[Chunk, np.ndarray], part: Part, memory: np.ndarray, first_row: int) -> None:
        chunk, bits = prepared
        place = (chunk.words, chunk.word_units, *part, n_frequent, memory, first_row, width)
        bit_kernels.add_frequent_columns(bits, *place)
        kernels.add_word_rows(chunk.ids, chunk.starts, *place)

    widths = np.full(corpus.word_ids.size, width)
    rows = _Rows(widths, corpus.word_work, prepare, add)
    return _count(corpus, rows, keep, plan, threads=threads)


def token_rows(
    corpus: Corpus, n_tokens: int, keep: Keep, plan: MemoryPlan, *, threads: int
) -> Iterator[tuple[Part, Any]]:
    """Count n(x,y) of the first `n_tokens` ranks x with every y of smaller rank; yield parts as `word_rows` does.

    The rows of the most frequent tokens are counted by bits, the others by increments.
    """
    n_frequent = bit_kernels.frequent_ranks(corpus.row_work[:n_tokens], corpus.n_units)

    def prepare(chunk: Chunk, first_row: int, pool: ThreadPoolExecutor) -> tuple[Chunk, np.ndarray]:
        return chunk, _frequent_bits(chunk, n_frequent if first_row < n_frequent else 0, pool)

    def add(prepared: tuple[Chunk, np.ndarray], part: Part, memory: np.ndarray, first_row: int) -> None:
        (chunk, bits), (first, last), origin = prepared, part, kernels.triangle(first_row)
        middle = min(max(first, n_frequent), last)
        bit_kernels.add_frequent_rows(bits, first, middle, memory, origin)
        kernels.add_token_rows(chunk.ids, chunk.starts, middle, last, memory, origin)

    widths = np.arange(n_tokens)
    work = corpus.row_work[:n_tokens].astype(np.float64)
    work[:n_frequent] = bit_kernels.bit_work(n_frequent, corpus.n_units)
    return _count(corpus, _Rows(widths, work, prepare, add), keep, plan, threads=threads)


def _frequent_bits(chunk: Chunk, n_ranks: int, pool: ThreadPoolExecutor) -> np.ndarray:
    """Return uint64[tiles, n_ranks, words]: which unit of the chunk holds which of the first ranks."""
    bits = bit_kernels.empty_bits(chunk.n_units, n_ranks)
    if n_ranks:
        list(pool.map(lambda tile: bit_kernels.set_bits(chunk.ids, chunk.starts, tile, bits[tile]), range(len(bits))))
    return bits


def _count(corpus: Corpus, rows: _Rows, keep: Keep, plan: MemoryPlan, *, threads: int) -> Iterator[tuple[Part, Any]]:
    one_part = rows.work.sum() / (threads * _PARTS_PER_THREAD) + 1
    parts = split_rows((rows.widths, _PART_CELLS), (rows.work, one_part))
    with ThreadPoolExecutor(threads) as pool:
        counted = _at_once if corpus.store.n_chunks == 1 else _in_groups
        yield from zip(parts, counted(corpus, rows, parts, keep, plan, pool, ahead=2 * threads), strict=True)


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
    (chunk,) = corpus.store
    prepared = rows.prepare(chunk, 0, pool)
    size = max((_n_cells(rows, part) for part in parts), default=0)
    own = threading.local()

    def count(part: Part) -> Any:
        if not hasattr(own, "memory"):
            own.memory = np.zeros(size, np.uint32)
        rows.add(prepared, part, own.memory, part[0])
        return keep(part, own.memory, part[0])

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
        for chunk in corpus.store:
            list(pool.map(partial(_add, rows, rows.prepare(chunk, first_row, pool), memory, first_row), group))
        yield from in_order(pool, partial(_keep, keep, memory, first_row), group, ahead=ahead)


def _n_cells(rows: _Rows, part: Part) -> int:
    return int(rows.widths[part[0] : part[1]].sum())


def _add(rows: _Rows, prepared: Any, memory: np.ndarray, first_row: int, part: Part) -> None:
    rows.add(prepared, part, memory, first_row)


def _keep(keep: Keep, memory: np.ndarray, first_row: int, part: Part) -> Any:
    return keep(part, memory, first_row)
