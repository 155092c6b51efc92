"""Work that ends when it should: DuckDB stops at an interrupt, but not within every function of a query.

A long call of one function (`levenshtein` of two long texts, a list of a million values) looks for interrupts only when
it is done. Nothing within a process ends it, so the process ends.
"""

import os
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from warehouse.base.child_process import terminated
from warehouse.base.errors import StepFailed

Result = TypeVar("Result")
_INTERRUPT_S = 1.0  # how long interrupted work may take to notice


def run_stoppable(
    work: Callable[[], Result],
    *,
    interrupt: Callable[[], Any],
    abandon: Callable[[], Any],
    time_limit_s: float | None = None,
) -> Result:
    """Run `work` in a thread of its own, and return its result; call it from the main thread, which hears Ctrl-C.

    When time is up, or at the first Ctrl-C or SIGTERM, `interrupt` is called. When that does not help, `abandon` is
    called to clear away what is half done, and this process ends: 1 for time, 130 for Ctrl-C, 143 for SIGTERM.

    Raises:
        StepFailed: the time was up.
    """
    done, results, errors = threading.Event(), [], []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, daemon=True, name="query").start()
    try:
        in_time = done.wait(time_limit_s)
    except KeyboardInterrupt:
        interrupt()
        if not done.wait(_INTERRUPT_S):
            abandon()
            _end("", 143 if terminated.is_set() else 130)
        raise
    if not in_time:
        interrupt()
        said = f"the query was stopped after {time_limit_s:g} s"
        if not done.wait(_INTERRUPT_S):
            abandon()
            _end(f"pivots: {said}\n", 1)
        raise StepFailed(said)
    if errors:
        raise errors[0]
    return results[0]


def _end(said: str, code: int) -> None:
    sys.stderr.write(said)
    sys.stderr.flush()
    os._exit(code)  # the other thread cannot be joined
