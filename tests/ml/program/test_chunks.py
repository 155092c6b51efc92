"""Chunks: every process does its share, what is there is kept, and rows come in the order of the chunks."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch

from ml.program.chunks import compute_chunks, cut, drop_chunks

CPU = torch.device("cpu")
SIZES = [3, 3, 3, 3, 1]


class Member:
    """One of several processes, which here are threads that wait for each other."""

    def __init__(self, index: int, n_processes: int, barrier: threading.Barrier) -> None:
        self.process_index, self.num_processes, self.is_main_process = index, n_processes, index == 0
        self._barrier = barrier

    def wait_for_everyone(self) -> None:
        """Return when every member has come so far."""
        self._barrier.wait(timeout=60)


def run(folder: Path, compute: Callable[[int, int], pa.Table], *, n_processes: int) -> list[pa.Table | None]:
    """Return what each member gets; `compute` is told chunk and member."""
    barrier = threading.Barrier(n_processes)
    results: list[pa.Table | None] = [None] * n_processes

    def work(index: int) -> None:
        state: Any = Member(index, n_processes, barrier)
        results[index] = compute_chunks(
            folder, SIZES, lambda chunk: compute(chunk, index), what="test", unit="rows", device=CPU, state=state
        )

    members = [threading.Thread(target=work, args=(index,)) for index in range(n_processes)]
    for member in members:
        member.start()
    for member in members:
        member.join()
    return results


def rows(chunk: int) -> pa.Table:
    return pa.table({"chunk": [chunk] * SIZES[chunk]})


@pytest.mark.parametrize("n_processes", [1, 2, 3])
def test_each_chunk_is_computed_once_by_one_process(n_processes: int, tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []

    def compute(chunk: int, member: int) -> pa.Table:
        done.append((chunk, member))
        return rows(chunk)

    first, *others = run(tmp_path, compute, n_processes=n_processes)
    assert first is not None
    assert first["chunk"].to_pylist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4]
    assert others == [None] * (n_processes - 1), "only the main process gets the rows"
    assert sorted(chunk for chunk, _ in done) == [0, 1, 2, 3, 4]
    assert {member for _, member in done} == set(range(n_processes))


def test_another_number_of_processes_does_what_is_missing(tmp_path: Path) -> None:
    def fails_at_two(chunk: int, member: int) -> pa.Table:
        if chunk == 2:
            raise OSError("disk full")
        return rows(chunk)

    torch.set_num_threads(1)
    with pytest.raises(OSError, match="disk full"):
        state: Any = Member(0, 1, threading.Barrier(1))
        compute_chunks(
            tmp_path, SIZES, lambda chunk: fails_at_two(chunk, 0), what="test", unit="rows", device=CPU, state=state
        )
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["000000.parquet", "000001.parquet"]
    again: list[int] = []

    def compute(chunk: int, member: int) -> pa.Table:
        again.append(chunk)
        return rows(chunk)

    first, _ = run(tmp_path, compute, n_processes=2)
    assert sorted(again) == [2, 3, 4]
    assert first is not None
    assert first.num_rows == sum(SIZES)
    drop_chunks(tmp_path)
    assert not tmp_path.exists()


def test_work_is_cut_in_its_order() -> None:
    work = [5, 1, 1, 9, 2, 2, 2]
    chunks = cut(work, lambda size: size, limit=6)
    assert chunks == [[5, 1], [1], [9], [2, 2, 2]]
