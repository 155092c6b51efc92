"""Numba kernels for co-occurrence: postings x unit sets into dense rows, then the cells worth keeping.

Token ids are ranks here (0 = the token of most units), so that a row's busiest columns share few cache lines. A row of
`block` counts the units that its row key (a word or a token) shares with every column token. For token rows only
columns of smaller rank are counted: each unordered pair once, and the rows of frequent tokens, where the work is, are
short.
"""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def _first_at_least(ids, start, end, value):
    while start < end:
        middle = (start + end) >> 1
        if ids[middle] < value:
            start = middle + 1
        else:
            end = middle
    return start


@njit(nogil=True, cache=True)
def token_postings(ids, starts, first, last, row_starts):
    """Return the postings of the token ranks in [first, last): where in which unit each of them stands.

    Args:
        ids, starts: the unit sets, ranks ascending.
        row_starts: int64[last - first + 1], zeros; receives where each rank's postings start.

    Returns:
        begins, ends: the slices of `ids` with the tokens of smaller rank in that unit, grouped by row.
    """
    for unit in range(starts.size - 1):
        end = starts[unit + 1]
        at = _first_at_least(ids, starts[unit], end, first)
        while at < end and ids[at] < last:
            row_starts[np.int64(ids[at]) - first + 1] += 1
            at += 1
    for row in range(last - first):
        row_starts[row + 1] += row_starts[row]
    cursor = row_starts[:-1].copy()
    begins = np.empty(row_starts[-1], np.int64)
    ends = np.empty(row_starts[-1], np.int64)
    for unit in range(starts.size - 1):
        start, end = starts[unit], starts[unit + 1]
        at = _first_at_least(ids, start, end, first)
        while at < end and ids[at] < last:
            row = np.int64(ids[at]) - first
            begins[cursor[row]] = start
            ends[cursor[row]] = at
            cursor[row] += 1
            at += 1
    return begins, ends


@njit(nogil=True, cache=True)
def add_rows(ids, row_starts, begins, ends, row_from, row_to, block):
    """For each row in [row_from, row_to) add one to the columns in each of its postings' slices of `ids`."""
    for row in range(row_from, row_to):
        counts = block[row]
        for posting in range(row_starts[row], row_starts[row + 1]):
            for i in range(begins[posting], ends[posting]):
                counts[ids[i]] += np.uint32(1)


@njit(nogil=True, cache=True)
def keep_word_cells(
    block,
    row_from,
    row_to,
    n_rows,
    n_units,
    n_columns,
    column_order,
    row_strata,
    stratum_starts,
    stratum_of,
    rates,
    tolerance,
):
    """Return the cells of word rows that a score could rank, with what strata let expect.

    Kept: n(w,x) > 0 and (n(w,x) N > n(x) n(w), in integers, or n(w,x) > E(w,x) by more than rounding).

    Args:
        block: uint32[rows, tokens], n(w,x).
        n_rows: int64[rows], n(w). n_units: N. n_columns: int64[tokens], n(x).
        column_order: int32[tokens], the ranks in the order of their token ids: cells come out in that order.
        row_strata: float64[rows, strata], n_k(w).
        stratum_starts, stratum_of, rates: the strata of each rank and r_k(x) = n_k(x)/N_k there.
        tolerance: relative rounding allowance of E.

    Returns:
        row int64, rank int32, n int64, E float64, variance float64 of the kept cells.
    """
    size = 0
    for row in range(row_from, row_to):
        for column in range(block.shape[1]):
            size += block[row, column] != 0
    rows = np.empty(size, np.int64)
    ranks = np.empty(size, np.int32)
    counts = np.empty(size, np.int64)
    expected = np.empty(size, np.float64)
    variances = np.empty(size, np.float64)
    kept = 0
    for row in range(row_from, row_to):
        weights = row_strata[row]
        for rank in column_order:
            n = np.int64(block[row, rank])
            if n == 0:
                continue
            mean = 0.0
            variance = 0.0
            for i in range(stratum_starts[rank], stratum_starts[rank + 1]):
                part = weights[stratum_of[i]] * rates[i]
                mean += part
                variance += part * (1.0 - rates[i])
            if n * n_units > n_columns[rank] * n_rows[row] or n > mean * (1.0 + tolerance):
                rows[kept] = row
                ranks[kept] = rank
                counts[kept] = n
                expected[kept] = mean
                variances[kept] = variance
                kept += 1
    return rows[:kept], ranks[:kept], counts[:kept], expected[:kept], variances[:kept]


@njit(nogil=True, cache=True)
def keep_edges(
    block,
    row_from,
    row_to,
    first,
    n_units,
    n_columns,
    stratum_sizes,
    stratum_starts,
    stratum_of,
    rates,
    min_rate_difference,
    rate_min_token_docs,
    min_z,
    z_min_pair_docs,
    z_min_token_docs,
):
    """Return the edges of token rows that pass one of the two rules of `CountOptions`.

    Args:
        block: uint32[rows, tokens], n(x,y) of x = rank `first` + row with every y of smaller rank.
        stratum_sizes: float64[strata], N_k.
        stratum_starts, stratum_of, rates: the strata of each rank and r_k(x) = n_k(x)/N_k there.

    Returns:
        rank x int32, rank y int32, n int64, E float64, variance float64 of the kept edges.
    """
    size = 0
    for row in range(row_from, row_to):
        for column in range(first + row):
            size += block[row, column] != 0
    xs = np.empty(size, np.int32)
    ys = np.empty(size, np.int32)
    counts = np.empty(size, np.int64)
    expected = np.empty(size, np.float64)
    variances = np.empty(size, np.float64)
    row_rates = np.zeros(stratum_sizes.size, np.float64)
    kept = 0
    for row in range(row_from, row_to):
        x = first + row
        n_x = n_columns[x]
        for i in range(stratum_starts[x], stratum_starts[x + 1]):
            row_rates[stratum_of[i]] = rates[i]
        for y in range(x):
            n = np.int64(block[row, y])
            if n == 0:
                continue
            n_y = n_columns[y]
            # the same operations in the same order as the definition, so that both round alike
            by_rate = (
                n_x >= rate_min_token_docs
                and n_y >= rate_min_token_docs
                and n / n_x - n_y / n_units >= min_rate_difference
                and n / n_y - n_x / n_units >= min_rate_difference
            )
            may_be_by_z = n >= z_min_pair_docs and n_x >= z_min_token_docs and n_y >= z_min_token_docs
            if not (by_rate or may_be_by_z):
                continue
            mean = 0.0
            variance = 0.0
            for i in range(stratum_starts[y], stratum_starts[y + 1]):
                both = row_rates[stratum_of[i]] * rates[i]
                part = stratum_sizes[stratum_of[i]] * both
                mean += part
                variance += part * (1.0 - both)
            if by_rate or (n - mean) / np.sqrt(variance + 1.0) >= min_z:
                xs[kept] = x
                ys[kept] = y
                counts[kept] = n
                expected[kept] = mean
                variances[kept] = variance
                kept += 1
        for i in range(stratum_starts[x], stratum_starts[x + 1]):
            row_rates[stratum_of[i]] = 0.0
    return xs[:kept], ys[:kept], counts[:kept], expected[:kept], variances[:kept]
