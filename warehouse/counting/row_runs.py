"""Rows cut into runs of bounded weight."""

import numpy as np


def split_rows(*limits: tuple[np.ndarray, float]) -> list[tuple[int, int]]:
    """Cut rows into runs [from, to): in each run every weight adds up to at most its limit.

    Args:
        limits: (weight of each row, limit of a run's sum), all of one length. A row that is heavier by itself is a run
            of its own.
    """
    n_rows = limits[0][0].size
    sums = [np.concatenate([[0.0], np.cumsum(weights, dtype=np.float64)]) for weights, _ in limits]
    runs = []
    start = 0
    while start < n_rows:
        ends = [
            np.searchsorted(total, total[start] + limit, side="right") - 1
            for total, (_, limit) in zip(sums, limits, strict=True)
        ]
        end = max(start + 1, min(int(min(ends)), n_rows))
        runs.append((start, end))
        start = end
    return runs
