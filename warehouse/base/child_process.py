"""Programs that run for this one: they end with it, whether it ends, is stopped, or is killed."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import IO, Any

from warehouse.contract.lifeline import lifeline

# How long a program that was asked to end (SIGTERM) may take before it is killed.
STOP_S = 20.0
_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of <linux/prctl.h>
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None

terminated = threading.Event()


def stop_on_sigterm() -> None:
    """Handle SIGTERM as Ctrl-C is handled: what is under way is undone, programs that run for us are stopped."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        terminated.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


@contextmanager
def child_process(command: Sequence[Any], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a program (see `start_child`) and yield it; when the block ends, for whatever reason, it has ended."""
    program = start_child(command, **options)
    try:
        yield program
    finally:
        stop(program, whole_group=options.get("own_group", False))


def start_child(
    command: Sequence[Any],
    *,
    env: Mapping[str, str] | None = None,
    own_group: bool = False,
    hold: Sequence[int] = (),
    at_death: signal.Signals | None = signal.SIGKILL,
    **pipes: Any,
) -> subprocess.Popen[Any]:
    """Start a program that ends with this one; the caller stops it before that.

    On Linux the system itself ends it when this process is killed, or the thread that called this is gone; elsewhere
    only programs that call `lifeline.watch_launcher` notice.

    Args:
        own_group: it has programs of its own, which are stopped with it.
        hold: descriptors of locks: the program holds these, too, so they outlast us as long as it does.
        at_death: what the system sends it when this process is killed; None for a program that watches its launcher
            and has programs of its own to end.
        pipes: what else Popen takes: stdin, stdout, stderr, text, cwd.
    """
    environment = {**(os.environ if env is None else env), **lifeline()}
    words = [str(word) for word in command]
    group: dict[str, Any] = {"process_group": 0} if own_group else {}
    ours = os.getpid()
    held = tuple(map(os.dup, hold))  # filelock closes its own in whatever is forked
    try:
        return subprocess.Popen(
            words, env=environment, preexec_fn=lambda: _die_with(ours, at_death), pass_fds=held, **group, **pipes
        )
    finally:
        for descriptor in held:
            os.close(descriptor)


def run_child(command: Sequence[Any], **options: Any) -> int:
    """Run a program to its end and return its exit code. See `child_process` for the options."""
    with child_process(command, **options) as program:
        return program.wait()


def stop(program: subprocess.Popen[Any], *, whole_group: bool = False, wait_s: float = STOP_S) -> None:
    """Ask a program to end, kill it when it does not, and close its pipes."""
    if program.poll() is None:
        _signal(program, signal.SIGTERM, whole_group)
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(wait_s)
    if whole_group or program.poll() is None:
        _signal(program, signal.SIGKILL, whole_group)
    program.wait()
    for pipe in (program.stdin, program.stdout, program.stderr):
        _close(pipe)


def _signal(program: subprocess.Popen[Any], number: signal.Signals, whole_group: bool) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
        if whole_group:
            os.killpg(program.pid, number)
        else:
            program.send_signal(number)


def _die_with(parent: int, number: signal.Signals | None) -> None:
    """Run in the new program before it becomes that program: nothing here may take a lock or import."""
    if _LIBC is None:
        return
    if number is not None:
        _LIBC.prctl(_SET_PARENT_DEATH_SIGNAL, int(number))
    if os.getppid() != parent:  # died between fork and here
        os._exit(1)


def _close(pipe: IO[Any] | None) -> None:
    if pipe is not None:
        with contextlib.suppress(OSError):
            pipe.close()
