"""Numba kernels for co-occurrence: postings x unit sets into dense rows, then the cells worth keeping.

Token ids are ranks here (0 = the token of most units), so that a row's busiest columns share few cache lines. A row of
`cells` counts the units that its key (a word or a token) shares with every column token. The row of token x has only
the columns of smaller rank: each unordered pair is counted once, and the rows of frequent tokens, where the work is,
are short. Rows lie one after another in one flat array: word rows of `width` cells each, token rows as a triangle.

The kernels release the GIL; a caller gives each thread rows of its own. `keep_*` leaves the rows it read zero again.
"""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def triangle(rank):
    """Return where the row of `rank` starts when the rows of all ranks lie one after another."""
    return np.int64(rank) * (np.int64(rank) - 1) // 2


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
def _increment(ids, begin, end, row):
    for i in range(begin, end):
        row[ids[i]] += np.uint32(1)


@njit(nogil=True, cache=True)
def add_token_rows(ids, starts, first, last, cells, origin):
    """Count the rows of the token ranks in [first, last) over one chunk.

    Args:
        ids, starts: the unit sets, ranks ascending.
        cells: uint32, the triangle's rows from position `origin` on.
    """
    n_rows = last - first
    row_starts = np.zeros(n_rows + 1, np.int64)
    for unit in range(starts.size - 1):
        end = starts[unit + 1]
        at = _first_at_least(ids, starts[unit], end, first)
        while at < end and ids[at] < last:
            row_starts[np.int64(ids[at]) - first + 1] += 1
            at += 1
    for row in range(n_rows):
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
    for row in range(n_rows):
        x = first + row
        begin = triangle(x) - origin
        counts = cells[begin : begin + x]
        for posting in range(row_starts[row], row_starts[row + 1]):
            _increment(ids, begins[posting], ends[posting], counts)


@njit(nogil=True, cache=True)
def add_word_rows(ids, starts, words, word_units, first, last, n_frequent, cells, first_row, width):
    """Count the rows of the words in [first, last) over one chunk, without each word's frequent columns.

    Args:
        ids, starts: the unit sets.
        words, word_units: which unit holds which word, grouped by word.
        n_frequent: int64 by word: the columns below it are left to `add_frequent_columns`.
        cells: uint32, the rows of all words from `first_row` on, `width` cells each.
    """
    for match in range(np.searchsorted(words, first), np.searchsorted(words, last)):
        word = words[match]
        row_begin = (np.int64(word) - first_row) * width
        begin, end = starts[word_units[match]], starts[word_units[match] + 1]
        if n_frequent[word]:
            begin = _first_at_least(ids, begin, end, n_frequent[word])
        _increment(ids, begin, end, cells[row_begin : row_begin + width])


@njit(nogil=True, cache=True, fastmath=True)
def _rough_mean(weights, rates):
    """A quick sum of products in single precision: only ever used to leave a cell out by a margin."""
    total = np.float32(0)
    for k in range(weights.size):
        total += weights[k] * rates[k]
    return total


@njit(nogil=True, cache=True)
def keep_word_cells(
    cells,
    first,
    last,
    first_row,
    n_units,
    n_word_docs,
    word_strata,
    n_docs,
    column_order,
    starts,
    strata,
    rates,
    rough,
    margin,
    tolerance,
):
    """Return the cells of the words in [first, last) that a score could rank, with what strata let expect.

    Kept: n > 0 and (n(w,x) N > n(x) n(w), in integers, or n(w,x) > E(w,x) by more than rounding), where
    E = sum n_k(w) r_k(x) and Var = sum n_k(w) r_k(x) (1 - r_k(x)).

    Args:
        cells: uint32, the rows of all words from `first_row` on.
        n_word_docs, word_strata: n(w), and n_k(w) as int32[words, strata].
        column_order: the ranks in the order of their token ids, which is the order of the result.
        n_docs: n(x), in that order. starts, strata, rates, rough, margin: see `Expectation`, in that order.
        tolerance: relative rounding allowance of E.

    Returns:
        word int32, place in `column_order` int32, n int64, E float64, Var float64.
    """
    width = column_order.size
    size = 0
    for i in range((first - first_row) * width, (last - first_row) * width):
        size += cells[i] != 0
    words = np.empty(size, np.int32)
    columns = np.empty(size, np.int32)
    counts = np.empty(size, np.int64)
    expected = np.empty(size, np.float64)
    variances = np.empty(size, np.float64)
    weights = np.zeros(rough.shape[1], np.float32)
    kept = 0
    for word in range(first, last):
        n_word = n_word_docs[word]
        by_stratum = word_strata[word]
        for k in range(by_stratum.size):
            weights[k] = by_stratum[k]
        begin = (word - first_row) * width
        row = cells[begin : begin + width]
        for i in range(width):
            n = np.int64(row[column_order[i]])
            if n == 0:
                continue
            by_rate = n * n_units > n_docs[i] * n_word
            if not by_rate and n < _rough_mean(weights, rough[i]) * (1.0 - margin):
                continue
            mean = 0.0
            variance = 0.0
            for entry in range(starts[i], starts[i + 1]):
                part = by_stratum[strata[entry]] * rates[entry]
                mean += part
                variance += part * (1.0 - rates[entry])
            if by_rate or n > mean * (1.0 + tolerance):
                words[kept] = word
                columns[kept] = i
                counts[kept] = n
                expected[kept] = mean
                variances[kept] = variance
                kept += 1
        row[:] = np.uint32(0)
    return words[:kept], columns[:kept], counts[:kept], expected[:kept], variances[:kept]


