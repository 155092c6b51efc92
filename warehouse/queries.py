"""The questions analysts ask, as Ibis expressions over the marts.

Every function takes an Ibis backend on a warehouse (`warehouse.connection.open_published_ibis`, a notebook's own
connection, Spark) and returns an expression: nothing runs until `.execute()`, `.to_pyarrow()` or `.to_polars()`, and
`ibis.to_sql(expression)` shows the SQL. Report, dashboard and the demo's summary use these and nothing else.

    >>> from warehouse import queries
    >>> from warehouse.connection import open_published_ibis
    >>> with open_published_ibis(home) as warehouse:  # doctest: +SKIP
    ...     queries.pivots_of_pair(warehouse, "demo", "water", "en", "fr").execute()

A direction `all`, `all` is the mean over directions; a word split is `find`, `judge` or `all`. Scores, intervals, ranks
and rates come from the marts as they are; what is computed here are counts and plain means over seeds.
"""

from typing import Any

import ibis
import ibis.expr.types as ir

ALL = "all"
JUDGE = "judge"
DEFAULT_METHOD = "adjusted"
DEFAULT_PIVOT_SET = "bridge"


def mart(warehouse: Any, name: str) -> ir.Table:
    """Return a mart as a table expression."""
    return warehouse.table(name, database="marts")


def has_rows(warehouse: Any, name: str) -> bool:
    """Return whether a mart is built and holds at least one row."""
    if name not in warehouse.list_tables(database="marts"):
        return False
    return bool(mart(warehouse, name).limit(1).count().to_pyarrow().as_py())


# --- corpus -------------------------------------------------------------------------------------------------------


def corpora(warehouse: Any) -> ir.Table:
    """Corpora by name: corpus, n_docs, n_tokens."""
    documents = mart(warehouse, "dim_documents")
    return (
        documents.group_by("corpus")
        .aggregate(n_docs=documents.count(), n_tokens=documents.n_tokens.cast("int64").sum())
        .order_by("corpus")
    )


def corpus_languages(warehouse: Any, corpus: str) -> ir.Table:
    """Languages of a corpus, largest first: lang, n_docs, n_tokens."""
    documents = _of(mart(warehouse, "dim_documents"), corpus=corpus)
    return (
        documents.group_by("lang")
        .aggregate(n_docs=documents.count(), n_tokens=documents.n_tokens.cast("int64").sum())
        .order_by(ibis.desc("n_tokens"), "lang")
    )


def directions(warehouse: Any, corpus: str) -> ir.Table:
    """Directions of a corpus that have candidates: source_lang, target_lang."""
    pairs = _of(mart(warehouse, "fct_word_pair_cooccurrence"), corpus=corpus)
    return pairs.select("source_lang", "target_lang").distinct().order_by("source_lang", "target_lang")


# --- pivots -------------------------------------------------------------------------------------------------------


def pair_cooccurrence(
    warehouse: Any, corpus: str, source_lang: str, target_lang: str, *, source_word: str | None = None
) -> ir.Table:
    """How often the two words of a pair share a unit; one word's pairs, or all of a direction, most frequent first."""
    pairs = _of(
        mart(warehouse, "fct_word_pair_cooccurrence"), corpus=corpus, source_lang=source_lang, target_lang=target_lang
    )
    if source_word is not None:
        pairs = pairs.filter(pairs.source_word == source_word)
    return pairs.order_by(ibis.desc("n_docs_both"), ibis.desc("n_docs_source"), "source_word", "item_id")


