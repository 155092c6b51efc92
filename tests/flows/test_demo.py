"""The whole pipeline as its users run it: one command, then questions to what it published."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from warehouse.base.settings import Home
from warehouse.serving.sql.query_process import query_rows

pytestmark = pytest.mark.pipeline

PIVOTS = str(Path(sys.executable).with_name("pivots"))
TINY = str(Path(__file__).with_name("tiny.yml"))

# Columns that users rely on; every one of these marts has rows after a demo.
MARTS = {
    "dim_documents": "corpus doc_id lang n_tokens source_id source_file",
    "dim_tokens": "token_id token script is_special n_docs doc_rate",
    "fct_word_pair_cooccurrence": "corpus item_id source_lang target_lang source_word target_word n_docs_source"
    " n_docs_target n_docs_both cooccurrence_rate",
    "fct_pivot_candidates": "corpus score_method item_id source_lang target_lang token_id token source_rate target_rate"
    " background_rate expected_source_rate expected_target_rate pivot_score pivot_rank review_status",
    "fct_pivot_quality": "corpus score_method source_lang target_lang pivot_lang top_k n_pairs recall"
    " mean_reciprocal_rank",
    "dim_pivot_tokens": "corpus pivot_set token_id token degree n_pairs rank",
    "fct_document_rankings": "corpus pivot_set doc_id lang n_tokens n_pivot_tokens pivot_density smoothed_density"
    " density_rank_in_lang smoothed_rank_in_lang",
    "fct_selected_documents": "corpus strategy doc_id lang n_tokens selection_rank",
    "fct_selection_summary": "corpus strategy lang n_docs n_tokens token_share target_share mean_pivot_density",
    "fct_translation_scores": "run_id source_lang target_lang word_split model_id strategy n_items score ci_low"
    " ci_high",
    "fct_strategy_comparison": "experiment strategy baseline source_lang target_lang word_split score_delta ci_low"
    " ci_high p_value n_seeds",
    "fct_behaviours": "run_id item_id source_lang target_lang behaviour peak_layer top_token",
    "fct_behaviour_auc": "run_id source_lang target_lang definition auc ci_low ci_high n_cooccurrence n_pivot",
    "fct_pivot_layer_curves": "run_id source_lang target_lang behaviour layer p_pivot p_source p_target n_items",
    "fct_failure_signatures": "run_id signature status value threshold explanation",
    "fct_threshold_sensitivity": "run_id source_lang target_lang threshold n_cooccurrence n_pivot auc agreement",
}


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PIVOTS_HOME": str(home), "PIVOTS_THREADS": "2"}
    return subprocess.run([PIVOTS, *arguments], env=environment, capture_output=True, text=True, check=False)


def ask(home: Path, sql: str) -> list[dict]:
    return query_rows(Home(home), sql, max_rows=100_000, time_limit_s=60)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the home of a finished demo, and what it printed."""
    home = tmp_path_factory.mktemp("demo") / "home"
    done = run(home, "demo", "--home", str(home), "--scale", "0.5", "--preset", TINY)
    assert done.returncode == 0, done.stderr[-3000:]
    return home, done.stdout


def test_demo_ends_with_what_came_out_and_where_to_look(demo: tuple[Path, str]) -> None:
    home, printed = demo
    for part in (
        "Best pivots of water (en) and eau (fr)",
        "random_multilingual",
        "pivot_aware",
        f"report     {home / 'report.html'}",
        "pivots sql",
        "pivots run FOLDER",
    ):
        assert part in printed
    assert (home / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize("mart", MARTS)
def test_every_mart_has_its_columns_and_rows(demo: tuple[Path, str], mart: str) -> None:
    rows = ask(demo[0], f"select {', '.join(MARTS[mart].split())} from marts.{mart} limit 1")
    assert len(rows) == 1


def test_adjusted_score_finds_the_planted_pivots_better_than_the_papers(demo: tuple[Path, str]) -> None:
    rows = ask(
        demo[0],
        "select score_method, avg(planted_recall) as recall from marts.fct_pivot_quality where top_k = 10 group by all",
    )
    recall = {row["score_method"]: row["recall"] for row in rows}
    assert recall["adjusted"] > recall["paper"] > 0


def test_every_result_leads_back_to_its_run(demo: tuple[Path, str]) -> None:
    for table in ("marts.fct_translation_scores", "marts.fct_behaviours", "raw.held_out_losses"):
        assert ask(demo[0], f"select run_id from {table} anti join raw.runs using (run_id) limit 1") == []
    runs = ask(demo[0], "select kind, git_commit, config_hash, inputs from raw.runs")
    assert {r["kind"] for r in runs} >= {"ingest", "count", "export", "train", "score", "trace", "held_out"}
    assert all(r["git_commit"] and r["config_hash"] and json.loads(r["inputs"]) for r in runs)


@pytest.mark.slow
def test_a_second_demo_does_nothing_again_and_publishes_the_same(demo: tuple[Path, str]) -> None:
    home = demo[0]
    before = {p: p.read_bytes() for p in (home / "lake").rglob("*.parquet")}
    hashes = json.loads((home / "serving" / "current" / "manifest.json").read_text())["tables"]
    again = run(home, "demo", "--home", str(home), "--scale", "0.5", "--preset", TINY)
    assert again.returncode == 0, again.stderr[-3000:]
    assert {p: p.read_bytes() for p in (home / "lake").rglob("*.parquet")} == before
    assert json.loads((home / "serving" / "current" / "manifest.json").read_text())["tables"] == hashes


def test_status_of_a_finished_demo_has_nothing_to_mend(demo: tuple[Path, str]) -> None:
    shown = run(demo[0], "status")
    assert shown.returncode == 0
    assert "nothing is stale" in shown.stdout.lower()


def test_sql_answers_and_refuses_to_write(demo: tuple[Path, str]) -> None:
    answer = run(demo[0], "sql", "--format", "json", "select count(*) as n from marts.fct_translation_scores")
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)[0]["n"] > 0
    refused = run(demo[0], "sql", "delete from marts.dim_tokens")
    assert refused.returncode == 2
    assert refused.stderr.startswith("pivots: ")
    assert len(refused.stderr.strip().splitlines()) == 1


def test_a_preset_that_is_none_is_refused_before_anything_runs(tmp_path: Path) -> None:
    refused = run(tmp_path / "home", "demo", "--preset", "nonsense")
    assert refused.returncode == 2
    assert "no preset 'nonsense'" in refused.stderr
    assert not (tmp_path / "home").exists()
