"""Long work in chunks that survive a kill: each finished chunk is a file, and only missing ones are computed."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from accelerate import PartialState

from ml.common.progress import Progress
from ml.common.workers import claimed_threads, map_in_order
from warehouse.contract.atomic import atomic_file

Item = TypeVar("Item")


def cut(work: Sequence[Item], size: Callable[[Item], int], *, limit: int) -> list[list[Item]]:
    """Cut work, in its order, into chunks of at most `limit` units in sum; an item larger than that stands alone."""
    chunks: list[list[Item]] = []
    room = 0
    for item in work:
        if size(item) > room:
            chunks.append([])
            room = limit
        chunks[-1].append(item)
        room -= size(item)
    return chunks


def compute_chunks(
    folder: Path,
    sizes: Sequence[int],
    compute: Callable[[int], pa.Table],
    *,
    what: str,
    unit: str,
    device: torch.device,
    state: PartialState,
) -> pa.Table | None:
    """Compute every chunk whose file is missing, divided over processes; return all rows on the main process.

    `folder` must be named by a hash of everything the numbers depend on, and chunk n must always hold the same work;
    `sizes[n]` is how many units it holds, for the progress line. Other processes than the main one get None.
    """
    paths = [folder / f"{number:06d}.parquet" for number in range(len(sizes))]
    done = sum(size for size, path in zip(sizes, paths, strict=True) if path.exists())
    # before the loop, so that all processes divide the same list
    missing = [number for number, path in enumerate(paths) if not path.exists()]
    state.wait_for_everyone()

    def finish(number: int) -> int:
        rows = compute(number)
        with atomic_file(paths[number]) as unfinished:
            pq.write_table(rows, unfinished)
        return sizes[number]

    left = sum(sizes) - done
    mine = missing[state.process_index :: state.num_processes]
    shown = Progress(what, total=sum(sizes), unit=unit, done=done, shown=state.is_main_process)
    with shown as progress, claimed_threads(device) as n_workers:
        for n_finished in map_in_order(finish, mine, n_workers=n_workers, device=device):
            # what the others do meanwhile is guessed: as much
            guessed = min(n_finished * state.num_processes, left)
            left -= guessed
            progress.advance(guessed)
    state.wait_for_everyone()
    return pa.concat_tables([pq.read_table(path) for path in paths]) if state.is_main_process else None


def drop_chunks(folder: Path) -> None:
    """Remove the chunk files, once the result they make up is committed."""
    shutil.rmtree(folder, ignore_errors=True)
