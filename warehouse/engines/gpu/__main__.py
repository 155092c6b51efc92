"""The stage `count` of the recipe for a machine with a GPU: see `warehouse.engines.gpu`."""

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from warehouse.base.machine import available_threads
from warehouse.contract.stage_answers import failed, start_stage
from warehouse.counting.memory import MemoryPlan
from warehouse.counting.options import CountOptions
from warehouse.counting.rows.dense_rows import Part, row_begins, token_rows, token_widths
from warehouse.counting.rows.kept_cells import token_pair_edges
from warehouse.counting.shards import ShardPart
from warehouse.counting.units.corpus_units import Corpus, read_corpus
from warehouse.engines.gpu.corpora import CRAWL_VOCABULARY, crawl_shards, planted_shards
from warehouse.engines.gpu.pair_products import pair_counts

PAYS = 1.25  # times faster from files to kept edges, or a second engine is not worth its upkeep
_TOKENIZER = Path(__file__).parents[3] / "ml" / "base_model" / "tokenizer.json"
_PLANTED_VOCABULARY = 3840


@dataclass(frozen=True)
class _Sizes:
    planted_blocks: int
    crawl_shards: int
    crawl_vocabulary: int
    memory_gib: int


_FULL = _Sizes(planted_blocks=48, crawl_shards=16, crawl_vocabulary=CRAWL_VOCABULARY, memory_gib=32)
_REHEARSAL = _Sizes(planted_blocks=1, crawl_shards=1, crawl_vocabulary=1500, memory_gib=1)


def main() -> int:
    """Answer."""
    arguments, answers = start_stage()
    sizes = _REHEARSAL if arguments.is_rehearsal else _FULL
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    corpora: dict[str, tuple[Callable[[], list[ShardPart]], int]] = {
        "planted, long documents": (
            lambda: planted_shards(arguments.work / "planted", _TOKENIZER, n_blocks=sizes.planted_blocks),
            _PLANTED_VOCABULARY,
        ),
        "as a crawl": (
            lambda: crawl_shards(
                arguments.work / "crawl", n_shards=sizes.crawl_shards, vocabulary=sizes.crawl_vocabulary
            ),
            sizes.crawl_vocabulary,
        ),
    }
    rows = []
    for name, (write, vocabulary) in corpora.items():

        def measure(
            write: Callable[[], list[ShardPart]] = write, vocabulary: int = vocabulary, name: str = name
        ) -> dict[str, Any]:
            return compare(write(), vocabulary, device, arguments.work / f"scratch {name}", sizes.memory_gib)

        found = answers.item(name, measure, needs_s=1 if arguments.is_rehearsal else 30)
        if failed(found):
            continue
        rows.append([name, *(found[key] for key in _COLUMNS.values())])
        answers.check(f"{name}: cells that differ from the CPU kernels'", found["n_different"], "none",
                      is_within=found["n_different"] == 0)  # fmt: skip
        text, _ = decision(found)
        answers.check(f"{name}: from files to kept edges, times faster than the CPU", found["times"],
                      f"an engine of its own from {PAYS} on: {text}", is_within=None)  # fmt: skip
    answers.table("Counting token pairs", ["corpus", *_COLUMNS], rows)
    answers.save()
    return 0


_COLUMNS = {
    "units": "n_units",
    "tokens known": "n_ranks",
    "increments": "n_increments",
    "reading units, s": "read_s",
    "CPU counting, s": "cpu_s",
    "CPU increments/s": "cpu_increments_per_s",
    "GPU counting, s": "gpu_s",
    "GPU increments/s": "gpu_increments_per_s",
    "copy to the CPU, s": "copy_s",
    "keeping edges, s": "keep_s",
}


