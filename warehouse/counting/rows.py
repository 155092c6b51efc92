"""Dense co-occurrence rows, group by group, on all threads: words x tokens and tokens x tokens.

A group is as many rows as the memory plan allows. Each group is counted over all chunks, then reduced to the cells
worth keeping. Within a group, threads take parts of about the same number of increments.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from warehouse.counting import pair_kernels as kernels
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
# With one chunk a pass over the units costs little, so rows that stay in the cache beat fewer passes.
_ONE_CHUNK_ROW_BYTES = 64 << 20

Part = tuple[int, int]  # rows [first, last)


def word_token_cells(
    corpus: Corpus, expected: Expectation, plan: MemoryPlan, *, threads: int, done: Callable[[int], None]
) -> Iterator[Columns]:
    """Yield the cells of `raw.word_tokens`, sorted by word_id and token_id."""
    width = corpus.token_ids.size
    column_order = np.argsort(corpus.token_ids).astype(np.int32)
    n_word_docs = corpus.n_word_docs
    widths = np.full(corpus.word_ids.size, width)
    parts = _parts(widths, corpus.word_work, threads)
    with ThreadPoolExecutor(threads) as pool:
        for group, cells in _groups(corpus, parts, widths, plan):
            first_row = group[0][0]
            for chunk in corpus.store:

                def add(part: Part, chunk=chunk, cells=cells, first_row=first_row) -> None:
                    kernels.add_word_rows(
                        chunk.ids, chunk.starts, chunk.words, chunk.word_units, *part, cells, first_row, width
                    )

                list(pool.map(add, group))

            def keep(part: Part, cells=cells, first_row=first_row) -> tuple[np.ndarray, ...]:
                return kernels.keep_word_cells(
                    cells,
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

            for words, ranks, counts, means, variances in in_order(pool, keep, group, ahead=threads):
                yield {
                    "word_id": corpus.word_ids[words],
                    "token_id": corpus.token_ids[ranks],
                    "n_docs": counts,
                    "expected_n_docs": means,
                    "variance": variances,
                }
            done(group[-1][1] - first_row)


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
    widths = np.arange(n_tokens)
    parts = _parts(widths, corpus.row_work[:n_tokens], threads)
    with ThreadPoolExecutor(threads) as pool:
        for group, cells in _groups(corpus, parts, widths, plan):
            origin = int(kernels.triangle(group[0][0]))
            for chunk in corpus.store:

                def add(part: Part, chunk=chunk, cells=cells, origin=origin) -> None:
                    kernels.add_token_rows(chunk.ids, chunk.starts, *part, cells, origin)

                list(pool.map(add, group))

            def keep(part: Part, cells=cells, origin=origin) -> tuple[np.ndarray, ...]:
                return kernels.keep_edges(
                    cells,
                    *part,
                    origin,
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

            for xs, ys, counts, means, variances in in_order(pool, keep, group, ahead=threads):
                a, b = corpus.token_ids[xs], corpus.token_ids[ys]
                yield {
                    "token_id_a": np.minimum(a, b),
                    "token_id_b": np.maximum(a, b),
                    "n_docs": counts,
                    "expected_n_docs": means,
                    "variance": variances,
                }
            done(group[-1][1] - group[0][0])


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


def _parts(widths: np.ndarray, work: np.ndarray, threads: int) -> list[Part]:
    """Cut rows into parts of bounded size and about equal work."""
    return split_rows((widths, _PART_CELLS), (work, work.sum() / (threads * _PARTS_PER_THREAD) + 1))


def _groups(
    corpus: Corpus, parts: list[Part], widths: np.ndarray, plan: MemoryPlan
) -> Iterator[tuple[list[Part], np.ndarray]]:
    """Yield runs of parts with zeroed memory for their rows (the same memory each time: rows are left zero)."""
    limit = plan.rows
    if corpus.store.n_chunks == 1:
        limit = min(limit, _ONE_CHUNK_ROW_BYTES)
    sizes = np.array([int(widths[first:last].sum()) for first, last in parts])
    runs = split_rows((sizes, limit // 4)) if parts else []
    cells = np.zeros(max((int(sizes[a:b].sum()) for a, b in runs), default=0), np.uint32)
    for first, last in runs:
        yield parts[first:last], cells
