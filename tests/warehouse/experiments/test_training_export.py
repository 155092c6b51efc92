import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.experiments import training_export
from warehouse.experiments.training_export import HELD_OUT, export_selection, read_export
from warehouse.lake.connections import open_writer
from warehouse.lake.files import read_table, shard_path, write_table
from warehouse.lake.raw_views import refresh_raw_views
from warehouse.lake.schemas import SCHEMAS

TEXTS = {1: ("en", [5, 6, 7]), 2: ("fr", [8]), 3: ("en", [5, 5]), 4: ("fr", [9, 9, 9, 9]), 5: ("en", [7])}
HELD = {5}
SEPARATOR = 0
# (doc_id, the smallest budget that reaches it)
SELECTED = [(1, 1), (2, 1), (3, 7)]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with five documents, and the two marts that an export reads, made by hand."""
    home = Home(tmp_path / "home")
    documents = [
        {
            "corpus": "c",
            "shard_id": "s",
            "doc_id": doc,
            "lang": lang,
            "content_hash": doc * 11,
            "n_bytes": 4 * len(ids),
            "n_tokens": len(ids),
            "token_ids": ids,
        }
        for doc, (lang, ids) in TEXTS.items()
    ]
    corpora = [
        {"corpus": "c", "tokenizer_hash": "t", "tokenizer_name": "t", "vocab_size": 300, "eos_token_id": SEPARATOR}
    ]
    for table, rows in (("documents", documents), ("corpora", corpora)):
        write_table(shard_path(home, table, "s", corpus="c"), table, pa.Table.from_pylist(rows, schema=SCHEMAS[table]))
    (home.lake / "tokenizers").mkdir()
    (home.lake / "tokenizers" / "t.json").write_text('{"a": "tokenizer"}')
    with open_writer(home) as connection:
        refresh_raw_views(home, connection)
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.dim_documents as select corpus, doc_id, lang, n_tokens, content_hash,"
            f" doc_id in ({', '.join(map(str, HELD))}) as is_held_out from raw.documents"
        )
        connection.execute(
            "create table marts.fct_selected_documents as"
            " select 'c' as corpus, 'pivot_aware' as strategy, * from (values "
            + ", ".join(f"({doc}::bigint, {budget}::bigint)" for doc, budget in SELECTED)
            + ") as t(doc_id, min_budget_tokens)"
        )
    return home


def _documents_of(folder: Path) -> dict[int, tuple[str, list[int]]]:
    manifest = json.loads((folder / "manifest.json").read_text())
    found = {}
    for shard in manifest["shards"]:
        tokens = np.fromfile(folder / shard["tokens"], dtype=manifest["dtype"])
        assert len(tokens) == shard["n_tokens"]
        for row in pq.read_table(folder / shard["documents"]).to_pylist():
            ids = tokens[row["start"] : row["end"]].tolist()
            assert ids[-1] == SEPARATOR
            found[row["doc_id"]] = (row["lang"], ids[:-1])
    return found


def test_export_read_back_is_the_selection_token_for_token(home: Home) -> None:
    made = export_selection(home, corpus="c", strategy="pivot_aware", budget_tokens=None)
    assert _documents_of(made.folder) == {doc: TEXTS[doc] for doc, _ in SELECTED}
    assert made.manifest["tokens_by_lang"] == {"en": 7, "fr": 2}
    assert made.manifest["n_tokens"] == 9
    assert (made.folder / "tokenizer.json").read_text() == '{"a": "tokenizer"}'
    assert read_table(home, "exports").to_pylist()[0]["n_docs"] == 2
    assert read_table(home, "runs")["kind"].to_pylist() == ["export"]


def test_budget_cuts_where_the_mart_says(home: Home) -> None:
    smaller = export_selection(home, corpus="c", strategy="pivot_aware", budget_tokens=6)
    larger = export_selection(home, corpus="c", strategy="pivot_aware", budget_tokens=7)
    assert set(_documents_of(smaller.folder)) == {1, 2}
    assert set(_documents_of(larger.folder)) == {1, 2, 3}


def test_small_parts_hold_the_same_documents(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_export, "PART_TOKENS", 2)
    monkeypatch.setattr(training_export, "BATCH_DOCUMENTS", 1)
    made = export_selection(home, corpus="c", strategy="pivot_aware", budget_tokens=None)
    assert len(made.manifest["shards"]) > 1
    assert _documents_of(made.folder) == {doc: TEXTS[doc] for doc, _ in SELECTED}


def test_held_out_documents_are_exported_whatever_the_budget(home: Home) -> None:
    made = export_selection(home, corpus="c", strategy=HELD_OUT, budget_tokens=None)
    assert set(_documents_of(made.folder)) == HELD


def test_exporting_twice_gives_the_same_folder_and_bytes(home: Home) -> None:
    first = export_selection(home, corpus="c", strategy="pivot_aware", budget_tokens=None)
    before = {p.name: p.read_bytes() for p in first.folder.iterdir()}
    again = export_selection(home, corpus="c", strategy="pivot_aware", budget_tokens=None)
    assert again == first
    for file in first.folder.iterdir():
        file.unlink()
    first.folder.rmdir()
    export_selection(home, corpus="c", strategy="pivot_aware", budget_tokens=None)
    assert {p.name: p.read_bytes() for p in first.folder.iterdir()} == before


@pytest.mark.parametrize(
    ("corpus", "strategy", "message"),
    [
        ("nope", "pivot_aware", r"no corpus 'nope' .*there are c;"),
        ("c", "nope", r"no strategy 'nope' .*\(there are: pivot_aware, held_out\)"),
    ],
)
def test_impossible_requests_name_what_there_is(home: Home, corpus: str, strategy: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        export_selection(home, corpus=corpus, strategy=strategy, budget_tokens=None)


def test_budget_beyond_what_was_built_says_how_to_build_it(home: Home) -> None:
    (home.root / "build-vars.json").write_text('{"selection_budget_tokens": 5}')
    with pytest.raises(UsageError, match="pivots build --budget-tokens 6"):
        export_selection(home, corpus="c", strategy="pivot_aware", budget_tokens=6)


def test_a_corpus_without_held_out_documents_is_refused_before_anything_is_trained(home: Home) -> None:
    with open_writer(home) as connection:
        connection.execute("update marts.dim_documents set is_held_out = false")
    with pytest.raises(UsageError, match="held_out_share"):
        export_selection(home, corpus="c", strategy=HELD_OUT, budget_tokens=None)
    assert not home.exports.exists() or not list(home.exports.iterdir())


def test_unbuilt_marts_say_what_to_run(tmp_path: Path, home: Home) -> None:
    with open_writer(home) as connection:
        connection.execute("drop schema marts cascade")
    with pytest.raises(UsageError, match="pivots build"):
        export_selection(home, corpus="c", strategy="pivot_aware", budget_tokens=None)


def test_folder_without_manifest_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no manifest\.json"):
        read_export(tmp_path)
