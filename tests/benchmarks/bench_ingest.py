"""How fast text becomes raw tables: against the same with `tokenizers`, and against dolma and datatrove.

    PYTHONPATH=.:tests python -m benchmarks.bench_ingest [--threads 2] [--rounds 3] [--copies 3] [--dolma PYTHON]
        [--datatrove PYTHON]

PYTHON is the interpreter of an environment of its own that has the tool (DOLMA_PYTHON, DATATROVE_PYTHON): their pins
exclude ours. Without one the page leaves the tool out and says so. A round runs every engine once; rounds are kept in
the scratch folder with the hash of the measured sources, so that they can be made one at a time. Prints the figures and
rewrites docs/benchmarks/ingest.md.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from support.places import PROJECT

PAGE = PROJECT / "docs" / "benchmarks" / "ingest.md"
SHARED_DATA = PROJECT.parent / "shared" / "data"
PLANTED_TOKENIZER = PROJECT / "ml" / "base_model" / "tokenizer.json"
PACKAGES = ("gigatoken", "tokenizers", "numba", "numpy", "pyarrow", "zstandard")
ENGINES = ("gigatoken", "tokenizers")
GOAL_RATE, GOAL_RATIO = 20, 8


def main() -> None:
    arguments = parse()
    os.environ["PIVOTS_THREADS"] = str(arguments.threads)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: arguments.threads])
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    given = prepare(arguments.scratch, arguments.copies)
    for _ in range(arguments.rounds):
        measure_round(arguments, given)
    found = kept(arguments.scratch)
    if not found["rounds"]:
        sys.exit("nothing was measured with these sources: give --rounds 1 or more")
    if arguments.profile or "profile" not in found:
        keep(arguments.scratch, {"profile": {e: profile(arguments.scratch, given, e) for e in ENGINES}})
        found = kept(arguments.scratch)
    text = page(arguments, given, found)
    print(text)
    if not arguments.dry_run:
        PAGE.write_text(text, encoding="utf-8")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="processes and cores of every engine")
    parser.add_argument("--rounds", type=int, default=3, help="rounds to add; 0 only writes the page")
    parser.add_argument("--copies", type=int, default=3, help="copies of the corpora, with ids of their own")
    for tool in ("dolma", "datatrove"):
        default = os.environ.get(f"{tool.upper()}_PYTHON")
        parser.add_argument(f"--{tool}", type=Path, metavar="PYTHON", default=Path(default) if default else None)
    parser.add_argument("--scratch", type=Path, default=PROJECT / "build" / "bench-ingest", help="files and figures")
    parser.add_argument("--profile", action="store_true", help="measure the profile again")
    parser.add_argument("--dry-run", action="store_true", help="do not rewrite the page")
    return parser.parse_args()


def prepare(scratch: Path, copies: int) -> dict[str, Any]:
    """Make the files and return where they are, with which tokenizer and words, and what they hold."""
    described = scratch / "files.json"
    if described.exists():
        given = json.loads(described.read_text())
        if given["copies"] == copies:
            return given
    files = scratch / "files"
    files.mkdir(exist_ok=True)
    for path in files.iterdir():
        path.unlink()
    given = real_files(files, copies) if SHARED_DATA.exists() else planted_files(scratch, files, copies)
    described.write_text(json.dumps(given | {"files": str(files), "copies": copies}))
    return json.loads(described.read_text())


def real_files(files: Path, copies: int) -> dict[str, Any]:
    import zstandard

    n_bytes = n_docs = 0
    sources = [f for folder in ("pydocs", "pydocs_bilingual") for f in (SHARED_DATA / "corpora" / folder).iterdir()]
    for source in sorted(sources):
        lines = zstandard.ZstdDecompressor().stream_reader(source.read_bytes()).read().splitlines()
        records = [json.loads(line) for line in lines]
        for copy in range(copies):
            named = [record | {"id": f"{copy}/{record['id']}"} for record in records]
            content = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in named).encode()
            (files / f"{source.parent.name}-{copy}-{source.name}").write_bytes(zstandard.compress(content))
            n_bytes += sum(len(record["text"].encode()) for record in named)
            n_docs += len(named)
    return {
        "what": f"Python documentation in English, French, Chinese and Japanese and side by side, {copies} copies",
        "n_bytes": n_bytes,
        "n_docs": n_docs,
        "tokenizer": str(SHARED_DATA / "tokenizers" / "olmo.json"),
        "words": str(SHARED_DATA / "words" / "clwtd.jsonl.zst"),
    }


def planted_files(scratch: Path, files: Path, copies: int) -> dict[str, Any]:
    from warehouse.ingest.readers import dolma
    from warehouse.planted.plant import plant_corpus

    plant_corpus(scratch / "planted", scale=10.0 * copies, seed=0, setting="long_documents")
    n_bytes = n_docs = 0
    for path in sorted((scratch / "planted" / "documents").iterdir()):
        for piece in dolma.pieces(path):
            texts = dolma.parse(piece).texts
            n_bytes, n_docs = n_bytes + sum(len(text.encode()) for text in texts), n_docs + len(texts)
        (files / path.name).hardlink_to(path)
    return {
        "what": "a planted corpus of long documents",
        "n_bytes": n_bytes,
        "n_docs": n_docs,
        "tokenizer": str(PLANTED_TOKENIZER),
        "words": str(scratch / "planted" / "words.jsonl"),
    }


def measure_round(arguments: argparse.Namespace, given: dict[str, Any]) -> None:
    """Run every engine once, each as a command from its cold start to its end."""
    from benchmarks.support import ingest_engines as engines

    scratch = arguments.scratch
    engines.clear(scratch, Path(given["words"]))
    commands = engines.commands(
        scratch, Path(given["files"]), Path(given["tokenizer"]), arguments.threads, arguments.dolma, arguments.datatrove
    )
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    figures = {}
    for name, command in commands.items():
        is_ours = name in (engines.OURS, engines.REFERENCE)
        with (scratch / "engine.log").open("w") as log:
            start = time.perf_counter()
            finished = subprocess.run(
                command, env=environment if is_ours else others(environment), stdout=log, stderr=log, check=False
            )
            seconds = time.perf_counter() - start
        if finished.returncode:
            sys.exit(f"{name} failed: see {scratch / 'engine.log'}")
        figures[name] = {"seconds": seconds, "tokens": engines.n_tokens(scratch, name), "load": os.getloadavg()[0]}
        print(f"{name}: {seconds:.1f} s, {figures[name]['tokens']:,} tokens", file=sys.stderr)
    keep(scratch, {"rounds": [*kept(scratch)["rounds"], figures]})


def others(environment: dict[str, str]) -> dict[str, str]:
    """Return what other tools are run with: without our sources on their path."""
    return {name: value for name, value in environment.items() if name != "PYTHONPATH"}


def profile(scratch: Path, given: dict[str, Any], engine: str) -> dict[str, float]:
    """Return nanoseconds per byte of text by stage, in one process that has read one file before."""
    from benchmarks.support import ingest_stages

    return ingest_stages.stages(scratch, given, engine)


def sources_hash() -> str:
    """Return what identifies the measured code."""
    from warehouse.contract.hashing import file_hash, short_hash

    names = ("documents", "ingest", "ingest_files", "matching", "parallel", "shards", "token_places", "tokenizing")
    paths = [PROJECT / "warehouse" / f"{name}.py" for name in (*names, "word_trie")]
    return short_hash([file_hash(path) for path in (*paths, *sorted((PROJECT / "warehouse" / "readers").glob("*.py")))])


def kept(scratch: Path) -> dict[str, Any]:
    """Return what was measured with these sources."""
    path = scratch / "figures.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    return found if found.get("sources") == sources_hash() else {"rounds": [], "sources": sources_hash()}


def keep(scratch: Path, figures: dict[str, Any]) -> None:
    (scratch / "figures.json").write_text(json.dumps(kept(scratch) | figures))


def page(arguments: argparse.Namespace, given: dict[str, Any], found: dict[str, Any]) -> str:
    from benchmarks.support import ingest_engines as engines

    rounds, ours = found["rounds"], engines.OURS
    names = [name for name in rounds[-1] if all(name in r for r in rounds)]
    medians = {name: statistics.median(r[name]["seconds"] for r in rounds) for name in names}
    ratios = {name: statistics.median(r[name]["seconds"] / r[ours]["seconds"] for r in rounds) for name in names}
    megabytes = given["n_bytes"] / 1e6
    rate, ratio = megabytes / medians[ours], ratios[engines.REFERENCE]
    lines = [
        "# Ingest",
        "",
        f"Made by `PYTHONPATH=.:tests python -m benchmarks.bench_ingest"
        f" --threads {arguments.threads} --copies {given['copies']}` on"
        f" {machine()}; every engine has {arguments.threads} processes on the same {arguments.threads} cores."
        f" Versions: {versions(arguments)}.",
        "",
        f"Files: {given['what']}: {given['n_docs']:,} documents, {megabytes:,.0f} MB of text, as zstd-compressed JSON"
        " lines. Every engine is one command, from a cold start to files that are written. pivots checks, identifies,"
        " tokenises, matches words and writes raw tables; dolma and datatrove tokenise and write ids. Medians of"
        f" {len(rounds)} rounds; ratios are of the same round.",
        "",
        "| engine | seconds | MB of text/s | ours is faster by | token ids |",
        "|---|---|---|---|---|",
    ]
    for name in names:
        by = "" if name == ours else f"{ratios[name]:.1f} ×"
        tokens = rounds[-1][name]["tokens"]
        lines.append(f"| {name} | {medians[name]:.1f} | {megabytes / medians[name]:.1f} | {by} | {tokens:,} |")
    absent = [name for name in ("dolma", "datatrove") if name not in names]
    notes = [f"{' and '.join(absent)} {'was' if len(absent) == 1 else 'were'} not installed."] if absent else []
    notes.append("Separators are counted; dolma strips each text before it is encoded.")
    lines += ["", " ".join(notes), "", "## What bounds it", ""]
    lines += [
        f"{rate:.1f} MB/s on {arguments.threads} cores, wanted {GOAL_RATE}; {ratio:.1f} × the same with `tokenizers`,"
        f" wanted {GOAL_RATIO} ×.",
        "",
        *profile_table(found["profile"]),
        *bounds(found["profile"], given["n_bytes"] / arguments.threads, medians[ours]),
    ]
    return "\n".join(lines).rstrip() + "\n"


def profile_table(profiles: dict[str, dict[str, float]]) -> list[str]:
    ours, reference = (Counter(profiles[engine]) for engine in ENGINES)
    lines = [
        "One process that is warm, one copy of the files, no result sent between processes; processor time per byte of"
        " text:",
        "",
        "| stage | ns/byte with gigatoken | with `tokenizers` |",
        "|---|---|---|",
    ]
    slowest_first = sorted(ours, key=lambda stage: -ours[stage])
    lines += [f"| {stage} | {ours[stage]:.1f} | {reference[stage]:.1f} |" for stage in slowest_first]
    return [*lines, f"| all | {ours.total():.1f} | {reference.total():.1f} |", ""]


def bounds(profiles: dict[str, dict[str, float]], bytes_of_process: float, seconds: float) -> list[str]:
    """Say what the profile means for the goals, and what the whole command does beside the work."""
    ours, reference = (Counter(profiles[engine]) for engine in ENGINES)
    beside = ours.total() - ours["encoding"]
    allowed = (reference["encoding"] - GOAL_RATIO * ours["encoding"]) / (GOAL_RATIO - 1)
    work = ours.total() * bytes_of_process / 1e9
    return [
        f"The work itself is {reference.total() / ours.total():.1f} × as fast as with `tokenizers`. All that is not"
        f" encoding costs {beside:.1f} ns/byte with either; an encoder that took no time would come to"
        f" {reference.total() / beside:.1f} ×, and {GOAL_RATIO} × with this one needs {allowed:.1f} ns/byte.",
        "",
        f"At these figures the work takes {work:.1f} s of the command's {seconds:.1f} s. The rest is the same for a"
        " corpus of any size, but for rows that are sent between processes: Python, the tokenizer, the words and"
        " compiled kernels are loaded by every process, and the last files keep one of them waiting. On a larger corpus"
        " both ratios above come closer to that of the work.",
    ]


def machine() -> str:
    names = {"x86_64": "x86-64"}
    return f"a {os.cpu_count()}-core {names.get(platform.machine(), platform.machine())} machine"


def versions(arguments: argparse.Namespace) -> str:
    listed = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    for tool in ("dolma", "datatrove"):
        python = getattr(arguments, tool)
        if python:
            query = f"import importlib.metadata as m; print(m.version('{tool}'), m.version('tokenizers'))"
            version, tokenizers = subprocess.check_output([str(python), "-c", query], text=True).split()
            listed.append(f"{tool} {version} (tokenizers {tokenizers})")
    return ", ".join([f"Python {platform.python_version()}", *listed])


if __name__ == "__main__":
    main()
