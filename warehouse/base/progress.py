"""Progress of long work: a bar on a terminal, a plain line every few seconds elsewhere. Always on stderr."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from warehouse.base.terminal import printable

_PLAIN_INTERVAL_S = 10.0


def say(message: str) -> None:
    """Print one line of progress."""
    print(printable(message), file=sys.stderr, flush=True)


@contextmanager
def progress(description: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
    """Yield a function that advances the display by a number of units of work."""
    if sys.stderr.isatty():
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f} " + unit),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(description, total=total)
            yield lambda n: bar.advance(task, n)
        return
    done, last, start = 0, time.monotonic(), time.monotonic()

    def advance(n: int) -> None:
        nonlocal done, last
        done += n
        if time.monotonic() - last >= _PLAIN_INTERVAL_S:
            last = time.monotonic()
            say(f"{description}: {done:,} of {total:,} {unit} ({last - start:.0f} s)")

    yield advance
