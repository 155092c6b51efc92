"""What this process may use of the machine."""

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

_STEP_MIB = 4096  # the peak of a whole step stays under 6 GiB
_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def available_threads() -> int:
    """Return how many CPUs this process may use (PIVOTS_THREADS overrides)."""
    override = os.environ.get("PIVOTS_THREADS")
    return int(override) if override else len(os.sched_getaffinity(0))


def memory_limit(at_most_mib: int = _STEP_MIB) -> str:
    """Return DuckDB's memory limit: PIVOTS_MEMORY, else 4 GiB, or half of what this process may have if that is less.

    The other half is for what DuckDB does not count: Python, Arrow, the arrays of counting, several processes of
    ingest.

    Args:
        at_most_mib: the default in place of 4 GiB, of a step that gains nothing by more.
    """
    override = os.environ.get("PIVOTS_MEMORY")
    if override:
        return override
    allowed_mib = min(_bounds(), default=sys.maxsize) >> 20
    return f"{min(at_most_mib, allowed_mib // 2)}MiB"


def _bounds() -> Iterator[int]:
    """Yield every bound on this process' memory in bytes: the machine's, its control groups', its address space."""
    yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    yield from cgroup_bounds(_OWN_CGROUPS, _CGROUPS)
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        yield soft


def cgroup_bounds(own: Path, mounted: Path) -> Iterator[int]:
    """Yield the memory bounds of the control groups that a process is in, and of those around them (versions 1 and 2).

    Args:
        own: the process' groups, in the form of /proc/self/cgroup.
        mounted: where the groups are shown, /sys/fs/cgroup.
    """
    if not own.is_file():
        return  # no Linux
    for line in own.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            root, name = (mounted / "memory", "memory.limit_in_bytes") if controllers else (mounted, "memory.max")
            group = root / path.lstrip("/")
            for folder in (group, *group.parents):
                if folder.is_relative_to(root) and (folder / name).is_file():
                    said = (folder / name).read_text().strip()
                    if said != "max":
                        yield int(said)