@njit(nogil=True, cache=True)
def keep_edges(
    cells,
    first,
    last,
    origin,
    n_units,
    n_docs,
    starts,
    strata,
    rates,
    max_rates,
    rough,
    sizes,
    margin,
    least,
    least_by_rate,
    min_rate_difference,
    rate_min_token_docs,
    min_z,
    z_min_pair_docs,
    z_min_token_docs,
):
    """Return the edges of the token ranks in [first, last) that pass one of the two rules of `CountOptions`.

    E = sum N_k r_k(x) r_k(y), Var = sum N_k r_k(x) r_k(y) (1 - r_k(x) r_k(y)).

    Args:
        cells: uint32, the triangle's rows from position `origin` on.
        n_docs: n(x) by rank.
        starts, strata, rates, max_rates, rough, sizes, margin: see `Expectation`.
        least: uint32 by rank: no rule keeps an edge of this column with fewer joint units.
        least_by_rate: float64 by rank: the rate rule keeps no edge of this token with fewer (it saves divisions).

    Returns:
        rank x int32, rank y int32 (y < x), n int64, E float64, Var float64.
    """
    size = 0
    for x in range(first, last):
        begin = triangle(x) - origin
        row = cells[begin : begin + x]
        for y in range(x):
            size += row[y] >= least[y]
    xs = np.empty(size, np.int32)
    ys = np.empty(size, np.int32)
    counts = np.empty(size, np.int64)
    expected = np.empty(size, np.float64)
    variances = np.empty(size, np.float64)
    weights = np.zeros(rough.shape[1], np.float32)
    row_rates = np.zeros(sizes.size, np.float64)
    kept = 0
    for x in range(first, last):
        n_x = n_docs[x]
        for entry in range(starts[x], starts[x + 1]):
            row_rates[strata[entry]] = rates[entry]
            weights[strata[entry]] = rates[entry] * sizes[strata[entry]]
        begin = triangle(x) - origin
        row = cells[begin : begin + x]
        for y in range(x):
            if row[y] < least[y]:
                continue
            n = np.int64(row[y])
            n_y = n_docs[y]
            # the same operations in the same order as the definition, so that both round alike
            by_rate = (
                n >= least_by_rate[x]
                and n >= least_by_rate[y]
                and n_x >= rate_min_token_docs
                and n_y >= rate_min_token_docs
                and n / n_x - n_y / n_units >= min_rate_difference
                and n / n_y - n_x / n_units >= min_rate_difference
            )
            if not by_rate:
                if n < z_min_pair_docs or n_x < z_min_token_docs or n_y < z_min_token_docs:
                    continue
                # Var >= E (1 - max r(x) max r(y)), so this is at least z * sqrt(Var + 1) where z can reach min_z
                low_mean = _rough_mean(weights, rough[y]) * (1.0 - margin)
                above = n - low_mean
                low_variance = low_mean * (1.0 - max_rates[x] * max_rates[y])
                if above < 0 or above * above < min_z * min_z * (low_variance + 1.0) * 0.999999:
                    continue
            mean = 0.0
            variance = 0.0
            for entry in range(starts[y], starts[y + 1]):
                both = row_rates[strata[entry]] * rates[entry]
                part = sizes[strata[entry]] * both
                mean += part
                variance += part * (1.0 - both)
            if by_rate or (n - mean) / np.sqrt(variance + 1.0) >= min_z:
                xs[kept] = x
                ys[kept] = y
                counts[kept] = n
                expected[kept] = mean
                variances[kept] = variance
                kept += 1
        row[:] = np.uint32(0)
        for entry in range(starts[x], starts[x + 1]):
            row_rates[strata[entry]] = 0.0
            weights[strata[entry]] = np.float32(0)
    return xs[:kept], ys[:kept], counts[:kept], expected[:kept], variances[:kept]
