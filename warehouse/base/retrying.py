"""Trying again: what may go well the next time, for a number of tries or for a while, with growing pauses."""

import random
from collections.abc import Callable
from typing import TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    stop_any,
)

T = TypeVar("T")


class TryAgain(Exception):
    """An attempt failed in a way that another one may fix.

    Args:
        reason: what went wrong, for the message when it is given up.
        wait_s: the next attempt comes no sooner.
    """

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait_s = wait_s


def attempt(
    action: Callable[[], T],
    *,
    tries: int | None = None,
    for_s: float | None = None,
    first_pause_s: float,
    growth: float = 2.0,
    longest_pause_s: float = 300.0,
    spread: float = 0.0,
) -> T:
    """Return what an action returns, which is called again for as long as it raises TryAgain.

    Args:
        tries: how often at most.
        for_s: it is given up at the first failure later than N seconds after the first attempt began.
        first_pause_s: seconds before the second attempt.
        growth: how many times as long each further pause is, up to `longest_pause_s`.
        spread: each pause is longer or shorter by up to this share, by chance, so that rivals come apart.

    Raises:
        TryAgain: the last attempt's, when it is given up. Whatever else the action raises passes at once.
    """
    assert tries is not None or for_s is not None, "an end to the attempts has to be named"

    def pause(state: RetryCallState) -> float:
        pause_s = min(first_pause_s * growth ** (state.attempt_number - 1), longest_pause_s)
        failure = state.outcome.exception() if state.outcome else None
        asked_s = failure.wait_s if isinstance(failure, TryAgain) else 0.0
        return max(pause_s * random.uniform(1 - spread, 1 + spread), asked_s)  # noqa: S311  guards nothing

    ends = [stop_after_attempt(tries)] if tries is not None else []
    late = [stop_after_delay(for_s)] if for_s is not None else []
    return Retrying(stop=stop_any(*ends, *late), wait=pause, retry=retry_if_exception_type(TryAgain), reraise=True)(
        action
    )
