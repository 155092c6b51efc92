"""Dense co-occurrence rows, part by part, on all threads: words x tokens and tokens x tokens.

A part is a run of rows with a bounded number of cells and about the same number of increments as every other. It is
counted over all chunks, then reduced to the cells worth keeping.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from warehouse.counting import pair_kernels as kernels
from warehouse.counting.chunks import Chunk
from warehouse.counting.memory import MemoryPlan
from warehouse.counting.options import CountOptions
from warehouse.counting.parallel import in_order, split_rows
from warehouse.counting.strata import Expectation
from warehouse.counting.units import Corpus
from warehouse.counting.writing import Columns

# Rounding allowance of E: it is a sum of positive terms, so cells that differ from E by less than this share of it are
# equal to E within rounding, and a score finds nothing in them.
EXPECTED_TOLERANCE = 1e-12
_PART_CELLS = 1 << 21  # bounds what a part may return, and keeps its rows in the cache
_PARTS_PER_THREAD = 16

Part = tuple[int, int]  # rows [first, last)
Cells = tuple[np.ndarray, ...]
Add = Callable[[Chunk, Part, np.ndarray, int], None]  # counts a part's rows over a chunk into memory
Keep = Callable[[Part, np.ndarray, int], Cells]  # takes from that memory what is worth keeping, and leaves it zero


def word_token_cells(
    corpus: Corpus, expected: Expectation, plan: MemoryPlan, *, threads: int, done: Callable[[int], None]
) -> Iterator[Columns]:
    """Yield the cells of `raw.word_tokens`, sorted by word_id and token_id."""
    width = corpus.token_ids.size
    column_order = np.argsort(corpus.token_ids).astype(np.int32)
    n_word_docs = corpus.n_word_docs

    def add(chunk: Chunk, part: Part, memory: np.ndarray, first_row: int) -> None:
        kernels.add_word_rows(chunk.ids, chunk.starts, chunk.words, chunk.word_units, *part, memory, first_row, width)

    def keep(part: Part, memory: np.ndarray, first_row: int) -> Cells:
        return kernels.keep_word_cells(
            memory,
            *part,
            first_row,
            corpus.n_units,
            n_word_docs,
            corpus.word_strata,
            corpus.n_docs,
            column_order,
            expected.starts,
            expected.strata,
            expected.rates,
            expected.rough,
            expected.margin,
            EXPECTED_TOLERANCE,
        )

    widths = np.full(corpus.word_ids.size, width)
    for part, cells in count_rows(corpus, widths, corpus.word_work, add, keep, plan, threads=threads):
        words, ranks, counts, means, variances = cells
        yield {
            "word_id": corpus.word_ids[words],
            "token_id": corpus.token_ids[ranks],
            "n_docs": counts,
            "expected_n_docs": means,
            "variance": variances,
        }
        done(part[1] - part[0])


def token_pair_edges(
    corpus: Corpus,
    expected: Expectation,
    options: CountOptions,
    plan: MemoryPlan,
    *,
    threads: int,
    done: Callable[[int], None],
) -> Iterator[Columns]:
    """Yield the edges of `raw.token_pairs`, token_id_a < token_id_b, not sorted."""
    n_tokens = eligible_tokens(corpus, options)
    least = least_joint_docs(corpus, options)

    def add(chunk: Chunk, part: Part, memory: np.ndarray, first_row: int) -> None:
        kernels.add_token_rows(chunk.ids, chunk.starts, *part, memory, kernels.triangle(first_row))

    def keep(part: Part, memory: np.ndarray, first_row: int) -> Cells:
        return kernels.keep_edges(
            memory,
            *part,
            kernels.triangle(first_row),
            corpus.n_units,
            corpus.n_docs,
            expected.starts,
            expected.strata,
            expected.rates,
            expected.max_rates,
            expected.rough,
            expected.sizes,
            expected.margin,
            least,
            options.min_rate_difference,
            options.rate_min_token_docs,
            options.min_z,
            options.z_min_pair_docs,
            options.z_min_token_docs,
        )

    widths = np.arange(n_tokens)
    for part, cells in count_rows(corpus, widths, corpus.row_work[:n_tokens], add, keep, plan, threads=threads):
        xs, ys, counts, means, variances = cells
        a, b = corpus.token_ids[xs], corpus.token_ids[ys]
        yield {
            "token_id_a": np.minimum(a, b),
            "token_id_b": np.maximum(a, b),
            "n_docs": counts,
            "expected_n_docs": means,
            "variance": variances,
        }
        done(part[1] - part[0])


def eligible_tokens(corpus: Corpus, options: CountOptions) -> int:
    """Return how many ranks can have an edge at all: those in enough units for one of the two rules."""
    enough = min(options.rate_min_token_docs, options.z_min_token_docs)
    return int((corpus.n_docs >= enough).sum())


def least_joint_docs(corpus: Corpus, options: CountOptions) -> np.ndarray:
    """Return uint32 by rank y: the fewest joint units with which a token x of larger rank can have an edge to y.

    The rate rule needs n/n(y) >= min_rate_difference; the z rule its least number of joint units.
    """
    never = np.iinfo(np.uint32).max
    by_rate = np.floor(options.min_rate_difference * corpus.n_docs * (1 - 1e-9))
    by_rate = np.where(corpus.n_docs >= options.rate_min_token_docs, np.maximum(by_rate, 1), never)
    by_z = np.where(corpus.n_docs >= options.z_min_token_docs, options.z_min_pair_docs, never)
    return np.minimum(by_rate, by_z).astype(np.uint32)


def count_rows(
    corpus: Corpus, widths: np.ndarray, work: np.ndarray, add: Add, keep: Keep, plan: MemoryPlan, *, threads: int
) -> Iterator[tuple[Part, Cells]]:
    """Count rows of some widths over all chunks; yield parts in order with the cells kept of them."""
    parts = split_rows((widths, _PART_CELLS), (work, work.sum() / (threads * _PARTS_PER_THREAD) + 1))
    sizes = np.array([int(widths[first:last].sum()) for first, last in parts], np.int64)
    with ThreadPoolExecutor(threads) as pool:
        if corpus.store.n_chunks == 1:
            kept = _in_one_chunk(corpus, parts, int(sizes.max(initial=0)), add, keep, pool, threads=threads)
        else:
            kept = _in_groups(corpus, parts, sizes, add, keep, pool, plan, threads=threads)
        yield from zip(parts, kept, strict=True)


def _in_one_chunk(
    corpus: Corpus, parts: list[Part], size: int, add: Add, keep: Keep, pool: ThreadPoolExecutor, *, threads: int
) -> Iterator[Cells]:
    """Count and reduce each part at once, in memory that its thread keeps: rows never leave the cache."""
    (chunk,) = corpus.store
    own = threading.local()

    def count(part: Part) -> Cells:
        if not hasattr(own, "memory"):
            own.memory = np.zeros(size, np.uint32)
        add(chunk, part, own.memory, part[0])
        return keep(part, own.memory, part[0])

    return in_order(pool, count, parts, ahead=2 * threads)


def _in_groups(
    corpus: Corpus,
    parts: list[Part],
    sizes: np.ndarray,
    add: Add,
    keep: Keep,
    pool: ThreadPoolExecutor,
    plan: MemoryPlan,
    *,
    threads: int,
) -> Iterator[Cells]:
    """Count as many parts as fit in memory over all chunks, reduce them, and go on with the next."""
    groups = split_rows((sizes, plan.rows // 4)) if parts else []
    memory = np.zeros(max((int(sizes[a:b].sum()) for a, b in groups), default=0), np.uint32)
    for start, end in groups:
        group = parts[start:end]
        first_row = group[0][0]
        for chunk in corpus.store:
            list(pool.map(partial(_add_to, add, chunk, memory, first_row), group))
        yield from in_order(pool, partial(_keep_from, keep, memory, first_row), group, ahead=2 * threads)


def _add_to(add: Add, chunk: Chunk, memory: np.ndarray, first_row: int, part: Part) -> None:
    add(chunk, part, memory, first_row)


def _keep_from(keep: Keep, memory: np.ndarray, first_row: int, part: Part) -> Cells:
    return keep(part, memory, first_row)
