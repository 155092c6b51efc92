"""`dbt build` on a planted corpus of 100 million tokens: seconds per model, peak memory, ranking against a plain scan.

    PYTHONPATH=.:tests python -m benchmarks.bench_dbt [--home DIR] [--scale 90] [--threads 2]

Plants, ingests and counts a corpus (skipped where --home holds one already), runs `pivots build` as its own process,
then the models that rank documents once more by themselves, and rewrites docs/benchmarks/dbt.md.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from support.places import PROJECT
from warehouse.base.machine import memory_limit
from warehouse.base.settings import Home
from warehouse.build import dbt_runner
from warehouse.lake.connections import writer_lock
from warehouse.lake.files import current_count, current_files

CORPUS = "planted"
TOKENIZER = PROJECT / "ml" / "base_model" / "tokenizer.json"
PAGE = PROJECT / "docs" / "benchmarks" / "dbt.md"
RANKING = ("int_document_pivots__counted", "int_documents__ranked")
TURNS = 3
N_SHOWN = 20


@dataclass(frozen=True)
class Corpus:
    """What was built from."""

    n_docs: int
    n_tokens: int
    n_rankings: int


def prepare(home: Home, scale: float) -> None:
    """Plant, ingest and count the corpus."""
    planted = home.root / "planted"
    shared = ["--home", str(home.root)]
    pivots("plant", "--out", str(planted), "--scale", str(scale), "--seed", "3", "--setting", "long_documents")
    pivots("words", "import", str(planted / "words.jsonl"), *shared)
    pivots("ingest", str(planted / "documents"), "--corpus", CORPUS, "--tokenizer", str(TOKENIZER), *shared)
    pivots("truth", "import", str(planted / "truth"), "--corpus", CORPUS, *shared)
    pivots("count", "--corpus", CORPUS, *shared)


def pivots(*arguments: str) -> None:
    subprocess.run([str(Path(sys.executable).with_name("pivots")), *arguments], check=True, stdout=sys.stderr)


def timed_build(home: Home) -> tuple[float, float, list[dict[str, Any]]]:
    """Build everything; return seconds, the largest process's peak in GiB, and dbt's results."""
    began = time.monotonic()
    pivots("build", "--home", str(home.root))
    seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    return seconds, peak, dbt_runner.run_results(home.dbt_target)


def timed_ranking(home: Home) -> dict[str, float]:
    """Build the ranking models one after another, nothing beside them; return the median seconds of each."""
    taken: dict[str, list[float]] = {name: [] for name in RANKING}
    target = home.root / "dbt" / "bench-target"
    arguments = ["run", "--threads", "1", "--select", *RANKING, "--vars", json.dumps(dbt_runner.build_variables(home))]
    for _ in range(TURNS):
        with writer_lock(home):
            dbt_runner.run_dbt(home, arguments, quiet=True, environment={"DBT_TARGET_PATH": str(target)})
        for result in dbt_runner.run_results(target):
            taken[result["unique_id"].split(".")[-1]].append(result["execution_time"])
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def timed_scan(home: Home, threads: int) -> tuple[float, float]:
    """Return median seconds of unnesting all tokens, and of counting them again by document."""
    files = ", ".join(f"'{file}'" for file in current_files(home, "documents"))
    tokens = f"select corpus, doc_id, unnest(token_ids) as token_id from read_parquet([{files}])"
    with duckdb.connect(config={"threads": threads, "memory_limit": memory_limit()}) as connection:

        def median_of(sql: str) -> float:
            taken = []
            for _ in range(TURNS):
                began = time.monotonic()
                connection.execute(sql).fetchall()
                taken.append(time.monotonic() - began)
            return statistics.median(taken)

        bare = median_of(f"select sum(token_id) from ({tokens})")
        by_document = median_of(f"select sum(n) from (select count(*) as n from ({tokens}) group by corpus, doc_id)")
    return bare, by_document


def describe(home: Home) -> Corpus:
    with duckdb.connect(str(home.warehouse_file), read_only=True) as connection:
        row = connection.execute("select count(*), sum(n_tokens)::bigint from marts.dim_documents").fetchone()
        rankings = connection.execute(
            "select count(distinct ranking) from intermediate.int_documents__ranked"
        ).fetchone()
    assert row is not None
    assert rankings is not None
    return Corpus(row[0], row[1], rankings[0])


def page(
    corpus: Corpus,
    built: tuple[float, float, list[dict[str, Any]]],
    ranking: dict[str, float],
    scan: tuple[float, float],
    threads: int,
) -> str:
    """Return the page."""
    seconds, peak, results = built
    models = sorted(
        ((r["execution_time"], r["unique_id"].split(".")[2]) for r in results if _is(r, "model")), reverse=True
    )
    tests = sum(r["execution_time"] for r in results if _is(r, "test"))
    bare, by_document = scan
    ranked = sum(ranking.values())
    each = ranked / corpus.n_rankings
    million = corpus.n_tokens / 1e6
    lines = [
        "# dbt build on 100 million tokens",
        "",
        "Made by `PYTHONPATH=.:tests python -m benchmarks.bench_dbt`, which plants with",
        "`pivots plant --scale 90 --seed 3 --setting long_documents`.",
        "",
        f"{corpus.n_docs:,} documents, {corpus.n_tokens:,} tokens, every default of the project;",
        f"DuckDB {threads} threads, memory limit {memory_limit()}, dbt {threads} threads.",
        "",
        f"**`pivots build`: {seconds:.0f} s, peak of the dbt process {peak:.1f} GiB** (the bound is 6 GiB):",
        f"{len(models)} models, tests of the data included ({tests:.0f} s of their own time;"
        " models and tests run side by side).",
        "",
        f"The {N_SHOWN} slowest models, in seconds of their own; all others together take"
        f" {sum(t for t, _ in models[N_SHOWN:]):.1f} s:",
        "",
        "| model | s |",
        "|---|---|",
        *(f"| {name} | {t:.2f} |" for t, name in models[:N_SHOWN]),
        "",
        "## Ranking documents against merely reading them",
        "",
        f"The two models that rank, run alone (median of {TURNS}):"
        f" {', '.join(f'{n} {t:.2f} s' for n, t in ranking.items())}.",
        f"They make {corpus.n_rankings} rankings at once (the pivot sets and word density), each with two densities",
        "and two ranks for every document, written to tables.",
        "",
        "| | s | M tokens/s | of the scan's speed |",
        "|---|---|---|---|",
        f"| scan and unnest all tokens, sum them | {bare:.2f} | {million / bare:.0f} | 1 |",
        f"| the same, counted by document again | {by_document:.2f} | {million / by_document:.0f}"
        f" | {bare / by_document:.2f} |",
        f"| {corpus.n_rankings} rankings | {ranked:.2f} | {million / ranked:.0f} | {bare / ranked:.2f} |",
        f"| a ranking, as a share of the {corpus.n_rankings} | {each:.2f} | {million / each:.0f} | {bare / each:.2f} |",
        "",
        f"By its share of making all, a ranking runs at {bare / each:.2f} of the scan's speed (the goal was a third);",
        f"{corpus.n_rankings} at once take as long as {ranked / bare:.0f} scans. Documents are short here"
        f" ({corpus.n_tokens / corpus.n_docs:.0f} tokens on average), so that ranks",
        "and rows weigh more against tokens than in a corpus of whole pages.",
        "",
        "The ranking by bridging pivots is off by default and not in these figures: tried on this corpus it spilt more",
        "than 9 GB and was not done after three minutes.",
        "",
        f"- Machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores; load average"
        f" {os.getloadavg()[0]:.1f} at the end",
        f"- Versions: python {platform.python_version()}, duckdb {version('duckdb')},"
        f" dbt-core {version('dbt-core')}, dbt-duckdb {version('dbt-duckdb')}",
    ]
    return "\n".join(lines) + "\n"


def _is(result: dict[str, Any], kind: str) -> bool:
    return result["unique_id"].startswith(f"{kind}.")


def main() -> None:
    """Measure and rewrite the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="keep the home here, or use the one that is there")
    parser.add_argument("--scale", type=float, default=90.0, help="1 is 10,000 documents of 123 tokens")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    os.environ["PIVOTS_THREADS"] = str(options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        home = Home((options.home or Path(scratch)).resolve())
        if current_count(home, CORPUS) is None:
            prepare(home, options.scale)
        built = timed_build(home)
        ranking, scan = timed_ranking(home), timed_scan(home, options.threads)
        PAGE.write_text(page(describe(home), built, ranking, scan, options.threads))
    print(PAGE.read_text())


if __name__ == "__main__":
    main()
