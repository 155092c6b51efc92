"""Sorting small integers by counting them: linear, and stable."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def stable_order(keys, n_keys):
    """Return int64: the order that sorts `keys`, integers in [0, n_keys), equal ones as they stand."""
    ends = np.zeros(n_keys + 1, np.int64)
    for key in keys:
        ends[key + 1] += 1
    for key in range(n_keys):
        ends[key + 1] += ends[key]
    order = np.empty(keys.size, np.int64)
    for i in range(keys.size):
        order[ends[keys[i]]] = i
        ends[keys[i]] += 1
    return order
