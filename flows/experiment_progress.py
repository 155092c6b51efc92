"""How far an experiment is: one line for the whole of it, whenever a training or an evaluation has ended."""

import threading
import time
from collections.abc import Callable

from warehouse.base.progress import say


class ExperimentProgress:
    """Counts what has ended, and guesses what is left from how long each kind took so far.

    Args:
        planned: kind of step -> how many there are, in the order in which they run.
        clock: seconds; tests give their own.
    """

    def __init__(self, planned: dict[str, int], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._planned, self._clock = planned, clock
        self._ended = dict.fromkeys(planned, 0)
        self._begun: dict[str, float] = {}  # kind -> when its first step was handed out
        self._last: dict[str, float] = {}  # kind -> when its latest step ended
        self._start, self._lock = clock(), threading.Lock()

    def begin(self, kind: str) -> None:
        """Note that the steps of a kind are handed out now."""
        self._begun[kind] = self._clock()

    def ended(self, kind: str) -> None:
        """Note that a step has ended, and say how far the whole is."""
        with self._lock:
            self._ended[kind] += 1
            self._last[kind] = self._clock()
            say(self.line())

    def line(self) -> str:
        """Return how much is done, how long it took, and about how long the rest takes where that can be told."""
        n_done, n_all = sum(self._ended.values()), sum(self._planned.values())
        parts = ", ".join(f"{self._ended[kind]} of {n} {kind}" for kind, n in self._planned.items())
        left = self._left()
        rest = "" if left is None else f", about {_minutes(left)} left"
        return f"experiment: {n_done} of {n_all} steps ({parts}); {_minutes(self._clock() - self._start)} so far{rest}"

    def _left(self) -> float | None:
        """Return seconds, or None while a kind that is still to come has not ended once."""
        left = 0.0
        for kind, n in self._planned.items():
            n_left = n - self._ended[kind]
            if n_left and not self._ended[kind]:
                return None
            if n_left:
                left += (self._last[kind] - self._begun[kind]) / self._ended[kind] * n_left
        return left


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
