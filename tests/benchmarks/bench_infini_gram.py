"""An infini-gram index of real documentation against exact counts: time, size, and how far the numbers agree.

    PYTHONPATH=.:tests python -m benchmarks.bench_infini_gram [--threads 2] [--scratch DIR] [--dry-run]

Needs the package infini-gram and the shared data (Python documentation in four languages, the word list). Ingests two
corpora, counts them exactly, makes an index of each, asks it for all words and pairs at three distances, builds the
marts and rewrites docs/benchmarks/infini-gram.md. Homes and indexes stay in the scratch folder: delete it to start
over.
"""

import argparse
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from support.places import PROJECT

DATA = PROJECT.parent / "shared" / "data"
PAGE = PROJECT / "docs" / "benchmarks" / "infini-gram.md"
CORPORA = {"pydocs": ("pydocs",), "all": ("pydocs", "pydocs_bilingual", "tldr", "pud")}
DISTANCES = (100, 1000, 1_000_000)
MAX_CLAUSE_FREQ = 500_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="threads and cores of everything")
    parser.add_argument("--scratch", type=Path, default=PROJECT / "build" / "bench-infini-gram")
    parser.add_argument("--dry-run", action="store_true", help="do not rewrite the page")
    arguments = parser.parse_args()
    if not DATA.exists():
        sys.exit(f"{DATA} is not there: nothing to index")
    os.environ["PIVOTS_THREADS"] = str(arguments.threads)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])
    found = {name: measure(arguments.scratch / name, name, folders) for name, folders in CORPORA.items()}
    text = page(found, arguments.threads)
    print(text)
    if not arguments.dry_run:
        PAGE.write_text(text, encoding="utf-8")


def measure(folder: Path, corpus: str, sources: tuple[str, ...]) -> dict[str, Any]:
    """Return all figures of one corpus; times are of steps done anew."""
    from warehouse.base.settings import Home
    from warehouse.build import dbt_runner
    from warehouse.counting.count import count_corpus
    from warehouse.counting.options import CountOptions
    from warehouse.engines.infini_gram.indexing import build_index
    from warehouse.ingest.corpus import ingest_corpus
    from warehouse.ingest.word_list import import_words
    from warehouse.lake.connections import open_writer, writer_lock
    from warehouse.lake.raw_views import refresh_raw_views

    home = Home(folder)
    import_words(home, DATA / "words" / "clwtd.jsonl.zst")
    files = sorted(file for name in sources for file in (DATA / "corpora" / name).glob("*.jsonl.zst"))
    ingest_corpus(home, files, corpus=corpus, tokenizer=str(DATA / "tokenizers" / "olmo.json"))
    for name in ("counts", "sums", "infini_gram_counts", "runs"):
        shutil.rmtree(home.lake / name, ignore_errors=True)
    count_corpus(home, corpus, CountOptions())  # loads and compiles the kernels
    for name in ("counts", "sums"):
        shutil.rmtree(home.lake / name)
    count_s, counted = timed(lambda: count_corpus(home, corpus, CountOptions()))
    index_folder = folder / "index"
    shutil.rmtree(index_folder, ignore_errors=True)
    index_s, index = timed(lambda: build_index(home, corpus, index_folder))
    asked = [ask(home, corpus, index_folder, distance) for distance in DISTANCES]
    with writer_lock(home):
        with open_writer(home) as connection:
            refresh_raw_views(home, connection)
        dbt_runner.run_dbt(home, ["run", "--select", "+fct_infini_gram_agreement"], quiet=True)
    for run in asked:
        run |= agreement(home, run["run_id"])
    return {
        "n_docs": index.n_docs,
        "n_tokens": index.n_tokens,
        "index_bytes": index.n_bytes,
        "index_s": index_s,
        "count_s": count_s,
        "n_token_pairs": counted.n_token_pairs,
        "n_word_tokens": counted.n_word_tokens,
        "asked": asked,
    }