def compare(
    shards: list[ShardPart], vocabulary: int, device: torch.device, scratch: Path, memory_gib: int
) -> dict[str, Any]:
    """Count a corpus by both ways; return what each took, and in how many cells they differ."""
    plan, threads, options = _plan(memory_gib), available_threads(), CountOptions()
    shutil.rmtree(scratch, ignore_errors=True)
    _warm_up(device)

    def read() -> Corpus:
        return read_corpus(None, shards, [], vocabulary, options, plan, scratch, threads=threads)

    read()  # compiles the kernels
    corpus, read_s = _timed(read)
    n_ranks = corpus.token_ids.size

    def count_only() -> None:
        for _ in token_rows(corpus, _forget(corpus), plan, threads=threads):
            pass

    def count_and_keep() -> int:
        parts = token_pair_edges(corpus, options, plan, threads=threads, save=None, done=lambda n_rows: None)
        return sum(columns["n_docs"].size for columns in parts)

    count_and_keep()  # compiles the kernels, too
    _, cpu_s = _timed(count_only)
    n_edges, kept_s = _timed(count_and_keep)
    keep_s = max(kept_s - cpu_s, 0.0)

    def count_there() -> torch.Tensor:
        counts = pair_counts(iter(corpus.added.store), n_ranks, device)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return counts

    count_there()
    counts, gpu_s = _timed(count_there)
    cells, copy_s = _timed(lambda: counts[:n_ranks, :n_ranks].cpu().numpy().view(np.uint32))
    n_increments = int(corpus.added.row_work.sum())
    found = {
        "n_units": corpus.n_units,
        "n_ranks": n_ranks,
        "n_increments": n_increments,
        "n_edges": n_edges,
        "read_s": read_s,
        "cpu_s": cpu_s,
        "cpu_increments_per_s": n_increments / cpu_s,
        "gpu_s": gpu_s,
        "gpu_increments_per_s": n_increments / gpu_s,
        "copy_s": copy_s,
        "keep_s": keep_s,
        "times": (read_s + cpu_s + keep_s) / (read_s + gpu_s + copy_s + keep_s),
        "threads": threads,
    }
    return found | {"n_different": _differences(corpus, cells, plan, threads)}


def _plan(gib: int) -> MemoryPlan:
    """Divide memory as `memory_plan` does."""
    total = gib << 30
    return MemoryPlan(rows=total // 8, chunk=total // 16, sort=total // 8)


def decision(found: dict[str, Any]) -> tuple[str, bool]:
    """Return what a comparison means for `pivots count`, and whether an engine on the GPU would pay.

    It pays when everything from files to kept edges is `PAYS` times as fast. Where it does not, what bounds it is the
    larger of reading units and keeping edges, which stay on the CPU either way.
    """
    total = found["read_s"] + found["gpu_s"] + found["copy_s"] + found["keep_s"]
    if found["times"] >= PAYS:
        return f"it pays, {found['times']:.2f} times", True
    name = max(("read_s", "keep_s", "copy_s", "gpu_s"), key=lambda key: found[key])
    what = {"read_s": "reading units", "keep_s": "keeping edges", "copy_s": "copying cells", "gpu_s": "the products"}
    return f"it does not pay: {what[name]} take {found[name] / total:.0%} of the time that would be left", False


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    value = work()
    return value, time.perf_counter() - started


def _warm_up(device: torch.device) -> None:
    ones = torch.ones(32, 32, dtype=torch.int8, device=device)
    torch._int_mm(ones, ones.t())


def _forget(corpus: Corpus) -> Callable[[Part, np.ndarray, int], None]:
    widths = token_widths(corpus)

    def forget(part: Part, memory: np.ndarray, first_row: int) -> None:
        begin = int(row_begins(widths, part, first_row)[0]) if part[1] > part[0] else 0
        memory[begin : begin + int(widths[slice(*part)].sum())] = 0

    return forget


def _differences(corpus: Corpus, cells: np.ndarray, plan: MemoryPlan, threads: int) -> int:
    """Return in how many cells the CPU kernels' rows differ."""
    widths = token_widths(corpus)

    def differ(part: Part, rows: np.ndarray, first_row: int) -> int:
        n_different = 0
        for rank, begin in zip(range(*part), row_begins(widths, part, first_row).tolist(), strict=True):
            own = rows[begin : begin + rank]
            n_different += int(np.count_nonzero(own != cells[rank, :rank]))
            own[:] = 0
        return n_different

    return sum(n for _, n in token_rows(corpus, differ, plan, threads=threads))


if __name__ == "__main__":
    sys.exit(main())
