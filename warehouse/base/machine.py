"""What this process may use of the machine."""

import os


def available_threads() -> int:
    """Return how many CPUs this process may use (PIVOTS_THREADS overrides)."""
    override = os.environ.get("PIVOTS_THREADS")
    return int(override) if override else len(os.sched_getaffinity(0))


def memory_limit() -> str:
    """Return DuckDB's memory limit (PIVOTS_MEMORY, default 4GiB): the peak of a whole step stays under 6 GiB."""
    return os.environ.get("PIVOTS_MEMORY", "4GiB")
