"""Questions about a corpus: its languages, directions and what could not be read."""

from typing import Any

import ibis
import ibis.expr.types as ir

from warehouse.serving.queries.tables import mart, where


def corpora(warehouse: Any, *, corpus: str | None = None) -> ir.Table:
    """Corpora by name, or one of them: corpus, n_docs, n_tokens."""
    documents = mart(warehouse, "dim_documents")
    if corpus is not None:
        documents = where(documents, corpus=corpus)
    return (
        documents.group_by("corpus")
        .aggregate(n_docs=documents.count(), n_tokens=documents.n_tokens.cast("int64").sum())
        .order_by("corpus")
    )


def corpus_languages(warehouse: Any, corpus: str) -> ir.Table:
    """Languages of a corpus, largest first: lang, n_docs, n_tokens, token_share (of the corpus's tokens)."""
    documents = where(mart(warehouse, "dim_documents"), corpus=corpus)
    languages = documents.group_by("lang").aggregate(
        n_docs=documents.count(), n_tokens=documents.n_tokens.cast("int64").sum()
    )
    whole = languages.n_tokens.sum().over(ibis.window())
    return languages.mutate(token_share=languages.n_tokens / whole).order_by(ibis.desc("n_tokens"), "lang")


def directions(warehouse: Any, corpus: str) -> ir.Table:
    """Directions of a corpus that have candidates: source_lang, target_lang."""
    pairs = where(mart(warehouse, "fct_word_pair_cooccurrence"), corpus=corpus)
    return pairs.select("source_lang", "target_lang").distinct().order_by("source_lang", "target_lang")


def rejects(warehouse: Any) -> ir.Table:
    """Records that could not be used: corpus, step, reason, n_records."""
    found = warehouse.table("rejects", database="raw")
    return (
        found.group_by("corpus", "step", "reason")
        .aggregate(n_records=found.count())
        .order_by(ibis.desc("n_records"), "corpus", "step", "reason")
    )


def current_counts(warehouse: Any, corpus: str) -> ir.Table:
    """The count that a corpus's marts are made from: count_id, unit (`document`, `window_2048`), n_units, options."""
    return where(warehouse.table("counts", database="raw"), corpus=corpus).drop("corpus").order_by("count_id")


def corpus_tokenizers(warehouse: Any, corpus: str) -> ir.Table:
    """The tokenizer of a corpus: tokenizer_name, tokenizer_hash."""
    corpora = where(warehouse.table("corpora", database="raw"), corpus=corpus)
    return corpora.select("tokenizer_name", "tokenizer_hash").distinct().order_by("tokenizer_name")