def timed(step: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = step()
    return time.perf_counter() - start, result


def ask(home: Any, corpus: str, index_folder: Path, distance: int) -> dict[str, Any]:
    """Ask for all words and pairs of all items."""
    from warehouse.engines.infini_gram.asking import ask_index
    from warehouse.engines.infini_gram.local import local_index
    from warehouse.engines.infini_gram.questions import item_words
    from warehouse.engines.infini_gram.tokenizers import index_tokenizer

    tokenizer = index_tokenizer(home, corpus, None)
    index = local_index(
        index_folder,
        tokenizer_hash=tokenizer.tokenizer_hash,
        vocabulary=tokenizer.encoder.vocabulary,
        max_diff_tokens=distance,
        max_clause_freq=MAX_CLAUSE_FREQ,
    )
    pairs = item_words(home, tokenizer.encoder)
    seconds, summary = timed(lambda: ask_index(home, index, pairs, corpus=corpus))
    return {"run_id": summary.run_id, "distance": distance, "seconds": seconds, "n_questions": summary.n_answered}


def agreement(home: Any, run_id: str) -> dict[str, Any]:
    """Read the mart of agreement, and how often the engine overlooks pairs that share a document of the index."""
    import duckdb

    with duckdb.connect(str(home.warehouse_file), read_only=True) as connection:
        rows = connection.execute(
            "select * from marts.fct_infini_gram_agreement where run_id = ? and source_lang = 'all'", [run_id]
        ).to_arrow_table()
        lost = connection.execute(
            "select count(*) filter (n_docs_both > 0), count(*) filter (n_docs_both > 0 and n_occurrences_both = 0),"
            " count(*) filter (n_occurrences_both < n_docs_both)"
            " from marts.fct_infini_gram_cooccurrence where run_id = ? and source_lang < target_lang",
            [run_id],
        ).fetchone()
    return {"measures": {row["measure"]: row for row in rows.to_pylist()}, "lost": lost}


def page(found: dict[str, dict[str, Any]], threads: int) -> str:
    """Return the page."""
    lines = [
        "# An infini-gram index against exact counts",
        "",
        "Made by `PYTHONPATH=.:tests python -m benchmarks.bench_infini_gram`. "
        "Corpus `pydocs` is the Python documentation in en,",
        "fr, zh and ja; `all` adds pages that hold two languages, tldr pages and parallel news. OLMo's tokenizer, the",
        f"whole word list (CLWTD), whole documents as units. {threads} threads; every step in this run.",
        "",
        "## Time and size",
        "",
        "| | " + " | ".join(found) + " |",
        "|---|" + "---|" * len(found),
    ]
    add = [
        ("documents", lambda f: f"{f['n_docs']:,}"),
        ("tokens, with separators", lambda f: f"{f['n_tokens']:,}"),
        ("making the index, s", lambda f: f"{f['index_s']:.1f}"),
        ("bytes of the index per token", lambda f: f"{f['index_bytes'] / f['n_tokens']:.2f}"),
        ("questions: words, pairs whose words both occur", lambda f: f"{f['asked'][0]['n_questions']:,}"),
    ]
    for i, distance in enumerate(DISTANCES):
        add.append(
            (f"asking all of them, max_diff_tokens {distance:,}, s", lambda f, i=i: f"{f['asked'][i]['seconds']:.1f}")
        )
    add += [
        ("... a question, ms", lambda f: f"{1000 * f['asked'][0]['seconds'] / f['asked'][0]['n_questions']:.2f}"),
        (
            "as many over HTTP at 5 requests/s, minutes",
            lambda f: f"{f['asked'][0]['n_questions'] / 300:.0f}",
        ),
        ("`pivots count`, s", lambda f: f"{f['count_s']:.1f}"),
        ("... with as many cells of words and tokens", lambda f: f"{f['n_word_tokens']:,}"),
        ("... and edges between tokens", lambda f: f"{f['n_token_pairs']:,}"),
    ]
    lines += [f"| {label} | " + " | ".join(value(f) for f in found.values()) + " |" for label, value in add]
    lines += [
        "",
        "`pivots count` makes all of that at once; the index answers words and pairs only. Where a corpus can be held,",
        "count it.",
        "",
        "## Agreement with exact counts",
        "",
        "All directions of all items. `n_docs` are documents, from the index's own tables; `n_occurrences` what the",
        "engine, and so the HTTP API, counts. Exact counts follow the rules for words in text; an index finds token",
        "sequences after a space. Missed: 0 in the index, more in the exact counts. Spurious: the other way round.",
        "",
        "| corpus | measure | max_diff_tokens | rows | equal | missed | spurious | sum / exact sum | rank corr. |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, figures in found.items():
        for measure in ("n_docs_source", "n_docs_both", "n_occurrences_source"):
            lines.append(measure_row(name, measure, "any", figures["asked"][0]["measures"][measure]))
        for run in figures["asked"]:
            both = run["measures"]["n_occurrences_both"]
            lines.append(measure_row(name, "n_occurrences_both", f"{run['distance']:,}", both))
    lines += [
        "",
        "## What the engine leaves out of pairs",
        "",
        "Pairs that share a document of the index (any distance), those the engine has at zero, and those it has below",
        "the number of shared documents. The farther it looks, the more places have their nearest other word on one",
        "side in a neighbouring document, and those are dropped: a larger distance does not mean a larger count.",
        "",
        "| corpus | max_diff_tokens | share a document | zero occurrences | fewer occurrences than documents |",
        "|---|---|---|---|---|",
    ]
    for name, figures in found.items():
        for run in figures["asked"]:
            shared, zero, fewer = run["lost"]
            lines.append(f"| {name} | {run['distance']:,} | {shared:,} | {zero:,} | {fewer:,} |")
    packages = ", ".join(f"{name} {version(name)}" for name in ("infini-gram", "numpy", "duckdb"))
    lines += [
        "",
        f"- Machine: {platform.machine()}, {os.cpu_count()} cores; load average {os.getloadavg()[0]:.1f} at the end",
        f"- Versions: python {platform.python_version()}, {packages}",
        "",
    ]
    return "\n".join(lines)


def measure_row(corpus: str, measure: str, distance: str, row: dict[str, Any]) -> str:
    correlation = f"{row['rank_correlation']:.3f}" if row["rank_correlation"] is not None else ""
    return (
        f"| {corpus} | {measure} | {distance} | {row['n_pairs']:,} | {row['n_equal']:,} | {row['n_missed']:,} | "
        f"{row['n_spurious']:,} | {row['total_ratio']:.3f} | {correlation} |"
    )


if __name__ == "__main__":
    main()
