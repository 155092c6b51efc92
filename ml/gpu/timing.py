"""Clocks and memory of a device: everything that was started is waited for before a clock is read."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Timed:
    """Seconds of several runs of the same work, and the most memory that the device held meanwhile."""

    seconds: tuple[float, ...]
    peak_bytes: int | None  # None on a CPU, which keeps no such count

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """(slowest - fastest) / median: a difference between two variants below this is noise."""
        return (max(self.seconds) - min(self.seconds)) / self.median


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def time_runs(work: Callable[[], Any], device: torch.device, *, warm_up: int, repeats: int) -> Timed:
    """Run `work` a few times untimed, then timed."""
    for _ in range(warm_up):
        work()
    synchronize(device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        synchronize(device)
        seconds.append(time.perf_counter() - started)
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    return Timed(tuple(seconds), peak)


def free_memory(device: torch.device) -> None:
    """Give back what is cached, so that the next peak is the next variant's own."""
    import gc

    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
