"""Questions about pairs of words, their pivots, and the sets that pivots make up."""

from typing import Any

import ibis
import ibis.expr.types as ir

from warehouse.serving.queries.tables import default_pivot_set, default_score_method, mart, where


def pair_cooccurrence(
    warehouse: Any, corpus: str, source_lang: str, target_lang: str, *, source_word: str | None = None
) -> ir.Table:
    """How often the two words of a pair share a unit; one word's pairs, or all of a direction, most frequent first."""
    pairs = where(
        mart(warehouse, "fct_word_pair_cooccurrence"), corpus=corpus, source_lang=source_lang, target_lang=target_lang
    )
    if source_word is not None:
        pairs = pairs.filter(pairs.source_word == source_word)
    return pairs.order_by(ibis.desc("n_docs_both"), ibis.desc("n_docs_source"), "source_word", "item_id")


def words_with_pivots(warehouse: Any, corpus: str, source_lang: str, target_lang: str) -> ir.Table:
    """Pairs of a direction in which both words occur, the best supported first: item_id, words, documents of each."""
    pairs = where(
        mart(warehouse, "fct_word_pair_cooccurrence"), corpus=corpus, source_lang=source_lang, target_lang=target_lang
    )
    pairs = pairs.filter(pairs.n_docs_source > 0, pairs.n_docs_target > 0)
    return pairs.order_by(ibis.desc(ibis.least(pairs.n_docs_source, pairs.n_docs_target)), "source_word", "item_id")


def pivots_of_pair(
    warehouse: Any,
    corpus: str,
    source_word: str,
    source_lang: str,
    target_lang: str,
    *,
    score_method: str | None = None,
    top_k: int = 10,
) -> ir.Table:
    """Best candidates of a pair by a score method (the default one): item_id, target_word, pivot_rank, token, rates.

    A word that stands in several items gives the candidates of each.
    """
    found = where(
        mart(warehouse, "fct_pivot_candidates"),
        corpus=corpus,
        score_method=score_method or default_score_method(warehouse),
        source_word=source_word,
        source_lang=source_lang,
        target_lang=target_lang,
    )
    return (
        found.filter(found.pivot_rank <= top_k)
        .select(
            "item_id",
            "source_word",
            "target_word",
            "pivot_rank",
            "token_id",
            "token",
            "pivot_score",
            "source_rate",
            "target_rate",
            "background_rate",
            "expected_source_rate",
            "expected_target_rate",
            "review_status",
        )
        .order_by("item_id", "pivot_rank")
    )


def pivots_by_both_methods(
    warehouse: Any, corpus: str, source_word: str, source_lang: str, target_lang: str, *, top_k: int = 10
) -> ir.Table:
    """Candidates of a pair by both methods, rank by rank: item_id, pivot_rank, adjusted_token, paper_token, scores."""

    def ranked(score_method: str) -> ir.Table:
        found = pivots_of_pair(
            warehouse, corpus, source_word, source_lang, target_lang, score_method=score_method, top_k=top_k
        )
        return found.select(
            "item_id",
            "target_word",
            "pivot_rank",
            **{f"{score_method}_token": found.token, f"{score_method}_score": found.pivot_score},
        )

    adjusted, paper = ranked("adjusted"), ranked("paper")
    both = adjusted.outer_join(paper, ["item_id", "target_word", "pivot_rank"])
    return both.select(
        item_id=ibis.coalesce(both.item_id, both.item_id_right),
        target_word=ibis.coalesce(both.target_word, both.target_word_right),
        pivot_rank=ibis.coalesce(both.pivot_rank, both.pivot_rank_right),
        adjusted_token=both.adjusted_token,
        adjusted_score=both.adjusted_score,
        paper_token=both.paper_token,
        paper_score=both.paper_score,
    ).order_by("item_id", "pivot_rank")


def strongest_pairs(warehouse: Any, corpus: str, *, limit: int = 12) -> ir.Table:
    """Pairs whose best candidate scores highest, each in one direction: item_id, words, languages, token, score."""
    method = default_score_method(warehouse)
    best = where(mart(warehouse, "fct_pivot_candidates"), corpus=corpus, score_method=method, pivot_rank=1)
    best = best.filter(best.source_lang < best.target_lang, best.source_word != best.target_word)
    return (
        best.select("item_id", "source_word", "target_word", "source_lang", "target_lang", "token", "pivot_score")
        .order_by(ibis.desc("pivot_score"), "item_id", "source_lang", "target_lang")
        .limit(limit)
    )


def score_methods(warehouse: Any) -> ir.Table:
    """Score methods in the order in which people compare them: score_method, is_default, display_order, description."""
    return mart(warehouse, "dim_score_methods").order_by("display_order")


def planted_pivots(warehouse: Any, corpus: str) -> ir.Table:
    """The true pivots of a planted corpus: item_id, pivot_word, token_id. No rows where the truth is not known."""
    return where(warehouse.table("planted_pivots", database="raw"), corpus=corpus).drop("corpus")


def pivot_quality(warehouse: Any, corpus: str) -> ir.Table:
    """Are the right tokens among the best candidates? One row per method, direction, pivot language and list length."""
    quality = where(mart(warehouse, "fct_pivot_quality"), corpus=corpus)
    return quality.drop("corpus").order_by("source_lang", "target_lang", "pivot_lang", "score_method", "top_k")


def pivot_sets(warehouse: Any, corpus: str) -> ir.Table:
    """Pivot sets of a corpus by name: pivot_set, is_default, n_tokens."""
    tokens = where(mart(warehouse, "dim_pivot_tokens"), corpus=corpus)
    return tokens.group_by("pivot_set", "is_default").aggregate(n_tokens=tokens.count()).order_by("pivot_set")


def pivot_tokens(warehouse: Any, corpus: str, *, pivot_set: str | None = None, limit: int | None = None) -> ir.Table:
    """Tokens of a pivot set (the default one), best first."""
    pivot_set = pivot_set or default_pivot_set(warehouse, corpus)
    tokens = where(mart(warehouse, "dim_pivot_tokens"), corpus=corpus, pivot_set=pivot_set).order_by("rank")
    return tokens if limit is None else tokens.limit(limit)


def candidates_by_method(
    warehouse: Any, corpus: str, source_word: str, source_lang: str, target_lang: str, *, top_k: int = 10
) -> ir.Table:
    """Candidates that are among the best of a pair by any score method, one row per token and method that knows it.

    Rates as `pivots_of_pair`; score_method, pivot_rank and pivot_score are the method's own.
    """
    found = where(
        mart(warehouse, "fct_pivot_candidates"),
        corpus=corpus,
        source_word=source_word,
        source_lang=source_lang,
        target_lang=target_lang,
    )
    best = found.filter(found.pivot_rank <= top_k).select("item_id", "token_id").distinct()
    return (
        found.semi_join(best, ["item_id", "token_id"])
        .select(
            "item_id",
            "source_word",
            "target_word",
            "token_id",
            "token",
            "score_method",
            "pivot_rank",
            "pivot_score",
            "n_docs_source_token",
            "n_docs_target_token",
            "source_rate",
            "target_rate",
            "background_rate",
            "expected_source_rate",
            "expected_target_rate",
            "review_status",
        )
        .order_by("item_id", "score_method", "pivot_rank")
    )
