"""Questions about translation scores and how strategies compare."""

from typing import Any

import ibis
import ibis.expr.types as ir

from warehouse.serving.queries.tables import ALL, JUDGE, mart, where

_FLAGS = ("is_summary", "is_mirrored")  # who asks for one comparison knows both


def experiments(warehouse: Any) -> ir.Table:
    """Experiments with scores, the latest first: experiment, n_runs, finished_at."""
    runs = warehouse.table("runs", database="raw")
    runs = runs.filter(runs.experiment.notnull() & (runs.kind == "score"))
    return (
        runs.group_by("experiment")
        .aggregate(n_runs=runs.count(), finished_at=runs.finished_at.max())
        .order_by(ibis.desc("finished_at"), "experiment")
    )


def declared_experiments(warehouse: Any) -> ir.Table:
    """Experiments as they were declared before their first training: experiment, preset, what they are judged by.

    A copy that an earlier version published does not hold them.
    """
    return warehouse.table("experiments", database="raw").order_by("experiment")


def scores(
    warehouse: Any, experiment: str, *, word_split: str = JUDGE, source_lang: str = ALL, target_lang: str = ALL
) -> ir.Table:
    """Translation scores of an experiment's runs in one direction (default: the mean over all), with intervals."""
    found = where(
        mart(warehouse, "fct_translation_scores"),
        experiment=experiment,
        word_split=word_split,
        source_lang=source_lang,
        target_lang=target_lang,
    )
    return found.drop("experiment", "word_split", "is_summary").order_by("strategy", "seed", "run_id")


def strategy_scores(warehouse: Any, experiment: str, *, word_split: str = JUDGE) -> ir.Table:
    """Mean score over the runs of every strategy and over all directions: strategy, score, first_rank_rate, n_runs."""
    found = where(
        mart(warehouse, "fct_strategy_scores"),
        experiment=experiment,
        word_split=word_split,
        source_lang=ALL,
        target_lang=ALL,
    )
    return found.select("strategy", "score", "first_rank_rate", "n_runs").order_by("strategy")


def scores_by_direction(warehouse: Any, experiment: str, *, word_split: str = JUDGE) -> ir.Table:
    """Mean score over runs for every strategy and direction: strategy, source_lang, target_lang, score, n_runs."""
    found = where(mart(warehouse, "fct_strategy_scores"), experiment=experiment, word_split=word_split)
    return (
        found.filter(found.source_lang != ALL)
        .select("strategy", "source_lang", "target_lang", "score", "n_runs")
        .order_by("source_lang", "target_lang", "strategy")
    )


def direction_scores(warehouse: Any, experiment: str, *, word_split: str = JUDGE) -> ir.Table:
    """Score of every run in every direction, with intervals over words; without the mean over directions."""
    found = where(mart(warehouse, "fct_translation_scores"), experiment=experiment, word_split=word_split)
    return (
        found.filter(found.source_lang != ALL)
        .select("strategy", "seed", "run_id", "source_lang", "target_lang", "n_items", "score", "ci_low", "ci_high")
        .order_by("source_lang", "target_lang", "strategy", "seed", "run_id")
    )


def compare_runs(warehouse: Any, run_id: str, baseline_run_id: str, *, word_split: str = JUDGE) -> ir.Table:
    """Scores of two runs word by word, the largest differences first: the words, both scores, both ranks, score_delta.

    Only what both runs scored; whether a difference of means is more than chance, `compare_strategies` says.
    """
    scored = mart(warehouse, "fct_item_scores")
    if word_split != ALL:
        scored = where(scored, word_split=word_split)
    key = ["item_id", "source_lang", "target_lang"]
    one = where(scored, run_id=run_id).select(*key, "source_word", "target_word", "score", "right_rank")
    other = where(scored, run_id=baseline_run_id)
    other = other.select(*key, baseline_score=other.score, baseline_right_rank=other.right_rank)
    both = one.join(other, key)
    both = both.mutate(score_delta=both.score - both.baseline_score)
    return both.order_by(ibis.desc(both.score_delta.abs()), *key)


def compare_strategies(
    warehouse: Any, experiment: str, strategy: str, baseline: str, *, word_split: str = JUDGE
) -> ir.Table:
    """Score of a strategy minus a baseline's, with intervals: one row per direction and `all`."""
    found = where(
        mart(warehouse, "fct_strategy_comparison"),
        experiment=experiment,
        strategy=strategy,
        baseline=baseline,
        word_split=word_split,
    )
    return found.drop("experiment", "word_split", *_FLAGS).order_by("source_lang", "target_lang")


def mean_deltas(warehouse: Any, experiment: str, *, word_split: str = JUDGE) -> ir.Table:
    """Mean difference over all directions for every two strategies of an experiment, with intervals and verdict."""
    found = where(
        mart(warehouse, "fct_strategy_comparison"),
        experiment=experiment,
        word_split=word_split,
        source_lang=ALL,
        target_lang=ALL,
    )
    known = ("experiment", "word_split", "source_lang", "target_lang")
    return found.drop(*known, *_FLAGS).order_by("strategy", "baseline")


def mean_deltas_by_class(warehouse: Any, experiment: str, word_class: str, *, word_split: str = ALL) -> ir.Table:
    """Mean difference over all directions for every two strategies, for each value of a class of words.

    On planted corpora class `kind` says how a concept's words are linked: direct, pivot, unlinked.
    """
    found = where(
        mart(warehouse, "fct_strategy_comparison_by_class"),
        experiment=experiment,
        word_class=word_class,
        word_split=word_split,
    )
    return found.drop("experiment", "word_class", "word_split", *_FLAGS).order_by("class_value", "strategy", "baseline")


def held_out_losses(warehouse: Any, experiment: str) -> ir.Table:
    """Loss on held-out documents by strategy and language, and its change against the untrained model."""
    found = where(mart(warehouse, "fct_held_out_losses"), experiment=experiment)
    return found.drop("experiment").order_by("lang", "strategy", "seed")


def failure_signatures(warehouse: Any) -> ir.Table:
    """Known ways for a result to mean nothing, flagged ones first, with an explanation."""
    found = mart(warehouse, "fct_failure_signatures")
    return found.order_by(ibis.desc(found.status == "flagged"), "signature", "run_id")


def runs(warehouse: Any) -> ir.Table:
    """Every recorded run, the latest first."""
    return warehouse.table("runs", database="raw").order_by(ibis.desc("finished_at"), "run_id")
