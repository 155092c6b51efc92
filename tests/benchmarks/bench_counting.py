"""How fast counting is: against self-joins and sparse products on the same documents and cores, and as it grows.

    PYTHONPATH=.:tests python -m benchmarks.bench_counting [--units 3000] [--sizes 10,30,100] [--parts ...]

Prints the figures and rewrites docs/benchmarks/counting.md. The parts (prepare, tokens, words, planted, mixture) can be
run one at a time: each leaves its figures in the scratch folder, and the page is made of what is there; what was
measured with other sources of `warehouse/counting` is left out. Corpora stay in the scratch folder too: delete it to
start over.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from support.places import PROJECT

PAGE = PROJECT / "docs" / "benchmarks" / "counting.md"
PARTS = ("prepare", "tokens", "words", "planted", "mixture")


def main() -> None:
    arguments = parse()
    for variable in ("PIVOTS_THREADS", "POLARS_MAX_THREADS", "OMP_NUM_THREADS"):
        os.environ[variable] = str(arguments.threads)  # before the engines are imported
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])
    if arguments.measure:
        print(json.dumps(measure_count(Path(arguments.measure))))
        return
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    sizes = [float(size) for size in arguments.sizes.split(",")]
    for part in arguments.parts:
        if part == "prepare":
            prepare(arguments.scratch, sizes)
        elif part in ("tokens", "words"):
            keep(arguments.scratch, part, compare(arguments.scratch, part, arguments.threads, arguments.units))
        else:
            keep(arguments.scratch, part, grow(arguments.scratch, part, sizes))
    from benchmarks.support.counting_page import page

    text = page(arguments.threads, arguments.units, {part: kept(arguments.scratch, part) for part in PARTS[1:]})
    print(text)
    if not arguments.dry_run:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="threads and cores of every engine")
    parser.add_argument("--units", type=int, default=3000, help="units of tokens x tokens (self-joins are slow)")
    parser.add_argument("--sizes", default="10,30,100,300", help="sizes of growing corpora in million tokens")
    parser.add_argument("--parts", nargs="*", default=PARTS, choices=PARTS)
    parser.add_argument(
        "--scratch", type=Path, default=PROJECT / "build" / "bench-counting", help="corpora and figures"
    )
    parser.add_argument("--dry-run", action="store_true", help="do not rewrite the page")
    parser.add_argument("--measure", metavar="HOME", help=argparse.SUPPRESS)
    return parser.parse_args()


def prepare(scratch: Path, sizes: list[float]) -> None:
    """Make the corpora: the one to compare engines on, the planted ones and the mixture, and 1 % more of both."""
    from benchmarks.support.benchmark_lakes import first_shards, make_lake, make_mixture, make_planted, make_tiny

    source, _ = make_lake(scratch / "compared")
    make_tiny(scratch / "tiny")
    largest = max(sizes)
    planted = make_planted(scratch / "planted", largest * 1e6, seed=0)
    make_planted(scratch / "planted-more", largest * 1e4, seed=1)
    for size in sizes:
        first_shards(planted, scratch / f"planted-{size:g}", size * 1e6)
    make_mixture(source, scratch / f"mixture-{largest:g}", int(largest * 1e6))
    make_mixture(source, scratch / "mixture-more-lake", int(largest * 1e4), first_shard=1_000_000)


def sources_hash() -> str:
    """Return what identifies the measured code."""
    from warehouse.contract.hashing import file_hash, short_hash

    return short_hash([file_hash(path) for path in sorted((PROJECT / "warehouse" / "counting").glob("*.py"))])


def keep(scratch: Path, part: str, figures: Any) -> None:
    text = json.dumps({"sources": sources_hash(), "load": os.getloadavg()[0], "figures": figures})
    (scratch / f"{part}.json").write_text(text)


def kept(scratch: Path, part: str) -> Any:
    """Return the figures of a part, or None when it was not measured with these sources."""
    path = scratch / f"{part}.json"
    found = json.loads(path.read_text()) if path.exists() else {"sources": None}
    return found["figures"] if found["sources"] == sources_hash() else None


def compare(scratch: Path, part: str, threads: int, n_units: int) -> dict[str, Any]:
    """Time every engine on the same windows; all must find the same number of cells and the same sum.

    Words x tokens are counted in all windows, tokens x tokens, where self-joins take minutes, in about `n_units`.
    """
    from benchmarks.support import counting_engines as engines
    from benchmarks.support.benchmark_lakes import make_lake

    builders = {
        "pivots": engines.kernel,
        "scipy.sparse": engines.scipy_product,
        "DuckDB": engines.duckdb_self_join,
        "polars": engines.polars_self_join,
        "PySpark": engines.spark_self_join,
    }
    which = ("tokens", "words").index(part)
    home, documents = make_lake(scratch / "compared")
    data = engines.incidence(engines.windows(home, n_units if part == "tokens" else None))
    increments = (data.n_token_pairs, data.n_word_tokens)[which]
    found: dict[str, Any] = {"documents": documents, "units": data.n_units, "increments": increments, "engines": []}
    for name, build in builders.items():
        try:
            counter = build(data, threads)[which]
        except ImportError:
            print(f"{name} is not installed: left out", file=sys.stderr)
            continue
        seconds, total = best(counter)
        assert found.setdefault("total", total) == total, f"{name} counts otherwise: {total}, not {found['total']}"
        found["engines"].append({"engine": name, "seconds": seconds, "rate": increments / seconds})
        print(f"{part}, {name}: {seconds:.2f} s, {increments / seconds:.3g} increments/s", file=sys.stderr)
        del counter
    return found | {"limit": engines.limit_rate(threads)}


def best(counter) -> tuple[float, tuple[int, int]]:
    """Return the shortest time of up to five turns, as many as fit ten seconds, and what was counted."""
    turns = [timed(counter)]
    while len(turns) < 5 and sum(seconds for seconds, _ in turns) < 10:
        turns.append(timed(counter))
    return min(turns)


def timed(counter) -> tuple[float, tuple[int, int]]:
    start = time.perf_counter()
    total = counter()
    return time.perf_counter() - start, total


def grow(scratch: Path, kind: str, sizes: list[float]) -> dict[str, Any]:
    """Count corpora of growing size, each in a process of its own; then the largest with 1 % more, and that rebuilt."""
    from benchmarks.support.benchmark_lakes import add_shards, forget, remove_shards
    from warehouse.base.settings import Home

    rows = []
    more = Home(scratch / f"{kind}-more-lake")
    for size in sizes if kind == "planted" else [max(sizes)]:
        home = Home(scratch / f"{kind}-{size:g}")
        remove_shards(more, home)
        forget(home)
        rows.append(measured(home))
        print(f"{kind}, {size:g} M tokens: {rows[-1]}", file=sys.stderr)
    add_shards(more, home)
    turns = []
    for _ in range(3):
        turns.append(measured(home))
        print(f"1 % more: {turns[-1]}", file=sys.stderr)
        counted = count_bytes(home, turns[-1]["count_id"])
        forget(home, only=turns[-1]["count_id"])
    command = command_seconds(home)
    forget(home)
    rebuilt = measured(home)
    print(f"the same rebuilt: {rebuilt}", file=sys.stderr)
    assert count_bytes(home, rebuilt["count_id"]) == counted, "the incremental count has other bytes"
    return {
        "rows": rows,
        "more": min(turns, key=lambda turn: turn["seconds"]),
        "rebuilt": rebuilt,
        "command_seconds": command,
        "sums_bytes": sum(f.stat().st_size for f in (home.lake / "sums").rglob("*") if f.is_file()),
    }


def count_bytes(home: Any, count_id: str) -> dict[str, str]:
    """Return the hash of every counted table but the one that names the run."""
    from warehouse.contract.hashing import file_hash

    folder = home.lake / "counts" / "bench" / count_id
    return {path.name: file_hash(path) for path in folder.glob("*.parquet") if path.stem != "counts"}


def command_seconds(home: Any) -> float:
    """Return what `pivots count` takes as a command, Python's start included."""
    command = [sys.executable, "-c", "from warehouse.cli import main; main()", "count", "--corpus", "bench"]
    start = time.perf_counter()
    subprocess.run([*command, "--home", str(home.root)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def measured(home: Any) -> dict[str, Any]:
    start = time.perf_counter()
    command = [sys.executable, __file__, "--threads", os.environ["PIVOTS_THREADS"], "--measure", str(home.root)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.splitlines()[-1]) | {"process_seconds": time.perf_counter() - start}


def measure_count(folder: Path) -> dict[str, Any]:
    """Count corpus `bench` of a home by documents; run as its own process, for its peak of memory.

    A tiny corpus is counted before, so that the time is that of counting, without the loading of libraries.
    """
    from benchmarks.support.benchmark_lakes import forget
    from warehouse.base.settings import Home
    from warehouse.counting.count import count_corpus

    tiny = Home(folder.parent / "tiny")
    forget(tiny)
    count_corpus(tiny, "bench")
    stages = timed_stages()
    summary = count_corpus(Home(folder), "bench")
    # not getrusage: a child inherits its parent's peak there
    status = Path("/proc/self/status").read_text().split()
    peak = int(status[status.index("VmHWM:") + 1]) * 1024
    written = (folder / "lake" / "counts" / "bench" / summary.count_id).glob("*.parquet")
    size = sum(path.stat().st_size for path in written)
    return vars(summary) | {"peak_bytes": peak, "bytes_written": size, "stages": stages}


def timed_stages() -> dict[str, float]:
    """Return thread seconds by stage, in a table that fills while counting goes on."""
    from collections import defaultdict

    from warehouse.counting import embedded
    from warehouse.counting.rows import bit_kernels, increment_kernels
    from warehouse.counting.sums import kept_sums
    from warehouse.counting.tables import edge_sort, writer

    stages: dict[str, float] = defaultdict(float)

    def watch(owner: Any, name: str, stage: str) -> None:
        function = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                stages[stage] += time.perf_counter() - start

        setattr(owner, name, watched)

    watch(embedded, "read_corpus", "reading units (wall)")
    for name in ("add_word_rows", "add_token_rows"):
        watch(increment_kernels, name, "increments")
    for name in ("set_bits", "add_frequent_rows", "add_frequent_columns"):
        watch(bit_kernels, name, "frequent tokens by bits")
    watch(kept_sums.Sums, "_read", "unpacking kept sums")
    watch(increment_kernels, "keep_word_cells", "rules, E and Var of words x tokens")
    watch(increment_kernels, "keep_edges", "rules, E and Var of tokens x tokens")
    watch(edge_sort, "sort_edges", "sorting edges")
    watch(writer.RowWriter, "flush", "writing tables")
    return stages


if __name__ == "__main__":
    main()
