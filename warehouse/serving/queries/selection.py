"""Questions about documents: behind a pivot, at the top of a ranking, taken by a strategy."""

from typing import Any

import ibis
import ibis.expr.types as ir

from warehouse.serving.queries.tables import default_pivot_set, mart, where


def documents_behind_pivot(
    raw: Any, corpus: str, source_word: str, source_lang: str, target_word: str, target_lang: str, token_id: int
) -> ir.Table:
    """Documents that hold the token beside one of the two words: doc_id, lang, n_tokens, has_source, has_target.

    Reads the raw tables, which the published copy leaves out: `raw` is a backend with schema `raw`
    (`warehouse.serving.excerpts.open_lake`). Documents with both words come first.
    """
    words, occurrences, documents = (
        raw.table(name, database="raw") for name in ("words", "word_documents", "documents")
    )
    occurrences = occurrences.filter(occurrences.corpus == corpus)
    is_source = (words.lang == source_lang) & (words.word == source_word)
    is_target = (words.lang == target_lang) & (words.word == target_word)
    these = words.filter(is_source | is_target).select("word_id", is_source=is_source, is_target=is_target)
    matches = occurrences.join(these, "word_id")
    holding = matches.group_by("doc_id").aggregate(
        has_source=matches.is_source.any(), has_target=matches.is_target.any()
    )
    with_token = documents.filter((documents.corpus == corpus) & documents.token_ids.contains(token_id))
    found = with_token.join(holding, "doc_id").select(
        "doc_id", "lang", "n_tokens", "shard_id", "has_source", "has_target"
    )
    return found.order_by(ibis.desc(found.has_source & found.has_target), "n_tokens", "doc_id")


def top_documents(
    warehouse: Any,
    corpus: str,
    lang: str,
    *,
    pivot_set: str | None = None,
    ranking: str = "smoothed",
    limit: int = 20,
) -> ir.Table:
    """Best documents of a language by `density` (the paper's) or `smoothed` density in a set (the default one)."""
    pivot_set = pivot_set or default_pivot_set(warehouse, corpus)
    rank = f"{ranking}_rank_in_lang"
    ranked = where(mart(warehouse, "fct_document_rankings"), corpus=corpus, lang=lang, pivot_set=pivot_set)
    documents = where(mart(warehouse, "dim_documents"), corpus=corpus).select("doc_id", "source_id", "source_file")
    best = ranked.filter(ranked[rank] <= limit)
    return (
        best.join(documents, "doc_id")
        .select(
            rank,
            "doc_id",
            "n_tokens",
            "n_pivot_tokens",
            "pivot_density",
            "smoothed_density",
            "source_id",
            "source_file",
        )
        .order_by(rank, "doc_id")
    )


def strategies(warehouse: Any) -> ir.Table:
    """Strategies in the order in which people compare them, with what each takes and which ones are the defaults."""
    return mart(warehouse, "dim_strategies").order_by("display_order")


def selection_summary(warehouse: Any, corpus: str) -> ir.Table:
    """What each strategy takes, by language."""
    return where(mart(warehouse, "fct_selection_summary"), corpus=corpus).drop("corpus").order_by("strategy", "lang")


def selection_overlap(warehouse: Any, corpus: str) -> ir.Table:
    """What two strategies have in common, as a share of each one's tokens."""
    return (
        where(mart(warehouse, "fct_selection_overlap"), corpus=corpus)
        .drop("corpus")
        .order_by("strategy_a", "strategy_b")
    )
