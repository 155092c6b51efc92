"""Every step of the embedded engine on 1, 2 and 4 cores and two sizes of corpus, and the arithmetic for larger ones.

    PYTHONPATH=.:tests python -m benchmarks.bench_scaling [--work DIR] [--scales 10 40] [--cores 1 2 4]

Each step is its own process, bound to a number of cores, on a planted corpus (`pivots plant --setting long_documents`).
What a token costs is the slope between the two sizes: starting a process and compiling a project is not in it.
Measurements are kept in --work, so that an interrupted benchmark goes on. Rewrites docs/benchmarks/scaling.md.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import psutil

from support.places import PROJECT
from warehouse.base.settings import Home
from warehouse.lake.files import current_files

CORPUS = "planted"
TOKENIZER = PROJECT / "ml" / "base_model" / "tokenizer.json"
PAGE = PROJECT / "docs" / "benchmarks" / "scaling.md"
STEPS = ("ingest", "count", "build", "publish", "export")
TABLES = ("documents", "word_documents", "sums", "counts")  # the rest is the same however large the corpus
TARGETS = {"10 B": 10e9, "1 T": 1e12, "3 T": 3e12}
_SAMPLE_S = 0.1


@dataclass(frozen=True)
class Measured:
    """One step on some cores and one corpus."""

    step: str
    cores: int
    scale: float
    seconds: float
    peak_gib: float  # of all its processes together, each page counted once (PSS)


def run(command: list[str], cores: int) -> tuple[float, float]:
    """Run a command on the first N cores; return its seconds and its peak memory in GiB."""
    environment = {**os.environ, "PIVOTS_THREADS": str(cores)}
    began = time.monotonic()
    process = psutil.Popen(
        ["taskset", "-c", f"0-{cores - 1}", *command], env=environment, stdout=subprocess.DEVNULL, stderr=sys.stderr
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory(process))
        time.sleep(_SAMPLE_S)
    seconds = time.monotonic() - began
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed")
    return seconds, peak / 2**30


def _memory(process: psutil.Process) -> int:
    total = 0
    try:
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_full_info().pss
    except psutil.Error:  # it ended meanwhile
        pass
    return total


def measure(work: Path, scale: float, cores: int) -> tuple[list[Measured], dict[str, Any]]:
    """Run all steps in a fresh home; return what they took, and what the home then holds."""
    planted, home = work / f"planted-{scale:g}", Home(work / "home")
    pivots = str(Path(sys.executable).with_name("pivots"))
    at = ["--home", str(home.root)]
    if not (planted / "manifest.json").exists():
        plan = ["--scale", str(scale), "--seed", "3", "--setting", "long_documents"]
        subprocess.run([pivots, "plant", "--out", str(planted), *plan], check=True, stdout=sys.stderr)
    shutil.rmtree(home.root, ignore_errors=True)
    subprocess.run([pivots, "words", "import", str(planted / "words.jsonl"), *at], check=True, stdout=sys.stderr)
    budget = str(int(scale * 100_000))
    commands = {
        "ingest": ["ingest", str(planted / "documents"), "--corpus", CORPUS, "--tokenizer", str(TOKENIZER)],
        "count": ["count", "--corpus", CORPUS],
        "build": ["build"],
        "publish": ["publish"],
        "export": ["export", "--corpus", CORPUS, "--strategy", "pivot_aware_pairs", "--budget-tokens", budget],
    }
    rows = [Measured(step, cores, scale, *run([pivots, *commands[step], *at], cores)) for step in STEPS]
    return rows, _sizes(home, planted)


def _sizes(home: Home, planted: Path) -> dict[str, Any]:
    with duckdb.connect() as connection:
        files = [str(path) for path in current_files(home, "documents")]
        n_docs, n_tokens = connection.execute(
            "select count(*), sum(n_tokens)::bigint from read_parquet(?)", [files]
        ).fetchone() or (0, 0)
    sizes = {name: _bytes(home.lake / name) for name in TABLES}
    sizes["warehouse.duckdb"] = home.warehouse_file.stat().st_size
    sizes["published copy"] = home.published_file.stat().st_size
    return {"n_docs": n_docs, "n_tokens": n_tokens, "input": _bytes(planted / "documents"), "bytes": sizes}


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def page(rows: list[Measured], sizes: dict[float, dict[str, Any]], scales: list[float], cores: list[int]) -> str:
    """Return the page: what was measured, then what follows from it by arithmetic."""
    small, large = (sizes[scale]["n_tokens"] / 1e6 for scale in scales)
    found = {(row.step, row.cores, row.scale): row for row in rows}

    def slope(step: str, n: int) -> float:
        """Return core-seconds per million tokens."""
        seconds = found[step, n, scales[1]].seconds - found[step, n, scales[0]].seconds
        return n * seconds / (large - small)

    def growth(name: str) -> float:
        """Return bytes per token."""
        return (sizes[scales[1]]["bytes"][name] - sizes[scales[0]]["bytes"][name]) / (large - small) / 1e6

    lines = [
        "# Scaling on one machine",
        "",
        f"Made by `PYTHONPATH=.:tests python -m benchmarks.bench_scaling`"
        f" on {platform.processor() or platform.machine()},"
        f" {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f} at the end;",
        f"python {platform.python_version()}, duckdb {version('duckdb')}, dbt-core {version('dbt-core')}, every default"
        " of the project.",
        f"Planted corpora of {small:.1f} and {large:.1f} million tokens"
        f" ({sizes[scales[1]]['n_docs']:,} documents), each step its own process on that number of cores.",
        "",
        "## Measured",
        "",
        "Seconds of the whole step, start of the process included, and peak memory of its processes together (GiB):",
        "",
        "| step | " + " | ".join(f"{n} core{'s' * (n > 1)}, {t:.1f} M" for n in cores for t in (small, large)) + " |",
        "|---" * (1 + 2 * len(cores)) + "|",
    ]
    for step in STEPS:
        cells = [found[step, n, scale] for n in cores for scale in scales]
        lines.append(f"| {step} | " + " | ".join(f"{one.seconds:.1f} s, {one.peak_gib:.1f}" for one in cells) + " |")
    lines += [
        "",
        "Core-seconds per million tokens, as the slope between the two sizes, and the efficiency against one core"
        " (1 = twice the cores, half the time):",
        "",
        "| step | " + " | ".join(f"{n} core{'s' * (n > 1)}" for n in cores) + " | efficiency |",
        "|---" * (2 + len(cores)) + "|",
    ]
    for step in STEPS:
        slopes = [slope(step, n) for n in cores]
        efficiency = ", ".join(f"{slopes[0] / one:.2f}" for one in slopes[1:])
        lines.append(f"| {step} | " + " | ".join(f"{one:.2f}" for one in slopes) + f" | {efficiency} |")
    lines += [
        "",
        "Bytes per token:",
        "",
        "| | at the larger size | slope |",
        "|---|---|---|",
        f"| the input, zst | {sizes[scales[1]]['input'] / large / 1e6:.2f} | |",
        *(
            f"| {name} | {size / large / 1e6:.2f} | {growth(name):.2f} |"
            for name, size in sizes[scales[1]]["bytes"].items()
        ),
        "",
        "## Arithmetic, not measured",
        "",
        f"The slopes on {cores[-1]} cores times the tokens: core-hours of each step, and storage. It holds as long as a"
        " step is linear in tokens; docs/scaling.md says where that ends.",
        "",
        "| | " + " | ".join(f"{name} tokens" for name in TARGETS) + " |",
        "|---" * (1 + len(TARGETS)) + "|",
        *(
            f"| {step}, core-hours | "
            + " | ".join(f"{slope(step, cores[-1]) * n / 1e6 / 3600:,.1f}" for n in TARGETS.values())
            + " |"
            for step in STEPS
        ),
        *(
            f"| {name}, GB | " + " | ".join(f"{growth(name) * n / 1e9:,.0f}" for n in TARGETS.values()) + " |"
            for name in sizes[scales[1]]["bytes"]
        ),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure what is missing and rewrite the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("build/bench-scaling"))
    parser.add_argument("--scales", type=float, nargs=2, default=[10.0, 40.0], help="1 is 10,000 documents")
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2, 4])
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    rows: list[Measured] = []
    sizes: dict[float, dict[str, Any]] = {}
    for scale in options.scales:
        for cores in options.cores:
            kept = work / f"measured-{scale:g}-{cores}.json"
            if not kept.exists():
                measured, held = measure(work, scale, cores)
                kept.write_text(json.dumps({"rows": [vars(row) for row in measured], "sizes": held}, indent=1))
            state = json.loads(kept.read_text())
            rows += [Measured(**row) for row in state["rows"]]
            sizes[scale] = state["sizes"]
    PAGE.write_text(page(rows, sizes, options.scales, options.cores))
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
