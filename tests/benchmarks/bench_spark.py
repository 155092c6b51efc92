"""Ingest and count on Spark: as workers are added, against one process, and against Spark SQL's own self-join.

    PYTHONPATH=.:tests python -m benchmarks.bench_spark [--cores 1,2,4] [--corpora mixture-300,...] [--parts ...]

Every measurement is a process of its own, bound with all it starts (driver, executors, workers) to N cores;
Spark runs as `local-cluster[cores,1,...]`: a real master, and N executors of one core. Figures of each
measurement stay in the scratch folder, so that parts can be run one at a time; what other sources left is left out.
Prints the figures and rewrites docs/benchmarks/spark.md. Corpora stay in the scratch folder: delete it to start over.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.places import PROJECT

PAGE = PROJECT / "docs" / "benchmarks" / "spark.md"
JOINED_TOKENS = 2_000_000  # a self-join still gets through, and the kernels have more to do than to start
PARTS = ("prepare", "count", "ingest", "join")
CORPORA = "planted-300,mixture-300,mixture-900"


def main() -> None:
    arguments = parse()
    corpora: list[str] = arguments.corpora.split(",")
    engines = arguments.engines.split(",")
    cores = [int(number) for number in arguments.cores.split(",")]
    scratch: Path = arguments.scratch
    scratch.mkdir(parents=True, exist_ok=True)
    for part in arguments.parts:
        if part == "prepare":
            prepare(scratch, corpora)
        elif part == "count":
            for corpus in corpora:
                for engine in engines:
                    for number in cores:
                        measured(scratch, "count", engine, number, corpus)
        elif part == "ingest":
            for engine in engines:
                for number in cores:
                    measured(scratch, "ingest", engine, number, "planted")
        else:
            measured(scratch, "join", "spark", max(cores), "joined")
    from benchmarks.support.spark_page import page

    text = page(kept(scratch))
    print(text)
    if not arguments.dry_run:
        PAGE.write_text(text, encoding="utf-8")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cores", default="1,2,4", help="cores of each measurement, one after another")
    parser.add_argument("--corpora", default=CORPORA, help="counted corpora: a kind and a size in million tokens")
    parser.add_argument("--engines", default="embedded,spark")
    parser.add_argument("--parts", nargs="*", default=PARTS, choices=PARTS)
    parser.add_argument("--scratch", type=Path, default=PROJECT / "build" / "bench-spark", help="corpora and figures")
    parser.add_argument("--dry-run", action="store_true", help="do not rewrite the page")
    return parser.parse_args()


def prepare(scratch: Path, corpora: list[str]) -> None:
    """Make the corpora, documents to ingest, and a corpus that a self-join can still go through."""
    from benchmarks.support.benchmark_lakes import first_shards, make_lake, make_mixture, make_planted, make_tiny

    source, _ = make_lake(scratch / "compared")
    make_tiny(scratch / "tiny")
    planted = make_planted(scratch / "planted", 300e6, seed=0)
    for corpus in corpora:
        kind, size = corpus.split("-")
        if kind == "planted":
            first_shards(planted, scratch / corpus, float(size) * 1e6)
        else:
            make_mixture(source, scratch / corpus, int(float(size) * 1e6))
    make_mixture(source, scratch / "joined", JOINED_TOKENS)


def sources_hash() -> str:
    """Return what identifies the measured code."""
    from warehouse.contract.hashing import file_hash, short_hash

    rooms = [*(PROJECT / "warehouse" / "counting").glob("*.py"), *(PROJECT / "warehouse" / "spark").glob("[cit]*.py")]
    return short_hash([file_hash(path) for path in sorted(rooms)])


def measured(scratch: Path, what: str, engine: str, cores: int, corpus: str) -> None:
    """Measure in a process of its own, unless that was done, and keep the figures."""
    file = scratch / "figures" / f"{what}-{engine}-{cores}-{corpus}.json"
    if file.exists() and json.loads(file.read_text())["sources"] == sources_hash():
        return
    file.parent.mkdir(exist_ok=True)
    allowed = sorted(os.sched_getaffinity(0))[:cores]
    environment = os.environ | {
        "PIVOTS_SPARK_MASTER": f"local-cluster[{cores},1,1536]",
        "PIVOTS_SPARK_MEMORY": "1536m",
        "PIVOTS_THREADS": str(cores),
        "OMP_NUM_THREADS": str(cores),
    }
    command = [sys.executable, "-m", "benchmarks.support.spark_measure", what, engine, str(cores)]
    output = subprocess.run(
        ["taskset", "-c", ",".join(map(str, allowed)), *command, str(scratch), corpus],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    found |= {"what": what, "engine": engine, "cores": cores, "corpus": corpus, "sources": sources_hash()}
    file.write_text(json.dumps(found))
    print(found, file=sys.stderr)


def kept(scratch: Path) -> list[dict[str, Any]]:
    """Return the figures that were measured with these sources."""
    found = [json.loads(path.read_text()) for path in sorted((scratch / "figures").glob("*.json"))]
    return [figures for figures in found if figures["sources"] == sources_hash()]


if __name__ == "__main__":
    if shutil.which("java") is None:
        sys.exit("Java 17 is needed: Spark does not start without")
    main()
