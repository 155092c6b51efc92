"""The analysts' questions: right rows, in order, as SQL that `pivots sql` accepts."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import ibis
import pyarrow as pa
import pytest

from support.homes.handmade import CORPUS, published_home, write_rows
from warehouse.base.settings import Home
from warehouse.lake.connections import open_published_ibis
from warehouse.serving import queries
from warehouse.serving.excerpts import open_lake
from warehouse.serving.queries import corpus, layers, network, pivots, results, selection
from warehouse.serving.sql import query_table

EXPERIMENT = "experiment-1"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return published_home(tmp_path_factory.mktemp("queries"))


@pytest.fixture(scope="module")
def warehouse(home: Home) -> Iterator[Any]:
    with open_published_ibis(home) as backend:
        yield backend


ALL_QUERIES: dict[str, Callable[[Any], ibis.Table]] = {
    "corpora": queries.corpora,
    "corpus_languages": lambda w: queries.corpus_languages(w, CORPUS),
    "directions": lambda w: queries.directions(w, CORPUS),
    "pair_cooccurrence": lambda w: queries.pair_cooccurrence(w, CORPUS, "en", "fr", source_word="water"),
    "pivots_of_pair": lambda w: queries.pivots_of_pair(w, CORPUS, "water", "en", "fr"),
    "pivots_by_both_methods": lambda w: queries.pivots_by_both_methods(w, CORPUS, "water", "en", "fr"),
    "pivot_quality": lambda w: queries.pivot_quality(w, CORPUS),
    "pivot_sets": lambda w: queries.pivot_sets(w, CORPUS),
    "pivot_tokens": lambda w: queries.pivot_tokens(w, CORPUS, limit=5),
    "top_documents": lambda w: queries.top_documents(w, CORPUS, "fr", limit=3),
    "selection_summary": lambda w: queries.selection_summary(w, CORPUS),
    "selection_overlap": lambda w: queries.selection_overlap(w, CORPUS),
    "experiments": queries.experiments,
    "scores": lambda w: queries.scores(w, EXPERIMENT),
    "scores_by_direction": lambda w: queries.scores_by_direction(w, EXPERIMENT),
    "strategy_scores": lambda w: queries.strategy_scores(w, EXPERIMENT),
    "strategies": queries.strategies,
    "score_methods": queries.score_methods,
    "compare_strategies": lambda w: queries.compare_strategies(w, EXPERIMENT, "pivot_aware", "original"),
    "mean_deltas": lambda w: queries.mean_deltas(w, EXPERIMENT),
    "mean_deltas_by_class": lambda w: queries.mean_deltas_by_class(w, EXPERIMENT, "kind"),
    "layer_curve": lambda w: queries.layer_curve(w, EXPERIMENT, "pivot_aware"),
    "behaviour_counts": lambda w: queries.behaviour_counts(w, EXPERIMENT),
    "behaviour_auc": lambda w: queries.behaviour_auc(w, EXPERIMENT),
    "failure_signatures": queries.failure_signatures,
    "held_out_losses": lambda w: queries.held_out_losses(w, EXPERIMENT),
    "mean_layer_curves": lambda w: queries.mean_layer_curves(w, EXPERIMENT),
    "strongest_pairs": lambda w: queries.strongest_pairs(w, CORPUS),
    "behaviour_of_word": lambda w: queries.behaviour_of_word(w, EXPERIMENT, 1, "en", "fr"),
    "traced_words": lambda w: queries.traced_words(w, EXPERIMENT, CORPUS, "en", "fr"),
    "words_with_pivots": lambda w: queries.words_with_pivots(w, CORPUS, "en", "fr"),
    "runs": queries.runs,
    "compare_runs": lambda w: queries.compare_runs(w, "score-pivot_aware-0", "score-original-0"),
    "direction_scores": lambda w: queries.direction_scores(w, EXPERIMENT),
    "behaviour_roc": lambda w: queries.behaviour_roc(w, EXPERIMENT),
    "behaviours_by_frequency": lambda w: queries.behaviours_by_frequency(w, EXPERIMENT),
    "candidates_by_method": lambda w: queries.candidates_by_method(w, CORPUS, "water", "en", "fr", top_k=2),
    "pivot_network": lambda w: queries.pivot_network(w, CORPUS, n_pivots=3),
    "token_neighbours": lambda w: queries.token_neighbours(w, CORPUS, 1),
    "tokens_like": lambda w: queries.tokens_like(w, CORPUS, "Riv"),
}


@pytest.mark.parametrize("name", ALL_QUERIES)
def test_the_sql_of_a_query_gives_the_same_rows_by_hand(home: Home, warehouse: Any, name: str) -> None:
    expression = ALL_QUERIES[name](warehouse)
    rows = expression.to_pyarrow()
    assert rows.num_rows > 0
    assert query_table(home, str(ibis.to_sql(expression))).to_pylist() == rows.to_pylist()


def test_every_public_query_is_tried() -> None:
    public = {name for name in queries.__all__ if callable(getattr(queries, name))} - {
        "mart",
        "has_rows",
        "default_baseline",
        "default_pivot_set",
        "default_score_method",
    }
    rooms = (corpus, layers, network, pivots, results, selection)
    written = {name for room in rooms for name, thing in vars(room).items() if _is_question(room, thing)}
    assert written == public
    assert public - set(ALL_QUERIES) == {
        "documents_behind_pivot",
        "word_layer_traces",
        "planted_pivots",
        "rejects",
        "corpus_tokenizers",
        "current_counts",
        "declared_experiments",
    }


def _is_question(room: ModuleType, thing: Any) -> bool:
    return isinstance(thing, FunctionType) and thing.__module__ == room.__name__


def test_pivots_of_a_pair_are_ranked_and_cut(warehouse: Any) -> None:
    rows = queries.pivots_of_pair(warehouse, CORPUS, "water", "en", "fr", top_k=3).to_pyarrow().to_pylist()
    assert [(r["pivot_rank"], r["token"], r["target_word"]) for r in rows] == [
        (1, " river", "eau"),
        (2, " drink", "eau"),
        (3, " book", "eau"),
    ]


def test_both_methods_stand_side_by_side_also_when_one_is_shorter(tmp_path: Path) -> None:
    import duckdb

    from warehouse.serving.publish import publish

    home = published_home(tmp_path)
    with duckdb.connect(str(home.warehouse_file)) as connection:
        connection.execute(
            "delete from marts.fct_pivot_candidates"
            " where score_method = 'paper' and pivot_rank > 2 and source_word = 'water'"
        )
    publish(home)
    with open_published_ibis(home) as warehouse:
        rows = queries.pivots_by_both_methods(warehouse, CORPUS, "water", "en", "fr", top_k=3).to_pyarrow().to_pylist()
    assert [(r["pivot_rank"], r["adjusted_token"], r["paper_token"]) for r in rows] == [
        (1, " river", " <b>"),
        (2, " drink", " a"),
        (3, " book", None),
    ]


def test_candidates_of_any_method_are_found_in_every_method(warehouse: Any) -> None:
    rows = queries.candidates_by_method(warehouse, CORPUS, "water", "en", "fr", top_k=1).to_pyarrow().to_pylist()
    found = {(r["score_method"], r["pivot_rank"]): r["token"] for r in rows if r["item_id"] == rows[0]["item_id"]}
    assert (found["adjusted", 1], found["paper", 1]) == (" river", " <b>")
    for token in (" river", " <b>"):  # each is also known to the other methods, perhaps at a worse rank
        assert sum(name == token for name in found.values()) == 3


def test_two_runs_differ_word_by_word_the_largest_difference_first(warehouse: Any) -> None:
    found = queries.compare_runs(warehouse, "score-pivot_aware-0", "score-original-0", word_split="all")
    rows = found.to_pyarrow().to_pylist()
    sizes = [abs(row["score_delta"]) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    assert all(row["score_delta"] == row["score"] - row["baseline_score"] for row in rows)
    swapped = queries.compare_runs(warehouse, "score-original-0", "score-pivot_aware-0", word_split="all")
    assert [-row["score_delta"] for row in swapped.to_pyarrow().to_pylist()] == [row["score_delta"] for row in rows]
    judged = queries.compare_runs(warehouse, "score-pivot_aware-0", "score-original-0").count().to_pyarrow().as_py()
    assert 0 < judged < len(rows)


def test_a_network_joins_the_best_tokens_to_the_nearest_of_every_language(warehouse: Any) -> None:
    rows = queries.pivot_network(warehouse, CORPUS, n_pivots=2, per_lang=1).to_pyarrow().to_pylist()
    assert {r["rank"] for r in rows} == {1, 2}
    assert len({(r["token_id"], r["neighbour_lang"]) for r in rows}) == len(rows) > 2
    assert all(r["neighbour_lang"] for r in rows)


def test_words_are_cut_by_the_units_they_share_or_not_at_all(warehouse: Any) -> None:
    """The bands themselves are held to rows by hand in dbt (fct_behaviour_shares)."""
    whole = queries.behaviour_counts(warehouse, EXPERIMENT).to_pyarrow().to_pylist()
    cut = queries.behaviours_by_frequency(warehouse, EXPERIMENT).to_pyarrow().to_pylist()
    assert {row["min_docs_both"] for row in cut} == {0, 1}
    for rows, n_bands in ((whole, 1), (cut, 2)):
        base = [row for row in rows if row["strategy"] == "base"]
        assert sum(row["share"] for row in base) == pytest.approx(n_bands)
        assert sum(row["n_words"] for row in base) == 48


def test_tokens_are_found_by_how_they_begin(warehouse: Any) -> None:
    names = [r["token"] for r in queries.tokens_like(warehouse, CORPUS, " RIV").to_pyarrow().to_pylist()]
    assert sorted(names) == [" river", " rivière"]
    assert queries.tokens_like(warehouse, CORPUS, "", limit=3).count().to_pyarrow().as_py() == 3


def test_a_word_or_corpus_that_is_not_there_gives_no_rows(warehouse: Any) -> None:
    assert queries.pivots_of_pair(warehouse, CORPUS, "o'clock", "en", "fr").count().to_pyarrow().as_py() == 0
    assert queries.corpus_languages(warehouse, "none").count().to_pyarrow().as_py() == 0


def test_the_languages_of_a_corpus_make_it_up(warehouse: Any) -> None:
    languages = queries.corpus_languages(warehouse, CORPUS).to_pyarrow().to_pylist()
    (totals,) = queries.corpora(warehouse, corpus=CORPUS).to_pyarrow().to_pylist()
    assert len(languages) > 1
    assert totals["n_docs"] == sum(row["n_docs"] for row in languages)
    assert totals["n_tokens"] == sum(row["n_tokens"] for row in languages)
    for row in languages:
        assert row["token_share"] == pytest.approx(row["n_tokens"] / totals["n_tokens"])
    assert queries.corpora(warehouse, corpus="none").count().to_pyarrow().as_py() == 0


def test_has_rows_tells_a_missing_and_an_empty_mart_from_a_filled_one(tmp_path: Path) -> None:
    import duckdb

    from warehouse.serving.publish import publish

    home = published_home(tmp_path)
    with duckdb.connect(str(home.warehouse_file)) as connection:
        connection.execute("delete from marts.fct_behaviours; drop table marts.fct_behaviour_auc")
    publish(home)
    with open_published_ibis(home) as warehouse:
        marts = ("fct_behaviours", "fct_behaviour_auc", "dim_tokens")
        assert [queries.has_rows(warehouse, name) for name in marts] == [False, False, True]


def test_rejects_are_counted_by_reason(tmp_path: Path) -> None:
    from warehouse.serving.publish import publish

    home = Home(tmp_path)
    rows = [{"corpus": CORPUS, "step": "ingest", "reason": r} for r in ("no text", "no JSON", "no text")]
    write_rows(home, "rejects", rows, corpus=CORPUS)
    published_home(tmp_path)
    publish(home)
    with open_published_ibis(home) as warehouse:
        assert [r["n_records"] for r in queries.rejects(warehouse).to_pyarrow().to_pylist()] == [2, 1]


def test_documents_behind_a_pivot_hold_it_beside_one_of_the_words(tmp_path: Path) -> None:
    home = Home(tmp_path)
    words = [{"word_id": 1, "lang": "en", "word": "water"}, {"word_id": 2, "lang": "fr", "word": "eau"}]
    write_rows(home, "words", words)
    documents = {1: [5, 7], 2: [7], 3: [7, 8], 4: [7], 5: [5, 6]}  # doc_id -> tokens; the pivot is 7
    holds = {1: [1], 2: [1, 2], 3: [2], 5: [1, 2]}  # doc_id -> words
    rows = [
        {"corpus": CORPUS, "shard_id": "s", "doc_id": d, "lang": "en", "n_tokens": len(t), "token_ids": t}
        for d, t in documents.items()
    ]
    write_rows(home, "documents", rows, name="s", corpus=CORPUS)
    found = [{"corpus": CORPUS, "shard_id": "s", "doc_id": d, "word_id": w} for d, ws in holds.items() for w in ws]
    write_rows(home, "word_documents", found, name="s", corpus=CORPUS)
    with open_lake(home) as raw:
        table: pa.Table = queries.documents_behind_pivot(raw, CORPUS, "water", "en", "eau", "fr", 7).to_pyarrow()
    assert [(r["doc_id"], r["has_source"], r["has_target"]) for r in table.to_pylist()] == [
        (2, True, True),
        (1, True, False),
        (3, False, True),
    ]


def test_layer_traces_of_a_word_are_those_of_the_experiment_in_order(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for run, experiment in (("trace-b", EXPERIMENT), ("trace-a", "other")):
        row = {"run_id": run, "kind": "trace", "experiment": experiment, "strategy": "base"}
        write_rows(home, "runs", [row], name=run)
        rows = [
            {"run_id": run, "item_id": item, "source_lang": "en", "target_lang": "fr", "layer": layer, "top_token": "x"}
            for item in (1, 2)
            for layer in (1, 0)
        ]
        write_rows(home, "layer_traces", rows, name=run)
    with open_lake(home) as raw:
        rows = queries.word_layer_traces(raw, EXPERIMENT, 1, "en", "fr").to_pyarrow().to_pylist()
    assert [(r["run_id"], r["layer"], r["strategy"]) for r in rows] == [("trace-b", 0, "base"), ("trace-b", 1, "base")]


def test_planted_pivots_are_the_corpus_own(tmp_path: Path) -> None:
    home = Home(tmp_path)
    rows = [{"corpus": c, "item_id": 1, "pivot_word": "river", "token_id": 1} for c in (CORPUS, "other")]
    write_rows(home, "planted_pivots", rows)
    published_home(tmp_path)
    with open_published_ibis(home) as warehouse:
        assert queries.planted_pivots(warehouse, CORPUS).to_pyarrow().to_pylist() == [
            {"item_id": 1, "pivot_word": "river", "token_id": 1}
        ]


def test_the_default_set_is_the_one_that_the_mart_flags(warehouse: Any) -> None:
    sets = {r["pivot_set"]: r["is_default"] for r in queries.pivot_sets(warehouse, CORPUS).to_pyarrow().to_pylist()}
    flagged = [name for name, is_default in sets.items() if is_default]
    assert len(sets) > 1
    assert flagged == [queries.default_pivot_set(warehouse, CORPUS)]
    assert queries.default_pivot_set(warehouse, "no such corpus") is None
    default = queries.pivot_tokens(warehouse, CORPUS).to_pyarrow().to_pylist()
    assert {r["pivot_set"] for r in default} == set(flagged)
    assert queries.pivot_tokens(warehouse, "no such corpus").to_pyarrow().num_rows == 0
