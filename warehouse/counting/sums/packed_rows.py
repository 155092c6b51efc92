"""Rows of counts as bytes: for each count that is not zero, how many zeros stand before it and the count, as varints.

Most gaps and counts are below 128, one byte each. A row is read back faster than a disk gives it.
"""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, inline="always")
def _n_bytes(value):
    size = 1
    while value >= 128:
        value >>= 7
        size += 1
    return size


@njit(nogil=True, cache=True, inline="always")
def _put(out, at, value):
    while value >= 128:
        out[at] = (value & 127) | 128
        value >>= 7
        at += 1
    out[at] = value
    return at + 1


@njit(nogil=True, cache=True)
def packed_sizes(cells, begins, widths, sizes):
    """Write to `sizes` how many bytes each row takes; row i is `cells[begins[i] : begins[i] + widths[i]]`, uint32."""
    for row in range(begins.size):
        size = 0
        last = -1
        counts = cells[begins[row] : begins[row] + widths[row]]
        for i in range(counts.size):
            if counts[i]:
                size += _n_bytes(i - last - 1) + _n_bytes(np.int64(counts[i]))
                last = i
        sizes[row] = size


@njit(nogil=True, cache=True)
def pack_rows(cells, begins, widths, out):
    """Write the rows' bytes one after another to `out`, which has room for all of `packed_sizes`."""
    at = 0
    for row in range(begins.size):
        last = -1
        counts = cells[begins[row] : begins[row] + widths[row]]
        for i in range(counts.size):
            if counts[i]:
                at = _put(out, at, i - last - 1)
                at = _put(out, at, np.int64(counts[i]))
                last = i


@njit(nogil=True, cache=True)
def unpack_rows(packed, starts, cells, begins):
    """Add packed rows to `cells`: row i is `packed[starts[i] : starts[i + 1]]` and begins at `begins[i]`."""
    for row in range(begins.size):
        i = begins[row] - 1
        at = starts[row]
        end = starts[row + 1]
        while at < end:
            gap = np.int64(packed[at])
            at += 1
            if gap >= 128:
                gap &= 127
                shift = 7
                while packed[at] >= 128:
                    gap |= np.int64(packed[at] & 127) << shift
                    shift += 7
                    at += 1
                gap |= np.int64(packed[at]) << shift
                at += 1
            count = np.int64(packed[at])
            at += 1
            if count >= 128:
                count &= 127
                shift = 7
                while packed[at] >= 128:
                    count |= np.int64(packed[at] & 127) << shift
                    shift += 7
                    at += 1
                count |= np.int64(packed[at]) << shift
                at += 1
            i += gap + 1
            cells[i] += np.uint32(count)
