"""A program that was started for another one ends when that one does, however it ends, and whatever stands between.

Who starts a program names itself in PIVOTS_LIFELINE; the program watches that process. Launchers between the two
(accelerate, a Prefect worker) hand the variable on and need not know of it. Where one machine starts another's
programs the variable is not set.
"""

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping

VARIABLE = "PIVOTS_LIFELINE"
_STOP_S = 5.0  # for servers of our own group to end by themselves
_POLL_S = 0.5


def lifeline() -> Mapping[str, str]:
    """Return the variable that ties a program, and all that it starts, to this process."""
    return {VARIABLE: str(os.getpid())}


def watch_launcher() -> None:
    """End this process when the one that started it is gone. Does nothing when none is named.

    A process that leads a group takes its group along: servers and programs that it started and that watch nobody.
    """
    named = os.environ.get(VARIABLE)
    if named is None or int(named) == os.getpid():
        return
    gone = _gone(int(named))

    def watch() -> None:
        gone()
        _end()

    threading.Thread(target=watch, daemon=True, name="watch-launcher").start()


def _gone(process_id: int) -> Callable[[], None]:
    """Return a function that waits until a process is gone, also when its number is given to another one."""

    def ask_again() -> None:
        with contextlib.suppress(ProcessLookupError):
            while True:
                with contextlib.suppress(PermissionError):  # it lives, as another user
                    os.kill(process_id, 0)
                time.sleep(_POLL_S)

    if sys.platform != "linux":
        return ask_again
    try:
        descriptor = os.pidfd_open(process_id)
    except ProcessLookupError:
        return lambda: None
    except OSError:  # a kernel without it
        return ask_again
    return lambda: _wait_readable(descriptor)


def _wait_readable(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    poll.poll()


def _end() -> None:
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGTERM)
        time.sleep(_STOP_S)
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
