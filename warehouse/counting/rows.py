"""Dense co-occurrence rows, block by block, on all threads: words x tokens and tokens x tokens."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from warehouse.counting import pair_kernels as kernels
from warehouse.counting.options import CountOptions
from warehouse.counting.units import Corpus
from warehouse.counting.words import WordPostings
from warehouse.counting.writing import Columns

# Rounding allowance of E: it is a sum of at most thousands of positive terms, each exact to 1e-16, so cells that differ
# from E by less than this share of it are equal to E and have a score of zero.
EXPECTED_TOLERANCE = 1e-12
_BLOCK_BYTES = 1 << 30
_TASK_CELLS = 1 << 21


def split_rows(weights: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """Cut rows into runs [from, to) whose weights add up to at most `limit` (a heavier row is a run of its own)."""
    runs = []
    start, total = 0, 0.0
    for row, weight in enumerate(weights.tolist()):
        if row > start and total + weight > limit:
            runs.append((start, row))
            start, total = row, 0.0
        total += weight
    if start < len(weights):
        runs.append((start, len(weights)))
    return runs


def in_order(pool: ThreadPoolExecutor, work: Callable[..., Any], tasks: list[tuple[Any, ...]]) -> Iterator[Any]:
    """Run tasks on the pool and yield their results in the order of the tasks."""
    return iter(list(pool.map(lambda task: work(*task), tasks)))


def word_token_cells(
    corpus: Corpus, postings: WordPostings, *, threads: int, done: Callable[[int], None]
) -> Iterator[Columns]:
    """Yield the cells of `raw.word_tokens`, sorted by word_id and token_id."""
    n_tokens = corpus.token_ids.size
    column_order = np.argsort(corpus.token_ids).astype(np.int32)
    rates = corpus.rates
    blocks = split_rows(np.full(postings.word_ids.size, n_tokens * 4.0), _BLOCK_BYTES)
    with ThreadPoolExecutor(threads) as pool:
        for first, last in blocks:
            block = np.zeros((last - first, n_tokens), np.uint32)
            strata = np.zeros((last - first, len(corpus.strata)), np.float64)
            units = postings.units[postings.row_starts[first] : postings.row_starts[last]]
            row_starts = postings.row_starts[first : last + 1] - postings.row_starts[first]
            row_of = np.repeat(np.arange(last - first), np.diff(row_starts))
            start_unit = 0
            for chunk in corpus.chunks:
                end_unit = start_unit + chunk.strata.size
                here = (units >= start_unit) & (units < end_unit)
                local = units[here] - start_unit
                rows_here = row_of[here]
                np.add.at(strata, (rows_here, chunk.strata[local]), 1.0)
                starts_here = np.searchsorted(rows_here, np.arange(last - first + 1))
                begins, ends = chunk.starts[local], chunk.starts[local + 1]
                _add(pool, chunk.ids, starts_here, begins, ends, block)
                start_unit = end_unit
            tasks = split_rows(np.full(last - first, float(n_tokens)), _TASK_CELLS)
            n_rows = np.diff(row_starts)

            def keep(row_from: int, row_to: int, block=block, n_rows=n_rows, strata=strata) -> Any:
                return kernels.keep_word_cells(
                    block,
                    row_from,
                    row_to,
                    n_rows,
                    corpus.n_units,
                    corpus.n_docs,
                    column_order,
                    strata,
                    corpus.stratum_starts,
                    corpus.stratum_of,
                    rates,
                    EXPECTED_TOLERANCE,
                )

            for rows, ranks, counts, expected, variances in in_order(pool, keep, tasks):
                yield {
                    "word_id": postings.word_ids[first + rows],
                    "token_id": corpus.token_ids[ranks],
                    "n_docs": counts,
                    "expected_n_docs": expected,
                    "variance": variances,
                }
            done(last - first)


def token_pair_edges(
    corpus: Corpus, options: CountOptions, *, threads: int, done: Callable[[int], None]
) -> Iterator[Columns]:
    """Yield the edges of `raw.token_pairs`, token_id_a < token_id_b, in no order that matters."""
    n_tokens = corpus.token_ids.size
    rates = corpus.rates
    sizes = corpus.stratum_sizes.astype(np.float64)
    with ThreadPoolExecutor(threads) as pool:
        first = 0
        while first < n_tokens:
            last = _block_end(first, n_tokens, _BLOCK_BYTES // 4)
            block = np.zeros((last - first, last), np.uint32)
            for chunk in corpus.chunks:
                row_starts = np.zeros(last - first + 1, np.int64)
                begins, ends = kernels.token_postings(chunk.ids, chunk.starts, first, last, row_starts)
                _add(pool, chunk.ids, row_starts, begins, ends, block)

            def keep(row_from: int, row_to: int, block=block, first=first) -> Any:
                return kernels.keep_edges(
                    block,
                    row_from,
                    row_to,
                    first,
                    corpus.n_units,
                    corpus.n_docs,
                    sizes,
                    corpus.stratum_starts,
                    corpus.stratum_of,
                    rates,
                    options.min_rate_difference,
                    options.rate_min_token_docs,
                    options.min_z,
                    options.z_min_pair_docs,
                    options.z_min_token_docs,
                )

            tasks = split_rows(np.arange(first, last, dtype=np.float64), _TASK_CELLS)
            for xs, ys, counts, expected, variances in in_order(pool, keep, tasks):
                a, b = corpus.token_ids[xs], corpus.token_ids[ys]
                yield {
                    "token_id_a": np.minimum(a, b),
                    "token_id_b": np.maximum(a, b),
                    "n_docs": counts,
                    "expected_n_docs": expected,
                    "variance": variances,
                }
            done(last - first)
            first = last


def _block_end(first: int, n_tokens: int, cells: int) -> int:
    """Return the last row of the block from `first` on: (last - first) * last <= cells, at least one row."""
    last = int((first + np.sqrt(first * first + 4.0 * cells)) / 2)
    return min(max(last, first + 1), n_tokens)


def _add(pool: ThreadPoolExecutor, ids, row_starts, begins, ends, block) -> None:
    """Add the postings' slices to the block: each thread takes rows of about the same number of increments."""
    work = np.concatenate([[0], np.cumsum(ends - begins)])[row_starts]
    runs = split_rows(np.diff(work) + 1.0, max(work[-1] / 64, 1 << 16))
    list(pool.map(lambda run: kernels.add_rows(ids, row_starts, begins, ends, run[0], run[1], block), runs))
