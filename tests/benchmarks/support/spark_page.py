"""The page of `bench_spark.py`: docs/benchmarks/spark.md."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

Figures = dict[str, Any]

_KINDS = {
    "planted": "planted (many short documents, 1,756 distinct tokens)",
    "mixture": "mixture of real text (documents of 2,048 tokens, 27,000 distinct tokens)",
}
_VERSIONS = ("pyspark", "numba", "numpy", "pyarrow", "duckdb")
_TABLES = {
    "documents": "raw.documents",
    "word_documents": "raw.word_documents",
    "strata": "raw.strata",
    "token_documents": "raw.token_documents",
    "word_strata": "raw.word_strata",
    "word_pairs": "raw.word_pairs",
    "word_tokens": "raw.word_tokens",
    "token_pairs": "raw.token_pairs",
    "sums": "kept sums (no table)",
}


def page(figures: list[Figures]) -> str:
    """Return the page of what was measured; what was not is left out."""
    cores = sorted({one["cores"] for one in figures}) or [1]
    sections = [_head(), _counting(figures, cores), _ingest(figures), _join(figures), _bytes(figures)]
    return "\n\n".join(section for section in sections if section) + "\n"


def _sizes(figures: list[Figures], kind: str) -> list[int]:
    """Return the sizes of the counted corpora of a kind, in million tokens."""
    counted = {one["corpus"] for one in figures if one["what"] == "count"}
    return sorted(int(corpus.split("-")[1]) for corpus in counted if corpus.startswith(kind))


def _find(figures: list[Figures], what: str, engine: str, cores: int, corpus: str) -> Figures | None:
    for one in figures:
        if (one["what"], one["engine"], one["cores"], one["corpus"]) == (what, engine, cores, corpus):
            return one
    return None


def _head() -> str:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    machine = models[0].split(": ")[1] if models else platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    versions = ", ".join(f"{name} {version(name)}" for name in _VERSIONS)
    return (
        "# Spark\n\nMade by `PYTHONPATH=.:tests python -m benchmarks.bench_spark` on "
        f"{machine}, {os.cpu_count()} cores, {memory:.0f} GiB, Linux. "
        f"Versions: python {platform.python_version()}, {versions}, Java 17.\n\n"
        "On *k* cores the driver, *k* executors of one core and their Python workers run on the same *k* cores "
        "(`local-cluster[k,1,1536]`); the embedded engine has *k* threads or processes on them. Efficiency is the time "
        "on one core over *k* times the time on *k*. The session is started before, and a tiny corpus goes "
        "through it: what starting costs stands apart. All is on one machine with one disk: no figure here is of a "
        "network."
    )


def _counting(figures: list[Figures], cores: list[int]) -> str:
    blocks = []
    for kind, description in _KINDS.items():
        rows = []
        sizes = _sizes(figures, kind)
        for size in sizes:
            for engine in ("embedded", "spark"):
                found = [_find(figures, "count", engine, number, f"{kind}-{size}") for number in cores]
                rows += _scaling(engine, [one for one in found if one])
        if rows:
            blocks += [
                f"### {description[0].upper()}{description[1:]}",
                "| million tokens | engine | cores | seconds | efficiency | s per million tokens and core |\n"
                "|---|---|---|---|---|---|\n" + "\n".join(rows),
                _slopes(figures, kind, sizes, cores),
            ]
            blocks.append(_stages(figures, f"{kind}-{max(sizes)}", cores))
    if not blocks:
        return ""
    return "## Counting\n\nThe whole of `pivots count` by documents, to the tables in the lake.\n\n" + "\n\n".join(
        block for block in blocks if block
    )


def _scaling(engine: str, found: list[Figures]) -> list[str]:
    rows = []
    for one in found:
        first, n_tokens = found[0], one["n_tokens"]
        efficiency = first["seconds"] / (one["seconds"] * one["cores"])
        shown = f"{efficiency:.0%}" if first["cores"] == 1 else ""
        rate = one["seconds"] * one["cores"] / n_tokens * 1e6
        cells = (
            f"{n_tokens / 1e6:.0f}",
            engine,
            one["cores"],
            f"{one['seconds']:.1f}",
            shown,
            f"{rate:.3f}",
        )
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    return rows


def _slopes(figures: list[Figures], kind: str, sizes: list[int], cores: list[int]) -> str:
    """Say what more tokens cost, without what every count costs whatever its size."""
    if len(sizes) < 2:
        return ""
    small, large = f"{kind}-{min(sizes)}", f"{kind}-{max(sizes)}"
    parts = []
    for engine in ("embedded", "spark"):
        slopes = []
        for number in cores:
            a, b = (_find(figures, "count", engine, number, corpus) for corpus in (small, large))
            if a is None or b is None:
                return ""
            slopes.append((b["seconds"] - a["seconds"]) * number / (b["n_tokens"] - a["n_tokens"]) * 1e6)
        listed = ", ".join(f"{slope:.3f}" for slope in slopes)
        parts.append(f"{engine} {listed} (efficiency on {cores[-1]}: {slopes[0] / slopes[-1]:.0%})")
    on = ", ".join(map(str, cores))
    return (
        "What a token more costs, from the difference of the two sizes, in seconds per million tokens and core, "
        f"on {on} cores: {'; '.join(parts)}."
    )


def _stages(figures: list[Figures], corpus: str, cores: list[int]) -> str:
    found = [_find(figures, "count", "spark", number, corpus) for number in cores]
    if None in found:
        return ""
    names = {
        "units": "units and counts by stratum",
        "numbers": "final numbers, words and pairs of words",
        "rows": "rows: counted, packed, moved, added up, reduced",
        "tables": "tables written by the driver, edges sorted",
    }
    rows = []
    for stage, name in names.items():
        seconds = " | ".join(f"{_stage(one, stage):.1f}" for one in found if one)
        rows.append(f"| {name} | {seconds} |")
    packed = " | ".join(f"{one['packed_bytes'] / 1e6:,.0f}" for one in found if one)
    shuffled = " | ".join(f"{one['shuffle_bytes'] / 1e6:,.0f}" for one in found if one)
    starts = " | ".join(f"{one['start_seconds']:.1f}" for one in found if one)
    head = " | ".join(f"{number} core{'s' if number > 1 else ''}" for number in cores)
    return (
        f"| Spark, {found[0]['n_tokens'] / 1e6:.0f} M tokens: seconds of | {head} |\n"  # type: ignore[index]
        f"|---|{'---|' * len(cores)}\n"
        + "\n".join(rows)
        + f"\n| packed rows written for other tasks, MB | {packed} |\n"
        f"| shuffled (sums by stratum), MB | {shuffled} |\n"
        f"| starting the session (not in the times above) | {starts} |"
    )


def _stage(one: Figures, stage: str) -> float:
    stages = one["stages"]
    if stage == "tables":
        return stages["rows and tables"] - stages["rows"]
    return stages[stage]


def _ingest(figures: list[Figures]) -> str:
    rows = []
    for engine in ("embedded", "spark"):
        found = [one for one in figures if one["what"] == "ingest" and one["engine"] == engine]
        rows += _scaling(engine, sorted(found, key=lambda one: one["cores"]))
        one = found[0] if found else {}
    if not rows:
        return ""
    return (
        f"## Ingest\n\n{one['n_files']} files of planted documents ({one['text_bytes'] / 1e6:,.0f} MB of text, zstd; "
        f"{one['n_docs']:,} documents), tokenised, words matched, committed.\n\n"
        "| million tokens | engine | cores | seconds | efficiency | s per million tokens and core |\n"
        "|---|---|---|---|---|---|\n" + "\n".join(rows)
    )


def _join(figures: list[Figures]) -> str:
    for one in figures:
        if one["what"] == "join":
            ratio = one["self_join_seconds"] / one["kernel_seconds"]
            whole = one["self_join_seconds"] / one["count_seconds"]
            rows = [
                f"| Spark SQL self-join, tokens x tokens | {one['self_join_seconds']:.1f} | |",
                f"| kernels on Spark, all rows | {one['kernel_seconds']:.1f} | {ratio:.0f} × |",
                f"| the whole of `pivots count`, documents to tables | {one['count_seconds']:.1f} | {whole:.0f} × |",
            ]
            return (
                "## Against Spark SQL's own self-join\n\n"
                f"The same session on {one['cores']} cores, {one['n_units']:,} documents of a mixture "
                f"({one['n_tokens'] / 1e6:.0f} M tokens, {one['unit_tokens'] / 1e6:.1f} M distinct pairs of document "
                "and token). The self-join pairs the tokens of each document and counts them: "
                f"{one['n_increments']:,} increments to {one['n_pairs']:,} pairs. The kernels' job begins where the "
                "self-join begins, counts words with tokens as well, applies the rules, and writes what they keep and "
                "the sums.\n\n| | seconds | the self-join takes |\n|---|---|---|\n"
            ) + "\n".join(rows)
    return ""


def _bytes(figures: list[Figures]) -> str:
    columns = []
    for kind in _KINDS:
        for engine in ("embedded", "spark"):
            found = [one for one in figures if one["what"] == "count" and one["engine"] == engine]
            same = [one for one in found if one["corpus"] == f"{kind}-{max(_sizes(figures, kind), default=0)}"]
            if same:
                columns.append((f"{kind}, {engine}", same[0]))
    if not columns:
        return ""
    rows = [
        f"| {name} | " + " | ".join(f"{one['table_bytes'][table] / one['n_tokens']:.4f}" for _, one in columns) + " |"
        for table, name in _TABLES.items()
    ]
    head = " | ".join(f"{name}, {one['n_tokens'] / 1e6:.0f} M tokens" for name, one in columns)
    return (
        "## Bytes for each token\n\nOf each raw table in the lake. Counted tables and sums are bounded by the "
        "vocabulary: their share falls as a corpus grows. Both engines write the same bytes.\n\n"
        f"| table | {head} |\n|---|{'---|' * len(columns)}\n" + "\n".join(rows)
    )
