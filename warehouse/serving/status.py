"""What a home holds, what is stale, and the command that fixes it. Reads files only: it never waits for a writer."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.base.settings import Home
from warehouse.build import build_record
from warehouse.counting.inputs import find_inputs
from warehouse.counting.options import CountOptions
from warehouse.lake.connections import open_memory
from warehouse.lake.corpora import read_corpora
from warehouse.lake.files import read_table, shard_path
from warehouse.lake.flow_records import FAILED, flow_records
from warehouse.lake.inbox import inbox_folders
from warehouse.lake.raw_views import raw_views
from warehouse.serving.publish import build_invocation, read_manifest

_REPORT_HEAD_BYTES = 4096


def status(home: Home) -> dict[str, Any]:
    """Describe a home, however little of it exists.

    Returns:
        home, corpora, words, rejects, build, exports, runs, published, report, inbox, flows, and attention and stale:
        lists of {what, why, fix}, the latter in the order in which to fix them. Everything is ready for JSON.
    """
    described: dict[str, Any] = {
        "home": str(home.root),
        "corpora": corpora(home),
        "words": words(home),
        "rejects": rejects(home),
        "build": build(home),
        "exports": exports(home),
        "runs": runs(home),
        "published": published(home),
        "report": report(home),
        "inbox": inbox(home),
        "flows": [asdict(record) for record in flow_records(home)],
    }
    described["attention"] = attention(home, described)
    described["stale"] = stale(home, described)
    return described


def corpora(home: Home) -> list[dict[str, Any]]:
    """Return what is ingested and counted, one entry per corpus, by name."""
    source_files = read_table(home, "source_files").to_pylist()
    counts = {row["corpus"]: row for row in read_table(home, "counts").to_pylist()}
    languages = _languages(home)
    described = []
    for corpus, registered in read_corpora(home).items():
        files = [f for f in source_files if f["corpus"] == corpus]
        count = counts.get(corpus)
        described.append(
            {
                "corpus": corpus,
                "tokenizer": registered.tokenizer_name,
                "n_files": len(files),
                "n_docs": sum(f["n_docs"] for f in files),
                "n_tokens": sum(by["n_tokens"] for by in languages.get(corpus, [])),
                "n_rejects": sum(f["n_rejects"] for f in files),
                "languages": languages.get(corpus, []),
                "count": count
                and {
                    "count_id": count["count_id"],
                    "unit": count["unit"],
                    "n_units": count["n_units"],
                    "arguments": CountOptions.from_stored(count["options"]).as_arguments(),
                    "is_current": _count_is_current(home, corpus, count["run_id"]),
                },
            }
        )
    return described


def words(home: Home) -> dict[str, Any]:
    """Return the size of the word list: items, and words by language."""
    by_lang: dict[str, int] = {}
    for lang in read_table(home, "words", columns=["lang"])["lang"].to_pylist():
        by_lang[lang] = by_lang.get(lang, 0) + 1
    items = set(read_table(home, "translation_items", columns=["item_id"])["item_id"].to_pylist())
    return {"n_items": len(items), "n_words_by_lang": dict(sorted(by_lang.items()))}


def rejects(home: Home) -> list[dict[str, Any]]:
    """Return how many records could not be used, by corpus, step and reason, most first."""
    table = read_table(home, "rejects", columns=["corpus", "step", "reason"])
    if not table.num_rows:
        return []  # at once: pyarrow imports pandas to group
    counted = table.group_by(["corpus", "step", "reason"]).aggregate([([], "count_all")]).to_pylist()
    rows = [{**{k: row[k] for k in ("corpus", "step", "reason")}, "n": row["count_all"]} for row in counted]
    return sorted(rows, key=lambda row: (-row["n"], row["corpus"] or "", row["step"], row["reason"]))


def build(home: Home) -> dict[str, Any] | None:
    """Return the last dbt invocation with how many nodes ended in each status, or None."""
    invocation = build_invocation(home)
    if invocation is None:
        return None
    results = json.loads((home.dbt_target / "run_results.json").read_text())["results"]
    statuses: dict[str, int] = {}
    for result in results:
        statuses[result["status"]] = statuses.get(result["status"], 0) + 1
    warned = [r["unique_id"].split(".")[2] for r in results if r["status"] in ("warn", "error", "fail")]
    return {**invocation, "statuses": dict(sorted(statuses.items())), "not_passed": sorted(warned)}


def exports(home: Home) -> list[dict[str, Any]]:
    """Return the exported selections, one entry each, with whether the folder is still there."""
    made: dict[str, dict[str, Any]] = {}
    for row in read_table(home, "exports").to_pylist():
        entry = made.setdefault(
            row["export_id"],
            {k: row[k] for k in ("export_id", "corpus", "strategy", "budget_tokens")}
            | {"n_docs": 0, "n_tokens": 0, "exists": (home.exports / row["export_id"]).exists()},
        )
        entry["n_docs"] += row["n_docs"]
        entry["n_tokens"] += row["n_tokens"]
    return sorted(made.values(), key=lambda entry: (entry["corpus"], entry["strategy"], entry["export_id"]))


def runs(home: Home) -> list[dict[str, Any]]:
    """Return how many runs of each kind are recorded, and when the last one finished."""
    table = read_table(home, "runs", columns=["kind", "experiment", "finished_at"])
    # seconds as numbers: for timestamps, as for groups, pyarrow imports pandas
    seconds = table["finished_at"].cast(pa.timestamp("s", "UTC"), safe=False).cast(pa.int64()).to_pylist()
    finished: dict[tuple[str, str | None], list[int]] = {}
    for kind, experiment, second in zip(
        table["kind"].to_pylist(), table["experiment"].to_pylist(), seconds, strict=True
    ):
        finished.setdefault((kind, experiment), []).append(second)
    rows = [
        {
            "kind": kind,
            "experiment": experiment,
            "n": len(times),
            "last_finished_at": datetime.fromtimestamp(max(times), UTC).isoformat(),
        }
        for (kind, experiment), times in finished.items()
    ]
    return sorted(rows, key=lambda row: (row["experiment"] or "", row["last_finished_at"]))


def published(home: Home) -> dict[str, Any] | None:
    """Return what readers see now, or None."""
    manifest = read_manifest(home)
    if manifest is None:
        return None
    tables = manifest["tables"]
    return {
        "number": manifest["number"],
        "published_at": manifest["published_at"],
        "n_tables": len(tables),
        "n_rows": sum(table["n_rows"] for table in tables.values()),
        "built_from": manifest["built_from"],
        "build": manifest["build"],
    }


def report(home: Home) -> dict[str, Any] | None:
    """Return which published copy the report shows, or None when there is no report in its usual place."""
    if not home.report_file.exists():
        return None
    head = home.report_file.open(encoding="utf-8", errors="replace").read(_REPORT_HEAD_BYTES)
    _, found, rest = head.partition('<meta name="pivots-published" content="')
    number = rest.partition('"')[0]
    return {"file": str(home.report_file), "published_number": int(number) if found and number.isdigit() else None}


def inbox(home: Home) -> list[dict[str, Any]]:
    """Return the corpora of the inbox with how many of their files are not in the warehouse, by name and size."""
    return [
        {"corpus": one.corpus, "n_new_files": one.n_new_files, "is_new": one.tokenizer is None}
        for one in inbox_folders(home)
    ]


def attention(home: Home, described: dict[str, Any]) -> list[dict[str, str]]:
    """Return what kept flows from their work, with what to do: {what, why, fix}."""
    found = [
        {
            "what": f"flow {flow['flow']}",
            "why": f"failed {flow['ended_at'][:16].replace('T', ' ')} UTC: {flow['message']}",
            "fix": f"look at {home.prefect / 'worker.log'}",
        }
        for flow in described["flows"]
        if flow["state"] == FAILED
    ]
    for one in described["inbox"]:
        if one["is_new"]:
            first = f"pivots ingest {home.inbox / one['corpus']} --corpus {one['corpus']} --tokenizer FILE"
            why = "a corpus that is new needs a tokenizer once"
            found.append({"what": f"inbox/{one['corpus']}", "why": why, "fix": first})
    return found


def stale(home: Home, described: dict[str, Any]) -> list[dict[str, str]]:
    """Return what is missing or older than what it is made from, with the command that fixes it, in working order."""
    found: list[dict[str, str]] = []

    def note(what: str, why: str, fix: str) -> None:
        found.append({"what": what, "why": why, "fix": fix})

    if not described["corpora"]:
        note("corpus", "nothing is ingested", "pivots ingest PATH --corpus NAME --tokenizer FILE")
    if not described["words"]["n_items"]:
        note("word list", "no words are imported", "pivots words import FILE")
    for corpus in described["corpora"]:
        count, name = corpus["count"], corpus["corpus"]
        if count is None:
            note(f"counts of {name}", "never counted", f"pivots count --corpus {name}")
        elif not count["is_current"]:
            again = f"pivots count --corpus {name}{count['arguments']}"  # the same count, not one with the defaults
            note(f"counts of {name}", "documents or words have changed since", again)
    if not any(corpus["count"] for corpus in described["corpora"]):
        return found  # the rest cannot exist yet, and saying so would only hide the first step
    changed = build_record.changed_since_build(home)
    built = described["build"]
    if build_record.built_state(home) is None:
        note("marts", "never built in whole", "pivots build")
    elif changed:
        note("marts", f"changed since the last build: {', '.join(changed)}", "pivots build")
    elif built and (failed := sum(built["statuses"].get(s, 0) for s in ("error", "fail"))):
        note("marts", f"{failed} models or tests failed in the last build", "pivots build")
    elif build_record.is_build_unfinished(home):
        note("marts", "the last build did not finish", "pivots build")
    if built is None:
        return found
    shown = described["published"]
    if shown is None:
        note("published copy", "nothing is published", "pivots publish")
        return found
    if shown["build"] != build_invocation(home):
        note("published copy", f"copy {shown['number']} is older than the last build", "pivots publish")
    if described["report"] is None:
        note("report", "never written", "pivots report")
    elif described["report"]["published_number"] != shown["number"]:
        note("report", f"it does not show published copy {shown['number']}", "pivots report")
    return found


def _languages(home: Home) -> dict[str, list[dict[str, Any]]]:
    """Return documents and tokens by corpus and language, largest language first."""
    with open_memory() as connection:
        connection.execute("create schema raw")
        for table, query, _ in raw_views(home, ("superseded_documents", "documents")):
            connection.execute(f"create view raw.{table} as {query}")
        rows = connection.execute(
            "select corpus, lang, count(*), sum(n_tokens)::bigint from raw.documents group by all order by 1, 4 desc, 2"
        ).fetchall()
    by_corpus: dict[str, list[dict[str, Any]]] = {}
    for corpus, lang, n_docs, n_tokens in rows:
        by_corpus.setdefault(corpus, []).append({"lang": lang, "n_docs": n_docs, "n_tokens": n_tokens})
    return by_corpus


def _count_is_current(home: Home, corpus: str, run_id: str) -> bool:
    """Return whether a count has seen exactly what the corpus holds now: its run names the hashes of all its inputs."""
    recorded = shard_path(home, "runs", run_id)
    if not recorded.exists():
        return False
    (inputs,) = pq.ParquetFile(recorded).read(columns=["inputs"])["inputs"].to_pylist()
    return json.loads(inputs) == find_inputs(home, corpus).hashes()