def pivots_of_pair(
    warehouse: Any,
    corpus: str,
    source_word: str,
    source_lang: str,
    target_lang: str,
    *,
    score_method: str = DEFAULT_METHOD,
    top_k: int = 10,
) -> ir.Table:
    """Best candidates of a pair by one score method: item_id, target_word, pivot_rank, token, score and rates.

    A word that stands in several items gives the candidates of each.
    """
    found = _of(
        mart(warehouse, "fct_pivot_candidates"),
        corpus=corpus,
        score_method=score_method,
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
    best = _of(mart(warehouse, "fct_pivot_candidates"), corpus=corpus, score_method=DEFAULT_METHOD, pivot_rank=1)
    best = best.filter(best.source_lang < best.target_lang, best.source_word != best.target_word)
    return (
        best.select("item_id", "source_word", "target_word", "source_lang", "target_lang", "token", "pivot_score")
        .order_by(ibis.desc("pivot_score"), "item_id", "source_lang", "target_lang")
        .limit(limit)
    )


def planted_pivots(warehouse: Any, corpus: str) -> ir.Table:
    """The true pivots of a planted corpus: item_id, pivot_word, token_id. No rows where the truth is not known."""
    return _of(warehouse.table("planted_pivots", database="raw"), corpus=corpus).drop("corpus")


def pivot_quality(warehouse: Any, corpus: str) -> ir.Table:
    """Are the right tokens among the best candidates? One row per method, direction, pivot language and list length."""
    quality = _of(mart(warehouse, "fct_pivot_quality"), corpus=corpus)
    return quality.drop("corpus").order_by("source_lang", "target_lang", "pivot_lang", "score_method", "top_k")


def pivot_sets(warehouse: Any, corpus: str) -> ir.Table:
    """Pivot sets of a corpus by name: pivot_set, n_tokens."""
    tokens = _of(mart(warehouse, "dim_pivot_tokens"), corpus=corpus)
    return tokens.group_by("pivot_set").aggregate(n_tokens=tokens.count()).order_by("pivot_set")


def pivot_tokens(
    warehouse: Any, corpus: str, *, pivot_set: str = DEFAULT_PIVOT_SET, limit: int | None = None
) -> ir.Table:
    """Tokens of a pivot set, best first."""
    tokens = _of(mart(warehouse, "dim_pivot_tokens"), corpus=corpus, pivot_set=pivot_set).order_by("rank")
    return tokens if limit is None else tokens.limit(limit)


# --- documents and selection --------------------------------------------------------------------------------------


def documents_behind_pivot(
    raw: Any, corpus: str, source_word: str, source_lang: str, target_word: str, target_lang: str, token_id: int
) -> ir.Table:
    """Documents that hold the token beside one of the two words: doc_id, lang, n_tokens, has_source, has_target.

    Reads the raw tables, which the published copy leaves out: `raw` is a backend with schema `raw`
    (`warehouse.excerpts.open_lake`). Documents with both words come first.
    """
    words, occurrences, documents = (
        raw.table(name, database="raw") for name in ("words", "word_documents", "documents")
    )
    occurrences = occurrences.filter(occurrences.corpus == corpus)

    def holding(lang: str, word: str) -> ir.Table:
        this = words.filter((words.lang == lang) & (words.word == word))
        return occurrences.semi_join(this, "word_id").select("doc_id").distinct()

    with_token = documents.filter((documents.corpus == corpus) & documents.token_ids.contains(token_id))
    source, target = holding(source_lang, source_word), holding(target_lang, target_word)
    found = with_token.select(
        "doc_id",
        "lang",
        "n_tokens",
        "shard_id",
        has_source=with_token.doc_id.isin(source.doc_id),
        has_target=with_token.doc_id.isin(target.doc_id),
    )
    return found.filter(found.has_source | found.has_target).order_by(
        ibis.desc(found.has_source & found.has_target), "n_tokens", "doc_id"
    )


def top_documents(
    warehouse: Any,
    corpus: str,
    lang: str,
    *,
    pivot_set: str = DEFAULT_PIVOT_SET,
    ranking: str = "smoothed",
    limit: int = 20,
) -> ir.Table:
    """Best documents of a language by `density` (the paper's) or `smoothed` density in a pivot set."""
    rank = f"{ranking}_rank_in_lang"
    ranked = _of(mart(warehouse, "fct_document_rankings"), corpus=corpus, lang=lang, pivot_set=pivot_set)
    documents = _of(mart(warehouse, "dim_documents"), corpus=corpus).select("doc_id", "source_id", "source_file")
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


def selection_summary(warehouse: Any, corpus: str) -> ir.Table:
    """What each strategy takes, by language."""
    return _of(mart(warehouse, "fct_selection_summary"), corpus=corpus).drop("corpus").order_by("strategy", "lang")


def selection_overlap(warehouse: Any, corpus: str) -> ir.Table:
    """What two strategies have in common, as a share of each one's tokens."""
    return (
        _of(mart(warehouse, "fct_selection_overlap"), corpus=corpus).drop("corpus").order_by("strategy_a", "strategy_b")
    )


# --- results ------------------------------------------------------------------------------------------------------


def experiments(warehouse: Any) -> ir.Table:
    """Experiments with scores, the latest first: experiment, n_runs, finished_at."""
    runs = warehouse.table("runs", database="raw")
    runs = runs.filter(runs.experiment.notnull() & (runs.kind == "score"))
    return (
        runs.group_by("experiment")
        .aggregate(n_runs=runs.count(), finished_at=runs.finished_at.max())
        .order_by(ibis.desc("finished_at"), "experiment")
    )


def scores(
    warehouse: Any, experiment: str, *, word_split: str = JUDGE, source_lang: str = ALL, target_lang: str = ALL
) -> ir.Table:
    """Translation scores of an experiment's runs in one direction (default: the mean over all), with intervals."""
    found = _of(
        mart(warehouse, "fct_translation_scores"),
        experiment=experiment,
        word_split=word_split,
        source_lang=source_lang,
        target_lang=target_lang,
    )
    return found.drop("experiment", "word_split").order_by("strategy", "seed", "run_id")


def scores_by_direction(warehouse: Any, experiment: str, *, word_split: str = JUDGE) -> ir.Table:
    """Mean score over seeds for every strategy and direction: strategy, source_lang, target_lang, score, n_seeds."""
    found = _of(mart(warehouse, "fct_translation_scores"), experiment=experiment, word_split=word_split)
    found = found.filter(found.source_lang != ALL)
    return (
        found.group_by("strategy", "source_lang", "target_lang")
        .aggregate(score=found.score.mean(), n_seeds=found.run_id.nunique())
        .order_by("source_lang", "target_lang", "strategy")
    )


def compare_strategies(
    warehouse: Any, experiment: str, strategy: str, baseline: str, *, word_split: str = JUDGE
) -> ir.Table:
    """Score of a strategy minus a baseline's, with intervals: one row per direction and `all`."""
    found = _of(
        mart(warehouse, "fct_strategy_comparison"),
        experiment=experiment,
        strategy=strategy,
        baseline=baseline,
        word_split=word_split,
    )
    return found.drop("experiment", "word_split").order_by("source_lang", "target_lang")


def mean_deltas(warehouse: Any, experiment: str, *, word_split: str = JUDGE) -> ir.Table:
    """Mean difference over all directions for every two strategies of an experiment, with intervals."""
    found = _of(
        mart(warehouse, "fct_strategy_comparison"),
        experiment=experiment,
        word_split=word_split,
        source_lang=ALL,
        target_lang=ALL,
    )
    return found.drop("experiment", "word_split", "source_lang", "target_lang").order_by("strategy", "baseline")


def mean_deltas_by_class(warehouse: Any, experiment: str, word_class: str, *, word_split: str = ALL) -> ir.Table:
    """Mean difference over all directions for every two strategies, for each value of a class of words.

    On planted corpora class `kind` says how a concept's words are linked: direct, pivot, unlinked.
    """
    found = _of(
        mart(warehouse, "fct_strategy_comparison_by_class"),
        experiment=experiment,
        word_class=word_class,
        word_split=word_split,
    )
    return found.drop("experiment", "word_class", "word_split").order_by("class_value", "strategy", "baseline")


def layer_curve(
    warehouse: Any, experiment: str, strategy: str, *, source_lang: str = ALL, target_lang: str = ALL
) -> ir.Table:
    """Probability of pivot, control, source and target tokens along the layers, by behaviour and run of a strategy."""
    curves = _of(mart(warehouse, "fct_pivot_layer_curves"), source_lang=source_lang, target_lang=target_lang)
    return (
        curves.join(_runs_of(warehouse, experiment), "run_id")
        .filter(lambda rows: rows.strategy == strategy)
        .order_by("run_id", "behaviour", "layer")
    )


def mean_layer_curves(warehouse: Any, experiment: str, *, source_lang: str = ALL, target_lang: str = ALL) -> ir.Table:
    """Layer curves as plain means over the runs of a strategy: strategy, behaviour, layer, p_*, n_items, n_runs."""
    curves = _of(mart(warehouse, "fct_pivot_layer_curves"), source_lang=source_lang, target_lang=target_lang)
    joined = curves.join(_runs_of(warehouse, experiment), "run_id")
    return (
        joined.group_by("strategy", "behaviour", "layer")
        .aggregate(
            p_pivot=joined.p_pivot.mean(),
            p_control=joined.p_control.mean(),
            p_source=joined.p_source.mean(),
            p_target=joined.p_target.mean(),
            n_items=joined.n_items.sum(),
            n_runs=joined.run_id.nunique(),
        )
        .order_by("strategy", "behaviour", "layer")
    )


def behaviour_counts(warehouse: Any, experiment: str) -> ir.Table:
    """How many words went straight to the target and how many through another: strategy, behaviour, n_words, share."""
    behaviours = mart(warehouse, "fct_behaviours").select("run_id", "behaviour")
    joined = behaviours.join(_runs_of(warehouse, experiment), "run_id")
    counted = joined.group_by("strategy", "behaviour").aggregate(n_words=joined.count(), n_runs=joined.run_id.nunique())
    whole = counted.n_words.sum().over(group_by=counted.strategy)
    return counted.mutate(share=counted.n_words / whole).order_by("strategy", "behaviour")


def behaviour_auc(warehouse: Any, experiment: str, *, source_lang: str = ALL, target_lang: str = ALL) -> ir.Table:
    """Does co-occurrence predict the behaviour? AUC by strategy, run and definition."""
    found = _of(mart(warehouse, "fct_behaviour_auc"), source_lang=source_lang, target_lang=target_lang)
    runs = _runs_of(warehouse, experiment)
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


def failure_signatures(warehouse: Any) -> ir.Table:
    """Known ways for a result to mean nothing, flagged ones first, with an explanation."""
    found = mart(warehouse, "fct_failure_signatures")
    return found.order_by(ibis.desc(found.status == "flagged"), "signature", "run_id")


def held_out_losses(warehouse: Any, experiment: str) -> ir.Table:
    """Loss on held-out documents by strategy and language, and its change against the untrained model."""
    found = _of(mart(warehouse, "fct_held_out_losses"), experiment=experiment)
    return found.drop("experiment").order_by("lang", "strategy", "seed")


def word_layer_traces(raw: Any, experiment: str, item_id: int, source_lang: str, target_lang: str) -> ir.Table:
    """What one word's translation looks like from inside: one row per run and layer, with the top token there.

    Reads the raw tables, which the published copy leaves out (see `documents_behind_pivot`).
    """
    traces = _of(
        raw.table("layer_traces", database="raw"), item_id=item_id, source_lang=source_lang, target_lang=target_lang
    ).drop("item_id", "source_lang", "target_lang")
    return traces.join(_runs_of(raw, experiment), "run_id").order_by("strategy", "seed", "run_id", "layer")


def traced_words(warehouse: Any, experiment: str, corpus: str, source_lang: str, target_lang: str) -> ir.Table:
    """Words of a direction that an experiment's runs were traced on: item_id and the two words, by source word."""
    behaviours = _of(mart(warehouse, "fct_behaviours"), source_lang=source_lang, target_lang=target_lang)
    traced = behaviours.semi_join(_runs_of(warehouse, experiment), "run_id")
    pairs = _of(
        mart(warehouse, "fct_word_pair_cooccurrence"), corpus=corpus, source_lang=source_lang, target_lang=target_lang
    )
    return (
        pairs.semi_join(traced, "item_id")
        .select("item_id", "source_word", "target_word", "source_lang", "target_lang")
        .order_by("source_word", "item_id")
    )


def behaviour_of_word(warehouse: Any, experiment: str, item_id: int, source_lang: str, target_lang: str) -> ir.Table:
    """How an experiment's runs treat one word: strategy, seed, behaviour, peak layer and the token there."""
    behaviours = _of(
        mart(warehouse, "fct_behaviours"), item_id=item_id, source_lang=source_lang, target_lang=target_lang
    ).select("run_id", "behaviour", "peak_layer", "top_token")
    return behaviours.join(_runs_of(warehouse, experiment), "run_id").order_by("strategy", "seed")


def words_with_pivots(warehouse: Any, corpus: str, source_lang: str, target_lang: str) -> ir.Table:
    """Pairs of a direction in which both words occur, the best supported first: item_id, words, documents of each."""
    pairs = _of(
        mart(warehouse, "fct_word_pair_cooccurrence"), corpus=corpus, source_lang=source_lang, target_lang=target_lang
    )
    pairs = pairs.filter(pairs.n_docs_source > 0, pairs.n_docs_target > 0)
    return pairs.order_by(ibis.desc(ibis.least(pairs.n_docs_source, pairs.n_docs_target)), "source_word", "item_id")


# --- lineage ------------------------------------------------------------------------------------------------------


def runs(warehouse: Any) -> ir.Table:
    """Every recorded run, the latest first."""
    return warehouse.table("runs", database="raw").order_by(ibis.desc("finished_at"), "run_id")


def rejects(warehouse: Any) -> ir.Table:
    """Records that could not be used: corpus, step, reason, n_records."""
    found = warehouse.table("rejects", database="raw")
    return (
        found.group_by("corpus", "step", "reason")
        .aggregate(n_records=found.count())
        .order_by(ibis.desc("n_records"), "corpus", "step", "reason")
    )


def _runs_of(warehouse: Any, experiment: str) -> ir.Table:
    """Runs of an experiment: run_id, strategy, seed."""
    return _of(warehouse.table("runs", database="raw"), experiment=experiment).select("run_id", "strategy", "seed")


def _of(table: ir.Table, **equal: Any) -> ir.Table:
    """Keep the rows in which columns equal given values."""
    return table.filter(*(table[column] == value for column, value in equal.items()))
