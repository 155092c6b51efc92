"""How fast counting is: against self-joins and sparse products on the same documents and cores, and as it grows.

    python tests/benchmarks/bench_counting.py [--threads 2] [--units 3000] [--growth 10,30,100,300]

Prints the ratios and rewrites docs/benchmarks/counting.md.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
PAGE = ROOT / "docs" / "benchmarks" / "counting.md"
PACKAGES = ("numba", "numpy", "duckdb", "polars", "scipy", "pyspark", "pyarrow")


def main() -> None:
    arguments = parse()
    for variable in ("PIVOTS_THREADS", "POLARS_MAX_THREADS", "OMP_NUM_THREADS"):
        os.environ[variable] = str(arguments.threads)  # before the engines are imported
    if arguments.measure:
        print(json.dumps(measure_count(Path(arguments.measure))))
        return
    from benchmark_lakes import make_lake

    with tempfile.TemporaryDirectory(dir=arguments.scratch) as scratch:
        home, documents = make_lake(Path(scratch) / "lake")
        rates = compare(home.root, arguments.threads, arguments.units)
        growth = grow(home.root, Path(scratch), arguments) if arguments.growth else []
    text = page(arguments, documents, rates, growth)
    print(text)
    if not arguments.dry_run:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="threads of every engine")
    parser.add_argument("--units", type=int, default=3000, help="units of the comparison (self-joins are slow)")
    parser.add_argument("--growth", default="10,30,100", help="sizes in million tokens, '' for none")
    parser.add_argument("--scratch", type=Path, help="folder for temporary lakes")
    parser.add_argument("--dry-run", action="store_true", help="do not rewrite the page")
    parser.add_argument("--measure", metavar="HOME", help=argparse.SUPPRESS)
    return parser.parse_args()


def compare(root: Path, threads: int, n_units: int) -> dict[str, dict]:
    """Time every engine on the same windows; all must find the same number of cells and the same sum.

    Words x tokens are counted in all windows, tokens x tokens, where self-joins take minutes, in about `n_units`.
    """
    import counting_engines as engines

    builders = {
        "pivots": engines.kernel,
        "scipy.sparse": engines.scipy_product,
        "DuckDB": engines.duckdb_self_join,
        "polars": engines.polars_self_join,
        "PySpark": engines.spark_self_join,
    }
    found: dict[str, dict] = {}
    for which, (kind, most) in enumerate({"tokens x tokens": n_units, "words x tokens": None}.items()):
        data = engines.incidence(sample(root, most))
        increments = (data.n_token_pairs, data.n_word_tokens)[which]
        kept = found[kind] = {"units": data.n_units, "increments": increments, "engines": []}
        for name, build in builders.items():
            try:
                counter = build(data, threads)[which]
            except ImportError:
                print(f"{name} is not installed: left out", file=sys.stderr)
                continue
            seconds, total = best(counter)
            assert kept.setdefault("total", total) == total, f"{name} counts otherwise: {total}, not {kept['total']}"
            kept["engines"].append({"engine": name, "seconds": seconds, "rate": increments / seconds})
            print(f"{kind}, {name}: {seconds:.2f} s, {increments / seconds:.3g} increments/s", file=sys.stderr)
            del counter
        kept["limit"] = engines.limit_rate(threads)
    return found


def best(counter) -> tuple[float, tuple[int, int]]:
    """Return the shortest time of up to five turns (a shared machine hiccups), and what was counted."""
    turns = [timed(counter)]
    while len(turns) < 5 and sum(seconds for seconds, _ in turns) < 10:
        turns.append(timed(counter))
    return min(turns)


def sample(root: Path, n_units: int | None):
    """Return the corpus of all windows of 2,048 tokens, or of every k-th, so that about `n_units` are left."""
    import numpy as np

    from warehouse.counting import CountOptions
    from warehouse.counting import unit_kernels as kernels
    from warehouse.counting.inputs import find_inputs
    from warehouse.counting.memory import memory_plan
    from warehouse.counting.units import read_corpus
    from warehouse.settings import Home

    inputs = find_inputs(Home(root), "bench")
    corpus = read_corpus(inputs, CountOptions(unit="window"), memory_plan(), root / "scratch", threads=1)
    (chunk,) = corpus.store
    chosen = np.arange(0, chunk.n_units, max(1, chunk.n_units // (n_units or chunk.n_units)))
    new_unit = np.full(chunk.n_units, -1)
    new_unit[chosen] = np.arange(chosen.size)
    sizes = np.diff(chunk.starts)[chosen]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    chunk.ids = np.concatenate([chunk.ids[chunk.starts[u] : chunk.starts[u + 1]] for u in chosen])
    chunk.starts, chunk.strata = starts, chunk.strata[chosen]
    kept = new_unit[chunk.word_units] >= 0
    chunk.words, chunk.word_units = chunk.words[kept], new_unit[chunk.word_units[kept]].astype(np.int32)
    corpus.n_docs = np.bincount(chunk.ids, minlength=corpus.token_ids.size)
    order = np.argsort(-corpus.n_docs, kind="stable")[: int((corpus.n_docs > 0).sum())]
    ranks = np.zeros(corpus.token_ids.size, chunk.ids.dtype)
    ranks[order] = np.arange(order.size)
    kernels.replace_ids(chunk.ids, starts, 0, chosen.size, ranks, *kernels.make_bitmap(order.size))
    corpus.token_ids, corpus.n_docs = corpus.token_ids[order], corpus.n_docs[order]
    position = np.arange(chunk.ids.size) - np.repeat(starts[:-1], sizes)
    corpus.row_work = np.bincount(chunk.ids, position, minlength=corpus.token_ids.size).astype(np.int64)
    corpus.word_work = np.bincount(chunk.words, sizes[chunk.word_units], minlength=corpus.word_ids.size).astype(
        np.int64
    )
    corpus.n_units = chosen.size
    return corpus


def timed(counter) -> tuple[float, tuple[int, int]]:
    start = time.perf_counter()
    total = counter()
    return time.perf_counter() - start, total


def grow(root: Path, scratch: Path, arguments: argparse.Namespace) -> list[dict]:
    """Count mixtures of growing size, each in a process of its own; then add 1 % to the last one and count again."""
    from benchmark_lakes import make_mixture

    from warehouse.settings import Home

    rows = []
    for size in map(float, arguments.growth.split(",")):
        folder = scratch / f"mixture-{size:g}"
        make_mixture(Home(root), folder, int(size * 1e6))
        rows.append(measured(folder, arguments))
        print(f"{size:g} M tokens: {rows[-1]}", file=sys.stderr)
    make_mixture(Home(root), folder, int(size * 1e4), first_shard=1_000_000)
    rows.append(measured(folder, arguments))
    print(f"1 % more: {rows[-1]}", file=sys.stderr)
    return rows


def measured(folder: Path, arguments: argparse.Namespace) -> dict:
    command = [sys.executable, __file__, "--threads", str(arguments.threads), "--measure", str(folder)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def measure_count(folder: Path) -> dict:
    """Count corpus `bench` of a home by documents; run as its own process, for its peak of memory."""
    from warehouse.counting import count_corpus
    from warehouse.settings import Home

    summary = count_corpus(Home(folder), "bench")
    # not getrusage: a child inherits its parent's peak there
    status = Path("/proc/self/status").read_text().split()
    peak = int(status[status.index("VmHWM:") + 1]) * 1024
    written = (folder / "lake" / "counts" / "bench" / summary.count_id).glob("*.parquet")
    size = sum(path.stat().st_size for path in written)
    return vars(summary) | {"peak_bytes": peak, "bytes_written": size}


def page(arguments: argparse.Namespace, documents: str, found: dict[str, dict], growth: list[dict]) -> str:
    """Return the page in Markdown."""
    command = f"--threads {arguments.threads} --units {arguments.units} --growth {arguments.growth or repr('')}"
    lines = [
        "# Counting",
        "",
        f"Made by `python tests/benchmarks/bench_counting.py {command}` on {machine()};"
        f" {arguments.threads} threads for every engine; load average {os.getloadavg()[2]:.1f} (15 min).",
        "",
        f"Documents: {documents}. Versions: {versions()}.",
        "",
        "## Against other ways to count the same",
        "",
        "Units are windows of 2,048 tokens. Every engine starts from the distinct (unit, token) and (unit, word) pairs"
        " in its own form, counts every cell, and must find the same cells and the same sum; an increment is one unit"
        " that holds both. Times are the best of up to five turns, one where a turn takes long. scipy.sparse gets its"
        " rows split over the threads; it counts every pair of tokens twice, as a product does.",
        "",
    ]
    for kind, rows in found.items():
        ours = rows["engines"][0]["rate"]
        lines += [
            f"### {kind[0].upper()}{kind[1:]}",
            "",
            f"{rows['units']:,} units, {rows['increments']:,} increments, {rows['total'][0]:,} cells.",
            "",
            "| engine | seconds | increments/s | ours is faster by |",
            "|---|---|---|---|",
        ]
        for r in rows["engines"]:
            ratio = "" if r is rows["engines"][0] else f"{ours / r['rate']:,.0f} ×"
            lines.append(f"| {r['engine']} | {r['seconds']:.2f} | {r['rate']:.2e} | {ratio} |")
        lines += [
            "",
            "A loop that only reads ids and increments, all in the first cache, on the same threads:"
            f" {rows['limit']:.2e} increments/s; ours is {ours / rows['limit']:.0%} of it.",
            "",
        ]
    return "\n".join(lines + growth_lines(growth)) + "\n"


def growth_lines(growth: list[dict]) -> list[str]:
    if not growth:
        return []
    lines = [
        "## As it grows",
        "",
        "The whole of `pivots count` by documents, from document shards to Parquet, on mixtures: documents of 2,048"
        " tokens, each of 16 pieces drawn from the documents above. The last row is the one above it with 1 % more"
        " documents, counted again.",
        "",
        "| million tokens | units | distinct tokens | word cells kept | edges kept | seconds | µs per token"
        " | peak RSS, GiB | written, MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for g in growth:
        lines.append(
            f"| {g['n_tokens'] / 1e6:.1f} | {g['n_units']:,} | {g['n_distinct_tokens']:,} | {g['n_word_tokens']:,} |"
            f" {g['n_token_pairs']:,} | {g['seconds']:.1f} | {g['seconds'] / g['n_tokens'] * 1e6:.3f} |"
            f" {g['peak_bytes'] / 2**30:.2f} | {g['bytes_written'] / 1e6:,.0f} |"
        )
    return [*lines, ""]


def machine() -> str:
    model = next(line.split(":")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model.strip()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"


def versions() -> str:
    import importlib.metadata

    found = [f"python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


if __name__ == "__main__":
    main()
