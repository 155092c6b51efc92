"""Questions about what happens inside: layer curves, behaviours, single words."""

from typing import Any

import ibis
import ibis.expr.types as ir

from warehouse.serving.queries.tables import ALL, mart, runs_of, where


def layer_curve(
    warehouse: Any, experiment: str, strategy: str, *, source_lang: str = ALL, target_lang: str = ALL
) -> ir.Table:
    """Probability of pivot, control, source and target tokens along the layers, by behaviour and run of a strategy."""
    curves = where(mart(warehouse, "fct_pivot_layer_curves"), source_lang=source_lang, target_lang=target_lang)
    return (
        curves.join(runs_of(warehouse, experiment), "run_id")
        .filter(lambda rows: rows.strategy == strategy)
        .order_by("run_id", "behaviour", "layer")
    )


def mean_layer_curves(warehouse: Any, experiment: str, *, source_lang: str = ALL, target_lang: str = ALL) -> ir.Table:
    """Layer curves as plain means over the runs of a strategy: strategy, behaviour, layer, p_*, n_items, n_runs."""
    curves = where(
        mart(warehouse, "fct_strategy_layer_curves"),
        experiment=experiment,
        source_lang=source_lang,
        target_lang=target_lang,
    )
    return curves.drop("experiment", "source_lang", "target_lang", "is_summary").order_by(
        "strategy", "behaviour", "layer"
    )


def behaviour_counts(warehouse: Any, experiment: str) -> ir.Table:
    """How many words went straight to the target and how many through another: strategy, behaviour, n_words, share."""
    shares = where(mart(warehouse, "fct_behaviour_shares"), experiment=experiment, shared_docs=ALL)
    return shares.select("strategy", "behaviour", "n_words", "n_runs", "share").order_by("strategy", "behaviour")


def behaviour_auc(warehouse: Any, experiment: str, *, source_lang: str = ALL, target_lang: str = ALL) -> ir.Table:
    """Does co-occurrence predict the behaviour? AUC by strategy, run and definition."""
    found = where(mart(warehouse, "fct_behaviour_auc"), source_lang=source_lang, target_lang=target_lang)
    runs = runs_of(warehouse, experiment)
    return (
        found.select(
            "run_id",
            "source_lang",
            "target_lang",
            "definition",
            "auc",
            "ci_low",
            "ci_high",
            "n_cooccurrence",
            "n_pivot",
        )
        .join(runs, "run_id")
        .order_by("definition", "strategy", "seed")
    )


def word_layer_traces(raw: Any, experiment: str, item_id: int, source_lang: str, target_lang: str) -> ir.Table:
    """What one word's translation looks like from inside: one row per run and layer, with the top token there.

    Reads the raw tables, which the published copy leaves out (see `documents_behind_pivot`).
    """
    traces = where(
        raw.table("layer_traces", database="raw"), item_id=item_id, source_lang=source_lang, target_lang=target_lang
    ).drop("item_id", "source_lang", "target_lang")
    return traces.join(runs_of(raw, experiment), "run_id").order_by("strategy", "seed", "run_id", "layer")


def traced_words(warehouse: Any, experiment: str, corpus: str, source_lang: str, target_lang: str) -> ir.Table:
    """Words of a direction that an experiment's runs were traced on, by source word: item_id, words, is_excluded.

    Excluded are those that no run was told a behaviour of, because the two words share a token.
    """
    behaviours = where(mart(warehouse, "fct_behaviours"), source_lang=source_lang, target_lang=target_lang)
    traced = behaviours.semi_join(runs_of(warehouse, experiment), "run_id")
    told = traced.group_by("item_id").aggregate(is_excluded=(traced.behaviour == "excluded").all())
    pairs = where(
        mart(warehouse, "fct_word_pair_cooccurrence"), corpus=corpus, source_lang=source_lang, target_lang=target_lang
    )
    return (
        pairs.join(told, "item_id")
        .select("item_id", "source_word", "target_word", "source_lang", "target_lang", "is_excluded")
        .order_by("source_word", "item_id")
    )


def behaviour_of_word(warehouse: Any, experiment: str, item_id: int, source_lang: str, target_lang: str) -> ir.Table:
    """How an experiment's runs treat one word: strategy, seed, behaviour, peak layer and the token there."""
    behaviours = where(
        mart(warehouse, "fct_behaviours"), item_id=item_id, source_lang=source_lang, target_lang=target_lang
    ).select("run_id", "behaviour", "peak_layer", "top_token")
    return behaviours.join(runs_of(warehouse, experiment), "run_id").order_by("strategy", "seed")


def behaviours_by_frequency(warehouse: Any, experiment: str) -> ir.Table:
    """Behaviours by the units that two words share: strategy, min_docs_both (0, 1, 10, 100 ...), behaviour, n_words.

    A row counts the words with at least `min_docs_both` shared units and fewer than the next step.
    """
    shares = where(mart(warehouse, "fct_behaviour_shares"), experiment=experiment)
    return (
        shares.filter(shares.shared_docs != ALL)
        .select("strategy", "min_docs_both", "behaviour", "n_words", "share")
        .order_by("strategy", "min_docs_both", "behaviour")
    )


def behaviour_roc(warehouse: Any, experiment: str, *, definition: str = "peak") -> ir.Table:
    """Points of the ROC curves of an experiment's traces: strategy, seed, min_docs_both and the two rates."""
    points = where(mart(warehouse, "fct_behaviour_roc"), definition=definition).drop("definition")
    return points.join(runs_of(warehouse, experiment), "run_id").order_by(
        "strategy", "seed", "run_id", ibis.desc("min_docs_both")
    )
