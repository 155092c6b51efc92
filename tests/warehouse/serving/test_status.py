"""Status: true on every partial home, and every complaint comes with a command."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from typer.testing import CliRunner

from support.homes.handmade import CORPUS, make_marts, write_rows
from warehouse.base.settings import Home
from warehouse.build import build_record
from warehouse.cli import app
from warehouse.counting.inputs import find_inputs
from warehouse.counting.options import CountOptions
from warehouse.lake.connections import open_writer, writer_lock
from warehouse.lake.files import point_to_count, write_table
from warehouse.lake.schemas import SCHEMAS
from warehouse.serving.publish import publish
from warehouse.serving.status import status


def ingested(home: Home, shard: str, docs: dict[int, tuple[str, int]]) -> None:
    """Record a file of documents given as {doc_id: (language, tokens)}, one of its lines rejected."""
    write_rows(home, "corpora", [{"corpus": CORPUS, "tokenizer_name": "small"}], corpus=CORPUS)
    rows = [
        {"corpus": CORPUS, "shard_id": shard, "doc_id": d, "lang": lg, "n_tokens": n} for d, (lg, n) in docs.items()
    ]
    write_rows(home, "documents", rows, name=shard, corpus=CORPUS)
    source = {"corpus": CORPUS, "shard_id": shard, "source_file": shard, "n_docs": len(docs), "n_rejects": 1}
    write_rows(home, "source_files", [source], name=shard, corpus=CORPUS)
    reject = {"corpus": CORPUS, "shard_id": shard, "step": "ingest", "source_file": shard, "reason": "no text"}
    write_rows(home, "rejects", [reject], name=shard, corpus=CORPUS)


def with_words(home: Home) -> None:
    write_rows(
        home, "words", [{"word_id": 1, "lang": "en", "word": "water"}, {"word_id": 2, "lang": "fr", "word": "eau"}]
    )
    write_rows(
        home,
        "translation_items",
        [{"item_id": 9, "lang": "en", "word_id": 1}, {"item_id": 9, "lang": "fr", "word_id": 2}],
    )


def counted(home: Home, shards: list[str], options: CountOptions | None = None) -> None:
    count_id = "-".join(shards)
    now = datetime(2026, 1, 2, tzinfo=UTC)
    run = {"run_id": f"count-{count_id}", "kind": "count", "corpus": CORPUS, "started_at": now, "finished_at": now}
    write_rows(home, "runs", [{**run, "inputs": json.dumps(find_inputs(home, CORPUS).hashes())}], name=run["run_id"])
    row = {"corpus": CORPUS, "count_id": count_id, "unit": "document", "n_units": 3, "run_id": run["run_id"]}
    row["options"] = json.dumps((options or CountOptions()).as_dict())
    filled = [{column: row.get(column) for column in SCHEMAS["counts"].names}]
    path = home.lake / "counts" / CORPUS / count_id / "counts.parquet"
    write_table(path, "counts", pa.Table.from_pylist(filled, schema=SCHEMAS["counts"]))
    point_to_count(home, CORPUS, count_id)


def built(
    home: Home,
    invocation: str = "i-1",
    statuses: tuple[str, ...] = ("success", "pass", "warn"),
    models: tuple[str, ...] = ("pivots", "scores"),
    read_runs: tuple[str, ...] = ("pivots",),
) -> None:
    """Leave what a dbt build leaves: marts, its results, and the graph raw -> pivots -> scores <- raw.word_scores.

    A view on the scores is run by no build of parts.
    """
    make_marts(home)
    ran = [{"status": "success", "unique_id": f"model.semantic_pivots.{name}"} for name in models]
    results = ran + [{"status": s, "unique_id": f"test.semantic_pivots.node_{s}"} for s in statuses]
    metadata = {"invocation_id": invocation, "generated_at": "2026-01-02T03:04:05Z", "dbt_version": "1.11.16"}
    sources = {f"source.semantic_pivots.raw.{table}": {"name": table} for table in SCHEMAS}
    children = {name: ["model.semantic_pivots.pivots"] for name in sources}
    children["source.semantic_pivots.raw.runs"] = [f"model.semantic_pivots.{name}" for name in read_runs]
    children["source.semantic_pivots.raw.word_scores"] = ["model.semantic_pivots.scores"]
    children["model.semantic_pivots.pivots"] = ["model.semantic_pivots.scores", "test.semantic_pivots.node_pass"]
    children["model.semantic_pivots.scores"] = ["model.semantic_pivots.scores_in_time"]
    kinds = {"pivots": "table", "scores": "table", "scores_in_time": "view"}
    nodes = {f"model.semantic_pivots.{name}": {"config": {"materialized": kind}} for name, kind in kinds.items()}
    home.dbt_target.mkdir(parents=True, exist_ok=True)
    (home.dbt_target / "run_results.json").write_text(json.dumps({"metadata": metadata, "results": results}))
    (home.dbt_target / "manifest.json").write_text(
        json.dumps({"sources": sources, "child_map": children, "nodes": nodes})
    )
    build_record.record_build(home, build_record.lake_state(home))


def fixes(home: Home) -> list[str]:
    return [entry["fix"] for entry in status(home)["stale"]]


def test_a_home_that_does_not_exist_is_described_and_not_created(tmp_path: Path) -> None:
    home = Home(tmp_path / "none")
    described = status(home)
    assert described["corpora"] == described["exports"] == described["rejects"] == []
    assert [entry["what"] for entry in described["stale"]] == ["corpus", "word list"]
    assert not home.root.exists()


def test_every_step_is_asked_for_in_turn_until_nothing_is_stale(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ingested(home, "s1", {1: ("en", 10), 2: ("fr", 30), 3: ("en", 5)})
    assert fixes(home) == ["pivots words import FILE", f"pivots count --corpus {CORPUS}"]
    with_words(home)
    assert fixes(home) == [f"pivots count --corpus {CORPUS}"]
    counted(home, ["s1"])
    assert fixes(home) == ["pivots build"]
    built(home)
    assert fixes(home) == ["pivots publish"]
    publish(home)
    assert fixes(home) == ["pivots report"]
    home.report_file.write_text('<html><head><meta name="pivots-published" content="1"></head></html>')
    assert fixes(home) == []


def test_what_exists(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ingested(home, "s1", {1: ("en", 10), 2: ("fr", 30), 3: ("en", 5)})
    ingested(home, "s2", {3: ("en", 6), 4: ("zh", 7)})
    write_rows(
        home, "superseded_documents", [{"corpus": CORPUS, "shard_id": "s1", "doc_id": 3}], corpus=CORPUS, name="state"
    )
    with_words(home)
    counted(home, ["s1", "s2"])
    export = {"export_id": "e1", "corpus": CORPUS, "strategy": "original", "budget_tokens": 50}
    write_rows(
        home, "exports", [{**export, "lang": lang, "n_docs": 1, "n_tokens": 20} for lang in ("en", "fr")], name="e1"
    )
    described = status(home)
    (corpus,) = described["corpora"]
    assert (corpus["n_files"], corpus["n_docs"], corpus["n_tokens"], corpus["n_rejects"]) == (2, 5, 53, 2)
    assert corpus["languages"] == [
        {"lang": "fr", "n_docs": 1, "n_tokens": 30},
        {"lang": "en", "n_docs": 2, "n_tokens": 16},
        {"lang": "zh", "n_docs": 1, "n_tokens": 7},
    ]
    assert corpus["count"]["is_current"]
    assert described["words"] == {"n_items": 1, "n_words_by_lang": {"en": 1, "fr": 1}}
    assert described["rejects"] == [{"corpus": CORPUS, "step": "ingest", "reason": "no text", "n": 2}]
    assert [(e["n_tokens"], e["exists"]) for e in described["exports"]] == [(40, False)]
    assert described["runs"][0]["kind"] == "count"


def test_new_documents_make_counts_and_then_marts_stale(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ingested(home, "s1", {1: ("en", 10)})
    with_words(home)
    counted(home, ["s1"], CountOptions(unit="window", window_tokens=512))
    built(home)
    publish(home)
    ingested(home, "s2", {2: ("fr", 10)})
    # not with the default options: they would count something else
    again = f"pivots count --corpus {CORPUS} --unit window --window-tokens 512"
    assert fixes(home)[:2] == [again, "pivots build"]
    counted(home, ["s1", "s2"])
    assert fixes(home)[0] == "pivots build"
    built(home, "i-2")
    assert fixes(home)[0] == "pivots publish"


def test_an_export_makes_nothing_stale(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ingested(home, "s1", {1: ("en", 10)})
    with_words(home)
    counted(home, ["s1"])
    built(home)
    before = fixes(home)
    write_rows(
        home,
        "exports",
        [{"export_id": "e1", "corpus": CORPUS, "strategy": "original", "n_docs": 1, "n_tokens": 2}],
        name="e1",
    )
    now = datetime(2026, 1, 2, tzinfo=UTC)
    write_rows(home, "runs", [{"run_id": "export-1", "kind": "export", "finished_at": now}], name="export-1")
    assert fixes(home) == before


def test_a_build_of_some_models_has_seen_only_what_it_read_in_full(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ingested(home, "s1", {1: ("en", 10)})
    with_words(home)
    counted(home, ["s1"])
    built(home)
    write_rows(home, "word_scores", [{"run_id": "score-1"}], name="score-1")
    write_rows(home, "planted_concepts", [{"corpus": CORPUS}], corpus=CORPUS)
    assert build_record.changed_since_build(home) == ["planted_concepts", "word_scores"]
    built(home, "i-2", models=("scores",))
    assert build_record.changed_since_build(home) == ["planted_concepts"]
    built(home, "i-3")
    assert build_record.changed_since_build(home) == []


def test_an_experiment_leaves_nothing_stale(tmp_path: Path) -> None:
    """Its runs are recorded between the whole build and that of the results, which leaves out a view on them."""
    home = Home(tmp_path)
    ingested(home, "s1", {1: ("en", 10)})
    with_words(home)
    counted(home, ["s1"])
    built(home)
    for kind in ("train", "score", "trace", "held_out"):
        write_rows(home, "runs", [{"run_id": f"{kind}-1", "kind": kind, "experiment": "e"}], name=f"{kind}-1")
    write_rows(home, "word_scores", [{"run_id": "score-1"}], name="score-1")
    assert build_record.changed_since_build(home) == ["runs", "word_scores"]
    built(home, "i-2", models=("scores",), read_runs=("scores",))
    assert build_record.changed_since_build(home) == []


def test_a_failed_build_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ingested(home, "s1", {1: ("en", 10)})
    with_words(home)
    counted(home, ["s1"])
    built(home, statuses=("success", "fail"))
    described = status(home)
    assert described["build"]["not_passed"] == ["node_fail"]
    assert described["stale"][0]["fix"] == "pivots build"


def test_status_never_waits_for_a_writer(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ingested(home, "s1", {1: ("en", 10)})
    with writer_lock(home), open_writer(home):
        assert status(home)["corpora"]


def test_the_command_prints_text_and_json(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ingested(home, "s1", {1: ("en", 10), 2: ("fr", 30)})
    text = CliRunner().invoke(app, ["status", "--home", str(tmp_path)], catch_exceptions=False).stdout
    assert "1 no text (ingest, demo)" in text
    assert "pivots count" in text
    printed = CliRunner().invoke(app, ["status", "--json", "--home", str(tmp_path)], catch_exceptions=False).stdout
    assert json.loads(printed) == status(home)
