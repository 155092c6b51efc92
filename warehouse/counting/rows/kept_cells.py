"""The cells worth keeping: words x tokens that a score could rank, edges between tokens that pass a rule."""

from collections.abc import Callable, Iterator

import numpy as np

from warehouse.counting.memory import MemoryPlan
from warehouse.counting.options import CountOptions
from warehouse.counting.rows import increment_kernels as kernels
from warehouse.counting.rows.dense_rows import Part, Save, token_rows, word_rows
from warehouse.counting.rows.strata import expectation
from warehouse.counting.tables.writer import Columns
from warehouse.counting.units.corpus_units import Corpus

# Rounding allowance of E: it is a sum of positive terms, so cells that differ from E by less than this share of it are
# equal to E within rounding, and a score finds nothing in them.
EXPECTED_TOLERANCE = 1e-12

KeepCells = Callable[[Part, np.ndarray, int], Columns]  # (part, memory, the row at its start); leaves the part zero


def keep_words(corpus: Corpus) -> KeepCells:
    """Return what reduces complete rows of words to cells of `raw.word_tokens`, sorted by word_id and token_id."""
    column_order = np.argsort(corpus.token_ids).astype(np.int32)
    expected = expectation(corpus, column_order)
    token_ids = corpus.token_ids[column_order]
    n_units, n_docs, n_word_docs = corpus.n_units, corpus.n_docs[column_order], corpus.n_word_docs

    def keep(part: Part, memory: np.ndarray, first_row: int) -> Columns:
        words, columns, counts, means, variances = kernels.keep_word_cells(
            memory,
            *part,
            first_row,
            n_units,
            n_word_docs,
            corpus.word_strata,
            n_docs,
            column_order,
            expected.starts,
            expected.strata,
            expected.rates,
            expected.rough,
            expected.margin,
            EXPECTED_TOLERANCE,
        )
        return {
            "word_id": corpus.word_ids[words],
            "token_id": token_ids[columns],
            "n_docs": counts,
            "expected_n_docs": means,
            "variance": variances,
        }

    return keep


def keep_tokens(corpus: Corpus, options: CountOptions) -> KeepCells:
    """Return what reduces complete rows of tokens to edges of `raw.token_pairs`, a < b, not sorted."""
    n_units, n_docs, expected = corpus.n_units, corpus.n_docs, expectation(corpus)
    least = least_joint_docs(n_docs, options)

    def keep(part: Part, memory: np.ndarray, first_row: int) -> Columns:
        xs, ys, counts, means, variances = kernels.keep_edges(
            memory,
            *part,
            kernels.triangle(first_row),
            n_units,
            n_docs,
            expected.starts,
            expected.strata,
            expected.rates,
            expected.max_rates,
            expected.rough,
            expected.sizes,
            expected.margin,
            least,
            np.floor(options.min_rate_difference * n_docs * (1 - 1e-9)),
            options.min_rate_difference,
            options.rate_min_token_docs,
            options.min_z,
            options.z_min_pair_docs,
            options.z_min_token_docs,
        )
        a, b = corpus.token_ids[xs], corpus.token_ids[ys]
        return {
            "token_id_a": np.minimum(a, b),
            "token_id_b": np.maximum(a, b),
            "n_docs": counts,
            "expected_n_docs": means,
            "variance": variances,
        }

    return keep


def word_token_cells(
    corpus: Corpus, plan: MemoryPlan, *, threads: int, save: Save | None, done: Callable[[int], None]
) -> Iterator[Columns]:
    """Yield the cells of `raw.word_tokens`, sorted by word_id and token_id; `done` hears of finished words."""
    for (first, last), cells in word_rows(corpus, keep_words(corpus), plan, threads=threads, save=save):
        yield cells
        done(last - first)


def token_pair_edges(
    corpus: Corpus,
    options: CountOptions,
    plan: MemoryPlan,
    *,
    threads: int,
    save: Save | None,
    done: Callable[[int], None],
) -> Iterator[Columns]:
    """Yield the edges of `raw.token_pairs`, token_id_a < token_id_b, not sorted; `done` hears of finished tokens."""
    for (first, last), edges in token_rows(corpus, keep_tokens(corpus, options), plan, threads=threads, save=save):
        yield edges
        done(last - first)


def least_joint_docs(n_docs: np.ndarray, options: CountOptions) -> np.ndarray:
    """Return uint32 by rank y: the fewest joint units with which any token can have an edge to y.

    The rate rule needs n/n(y) >= min_rate_difference; the z rule its least number of joint units.
    """
    never = np.iinfo(np.uint32).max
    by_rate = np.floor(options.min_rate_difference * n_docs * (1 - 1e-9))
    by_rate = np.where(n_docs >= options.rate_min_token_docs, np.maximum(by_rate, 1), never)
    by_z = np.where(n_docs >= options.z_min_token_docs, options.z_min_pair_docs, never)
    return np.minimum(by_rate, by_z).astype(np.uint32)
