"""Pair counts by int8 products are the CPU kernels', cell by cell."""

from pathlib import Path

import numpy as np
import pytest
import torch

from warehouse.base.machine import available_threads
from warehouse.counting.units.chunks import Chunk
from warehouse.engines.gpu.__main__ import compare, decision
from warehouse.engines.gpu.corpora import crawl_shards
from warehouse.engines.gpu.pair_products import pair_counts

CPU = torch.device("cpu")


def chunk_of(units: list[list[int]]) -> Chunk:
    starts = np.concatenate([[0], np.cumsum([len(unit) for unit in units])]).astype(np.int64)
    none = np.empty(0, np.int32)
    ids = np.array([token for unit in units for token in unit], np.uint16)
    return Chunk(ids, starts, np.zeros(len(units), np.int32), none, none, np.empty(0, np.uint64))


@pytest.mark.parametrize("block_bytes", [1, 10_000, 1 << 20])
@pytest.mark.parametrize("n_ranks", [1, 33, 70])
def test_products_are_the_counts_whatever_the_blocks(block_bytes: int, n_ranks: int) -> None:
    rng = np.random.default_rng(0)
    units = [np.flatnonzero(rng.random(n_ranks) < 0.3).tolist() for _ in range(150)]
    held = np.array([[token in unit for token in range(n_ranks)] for unit in units], np.int64)
    expected = held.T @ held
    chunks = [chunk_of(units[:40]), chunk_of([]), chunk_of(units[40:])]
    counts = pair_counts(iter(chunks), n_ranks, CPU, block_bytes=block_bytes, block_ranks=32).numpy()
    below = np.tril_indices(n_ranks, -1)
    assert (counts[:n_ranks, :n_ranks][below] == expected[below]).all()


def test_a_corpus_counted_both_ways_has_the_same_cells(tmp_path: Path) -> None:
    assert available_threads() >= 1
    shards = crawl_shards(tmp_path / "crawl", n_shards=1, vocabulary=400)
    found = compare(shards, 400, CPU, tmp_path / "scratch", 1)
    assert found["n_different"] == 0
    assert found["n_units"] == 4096
    assert found["n_increments"] > 1_000_000
    assert found["n_edges"] > 0


def test_a_wrong_cell_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*args: object, **options: object) -> torch.Tensor:
        counts = pair_counts(*args, **options)  # type: ignore[arg-type]
        counts[7, 3] += 1
        return counts

    monkeypatch.setattr("warehouse.engines.gpu.__main__.pair_counts", wrong)
    shards = crawl_shards(tmp_path / "crawl", n_shards=1, vocabulary=100)
    assert compare(shards, 100, CPU, tmp_path / "scratch", 1)["n_different"] == 1


def test_the_decision_names_what_bounds_it() -> None:
    found = {"read_s": 8.0, "cpu_s": 2.0, "gpu_s": 0.5, "copy_s": 0.5, "keep_s": 1.0, "times": 11 / 10}
    assert decision(found) == ("it does not pay: reading units take 80% of the time that would be left", False)
    assert decision(found | {"times": 3.0})[1]
