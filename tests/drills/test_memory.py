"""The drill of little memory: it lets a command be, and notices one that the system kills."""

import sys

import pytest

from drills import memory


@pytest.fixture(autouse=True)
def needs_control_groups() -> None:
    try:
        with memory.control_group(64):
            pass
    except OSError:
        pytest.skip("needs the right to make control groups")


@pytest.mark.slow
def test_what_holds_too_much_is_a_failure_and_what_holds_little_is_none() -> None:
    for mib, code, is_failure in ((64, "b'x' * (256 << 20)", True), (512, "b'x' * (128 << 20)", False)):
        with memory.control_group(mib) as group:
            outcome = memory.bounded("x", [sys.executable, "-c", code], group)
        assert bool(outcome.failure) == is_failure, outcome
        assert outcome.peak_mib >= 60
