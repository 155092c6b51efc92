"""Attempts: how many, how long apart, and what ends them."""

import time
from collections.abc import Callable

import pytest
import tenacity

from warehouse.base.retrying import TryAgain, attempt


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the pauses that are made, none of which takes any time."""
    made: list[float] = []
    monkeypatch.setattr(tenacity.nap.time, "sleep", made.append)
    return made


def failing(times: int, wait_s: float = 0.0) -> Callable[[], str]:
    """Return an action that fails so often before it goes well."""
    left = list(range(times))

    def action() -> str:
        if left:
            raise TryAgain(f"{left.pop()} more", wait_s)
        return "done"

    return action


def test_pauses_grow_up_to_the_longest(pauses: list[float]) -> None:
    assert attempt(failing(5), tries=6, first_pause_s=1.0, longest_pause_s=6.0) == "done"
    assert pauses == [1.0, 2.0, 4.0, 6.0, 6.0]


def test_a_failure_may_ask_for_a_longer_pause(pauses: list[float]) -> None:
    assert attempt(failing(3, wait_s=3.0), tries=6, first_pause_s=1.0) == "done"
    assert pauses == [3.0, 3.0, 4.0]


def test_pauses_of_rivals_differ_by_a_share(pauses: list[float]) -> None:
    attempt(failing(200), tries=201, first_pause_s=1.0, growth=1.0, spread=0.5)
    assert all(0.5 <= pause <= 1.5 for pause in pauses)
    assert max(pauses) - min(pauses) > 0.5


def test_the_last_failure_is_raised_after_the_last_try(pauses: list[float]) -> None:
    with pytest.raises(TryAgain, match="3 more"):
        attempt(failing(6), tries=3, first_pause_s=1.0)
    assert len(pauses) == 2


def test_it_is_given_up_when_the_time_is_up() -> None:
    start, begun = time.monotonic(), []

    def action() -> None:
        begun.append(time.monotonic() - start)
        raise TryAgain("never")

    with pytest.raises(TryAgain):
        attempt(action, for_s=0.1, first_pause_s=0.01, growth=1.0)
    assert len(begun) > 1
    assert begun[-2] < 0.1 <= time.monotonic() - start


def test_any_other_failure_passes_at_once(pauses: list[float]) -> None:
    def action() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        attempt(action, tries=6, first_pause_s=1.0)
    assert pauses == []
