"""Work spread over processes or threads: results in the order of the tasks, and only a few in memory at once."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import TypeVar

from warehouse.base.errors import StepFailed

Task = TypeVar("Task")
Result = TypeVar("Result")


def ordered_map(
    function: Callable[[Task], Result], tasks: Iterable[Task], *, processes: int
) -> Generator[Result, None, None]:
    """Yield `function(task)` for each task, in the order of `tasks`, which is read lazily.

    With one process everything runs here. Otherwise at most two tasks per process are under way, so memory is bounded
    whatever the number of tasks. Children are spawned, not forked: tokenizer libraries own threads, which do not
    survive a fork. They end by themselves when this process is killed.

    Raises:
        StepFailed: a child was killed from outside (most often by the system, for want of memory).
    """
    if processes <= 1:
        yield from map(function, tasks)
        return
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"), initializer=_watch_parent)
    waiting: deque[Future[Result]] = deque()
    try:
        for task in tasks:
            waiting.append(pool.submit(function, task))
            if len(waiting) >= 2 * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise StepFailed(
            "a worker process was killed, probably for want of memory: what was committed stays; "
            "set PIVOTS_THREADS to a smaller number and run this again"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _watch_parent() -> None:
    """End this worker when its parent dies: a parent killed with -9 leaves workers waiting for ever otherwise."""
    # the tokenizer libraries would otherwise start one thread per CPU in each worker
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="watch-parent").start()


def in_order(
    pool: ThreadPoolExecutor, work: Callable[[Task], Result], tasks: Iterable[Task], *, ahead: int
) -> Iterator[Result]:
    """Yield `work(task)` for each task, in the order of the tasks; at most `ahead` tasks are taken in advance."""
    waiting: deque[Future[Result]] = deque()
    for task in tasks:
        waiting.append(pool.submit(work, task))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
