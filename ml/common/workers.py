"""Independent batches side by side: on a CPU one batch per core, each computed by a single thread.

Small batches stay in a core's cache and need no barrier between threads, which on small models is worth more than
half the time; and a batch's numbers do not depend on how many threads there are. On a GPU two take turns: one is put
together, or its results written down, while the other is computed.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextlib.contextmanager
def claimed_threads(device: torch.device) -> Iterator[int]:
    """Yield how many batches to compute at once: the CPU threads torch may use (OMP_NUM_THREADS), or 2 on a GPU.

    On a CPU every operation of this process is single-threaded meanwhile.
    """
    if device.type != "cpu":
        yield 2
        return
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield n_threads
    finally:
        torch.set_num_threads(n_threads)


def map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], *, n_workers: int, device: torch.device
) -> Iterator[Result]:
    """Yield function(item) in the items' order. The first exception stops everything that has not begun."""
    if n_workers == 1:
        yield from map(function, items)
        return
    # a new thread would take the first GPU for its current one
    own_gpu = (lambda: torch.cuda.set_device(device)) if device.type == "cuda" else None
    executor = ThreadPoolExecutor(n_workers, initializer=own_gpu)
    try:
        yield from executor.map(function, items)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
