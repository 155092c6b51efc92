"""The page that the counting benchmark writes."""

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

PACKAGES = ("numba", "numpy", "duckdb", "polars", "scipy", "pyspark", "pyarrow")


def page(threads: int, units: int, figures: dict[str, Any]) -> str:
    """Return the page in Markdown, of the parts that were measured."""
    lines = [
        "# Counting",
        "",
        f"Made by `PYTHONPATH=.:tests python -m benchmarks.bench_counting"
        f" --threads {threads} --units {units}` on {machine()}; every"
        f" engine has {threads} threads on the same {threads} cores. Versions: {versions()}.",
        "",
    ]
    if figures["tokens"] or figures["words"]:
        lines += [
            "## Against other ways to count the same",
            "",
            f"Documents: {(figures['tokens'] or figures['words'])['documents']}. Units are windows of 2,048 tokens."
            " Every engine starts from the distinct (unit, token) and (unit, word) pairs in its own form, counts every"
            " cell, and must find the same cells and the same sum; an increment is one unit that holds both. Times are"
            " the best of up to five turns, one where a turn takes long. scipy.sparse gets its rows split over the"
            " threads; it counts every pair of tokens twice, as a product does.",
            "",
        ]
    for part, title in (("tokens", "Tokens x tokens"), ("words", "Words x tokens")):
        if figures[part]:
            lines += comparison(title, figures[part])
    if figures["planted"]:
        lines += growth(figures["planted"])
    for part in ("planted", "mixture"):
        if figures[part]:
            lines += addition(part, figures[part])
    return "\n".join(lines).rstrip() + "\n"


def comparison(title: str, found: dict[str, Any]) -> list[str]:
    ours = found["engines"][0]["rate"]
    lines = [
        f"### {title}",
        "",
        f"{found['units']:,} units, {found['increments']:,} increments, {found['total'][0]:,} cells.",
        "",
        "| engine | seconds | increments/s | ours is faster by |",
        "|---|---|---|---|",
    ]
    for row in found["engines"]:
        ratio = "" if row is found["engines"][0] else f"{ours / row['rate']:,.0f} ×"
        lines.append(f"| {row['engine']} | {row['seconds']:.2f} | {row['rate']:.2e} | {ratio} |")
    return [
        *lines,
        "",
        "A loop that only reads ids and increments, all in the first cache, on the same threads:"
        f" {found['limit']:.2e} increments/s; ours is {ours / found['limit']:.0%} of it. At that rate it would be "
        + ", ".join(f"{found['limit'] / row['rate']:,.0f} × {row['engine']}" for row in found["engines"][1:3])
        + ". (The speed of this shared machine differs between parts; ratios are of one run.)",
        "",
    ]


_COLUMNS = (
    "| million tokens | units | distinct tokens | word cells kept | edges kept | seconds | µs per token"
    " | peak RSS, GiB | written, MB |"
)


def growth(found: dict[str, Any]) -> list[str]:
    return [
        "## As it grows",
        "",
        "The whole of `pivots count` by documents, from document shards to Parquet, on planted corpora (`pivots plant"
        " --setting long_documents`), each in a process that has counted a tiny corpus before, so that loading"
        " libraries is not in the figures.",
        "",
        _COLUMNS,
        "|---" * 9 + "|",
        *map(grown, found["rows"]),
        "",
    ]


def grown(row: dict[str, Any]) -> str:
    return (
        f"| {row['n_tokens'] / 1e6:.1f} | {row['n_units']:,} | {row['n_distinct_tokens']:,} |"
        f" {row['n_word_tokens']:,} |"
        f" {row['n_token_pairs']:,} | {row['seconds']:.1f} | {row['seconds'] / row['n_tokens'] * 1e6:.3f} |"
        f" {row['peak_bytes'] / 2**30:.2f} | {row['bytes_written'] / 1e6:,.0f} |"
    )


_KINDS = {
    "planted": "The largest planted corpus, and 1 % more documents",
    "mixture": "A mixture of real text with a large vocabulary (documents of 16 pieces of 128 tokens each, drawn from"
    " the documents of the comparison), and 1 % more documents",
}


def addition(kind: str, found: dict[str, Any]) -> list[str]:
    more, rebuilt = found["more"], found["rebuilt"]
    share = more["seconds"] / rebuilt["seconds"]
    lines = [f"## Adding 1 %: {kind}", "", f"{_KINDS[kind]}; the tables have the same bytes either way.", ""]
    if kind == "mixture":
        lines += [_COLUMNS, "|---" * 9 + "|", *map(grown, found["rows"]), ""]
    return [
        *lines,
        "| | seconds | share of a rebuild | peak RSS, GiB |",
        "|---|---|---|---|",
        f"| rebuilt | {rebuilt['seconds']:.2f} | | {rebuilt['peak_bytes'] / 2**30:.2f} |",
        f"| 1 % added | {more['seconds']:.2f} | {share:.1%} | {more['peak_bytes'] / 2**30:.2f} |",
        f"| 1 % added, as a command from a cold start | {found['command_seconds']:.2f} | | |",
        "",
        *profile(rebuilt, more),
        f"Sums kept for it: {found['sums_bytes'] / 1e6:,.0f} MB, beside {rebuilt['bytes_written'] / 1e6:,.0f} MB of"
        " counted tables.",
        "",
    ]


def profile(rebuilt: dict[str, Any], more: dict[str, Any]) -> list[str]:
    """Return thread seconds by stage, where they were measured."""
    if "stages" not in more:
        return []
    lines = ["| seconds of a thread in | rebuilt | 1 % added |", "|---|---|---|"]
    for stage in rebuilt["stages"] | more["stages"]:
        seconds = [f"{run['stages'].get(stage, 0):.2f}" for run in (rebuilt, more)]
        lines.append(f"| {stage} | {seconds[0]} | {seconds[1]} |")
    share = more["stages"].get("reading units (wall)", 0) + more["stages"].get("increments", 0)
    return [
        *lines,
        "",
        f"The new documents themselves cost {share:.2f} s of it; the rest is the same however few are added:"
        " unpacking all cells, holding them to the rules, summing E and Var of those that pass, sorting and writing the"
        " tables, all of whose rows change with N. It grows with the cells, not with the documents.",
        "",
    ]


def machine() -> str:
    model = next(line.split(":")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model.strip()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"


def versions() -> str:
    found = [f"python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)
