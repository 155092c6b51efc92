"""The questions analysts ask, as Ibis expressions over the marts.

Every function takes an Ibis backend on a warehouse (`warehouse.lake.connections.open_published_ibis`, a notebook's own
connection, Spark) and returns an expression: nothing runs until `.execute()`, `.to_pyarrow()` or `.to_polars()`, and
`ibis.to_sql(expression)` shows the SQL. Report, dashboard and the demo's summary use these and nothing else.

    >>> from warehouse import queries
    >>> from warehouse.lake.connections import open_published_ibis
    >>> with open_published_ibis(home) as warehouse:  # doctest: +SKIP
    ...     queries.pivots_of_pair(warehouse, "demo", "water", "en", "fr").execute()

A direction `all`, `all` is the mean over directions; a word split is `find`, `judge` or `all`. Scores, intervals,
ranks, means, shares and verdicts come from the marts as they are; what is computed here are counts of documents and
the differences of two runs that somebody chooses.
"""

from warehouse.serving.queries.corpus import (
    corpora,
    corpus_languages,
    corpus_tokenizers,
    current_counts,
    directions,
    rejects,
)
from warehouse.serving.queries.layers import (
    behaviour_auc,
    behaviour_counts,
    behaviour_of_word,
    behaviour_roc,
    behaviours_by_frequency,
    layer_curve,
    mean_layer_curves,
    traced_words,
    word_layer_traces,
)
from warehouse.serving.queries.network import (
    pivot_network,
    token_neighbours,
    tokens_like,
)
from warehouse.serving.queries.pivots import (
    candidates_by_method,
    pair_cooccurrence,
    pivot_quality,
    pivot_sets,
    pivot_tokens,
    pivots_by_both_methods,
    pivots_of_pair,
    planted_pivots,
    score_methods,
    strongest_pairs,
    words_with_pivots,
)
from warehouse.serving.queries.results import (
    compare_runs,
    compare_strategies,
    declared_experiments,
    direction_scores,
    experiments,
    failure_signatures,
    held_out_losses,
    mean_deltas,
    mean_deltas_by_class,
    runs,
    scores,
    scores_by_direction,
    strategy_scores,
)
from warehouse.serving.queries.selection import (
    documents_behind_pivot,
    selection_overlap,
    selection_summary,
    strategies,
    top_documents,
)
from warehouse.serving.queries.tables import (
    ALL,
    JUDGE,
    default_baseline,
    default_pivot_set,
    default_score_method,
    has_rows,
    mart,
)

__all__ = [
    "ALL",
    "JUDGE",
    "behaviour_auc",
    "behaviour_counts",
    "behaviour_of_word",
    "behaviour_roc",
    "behaviours_by_frequency",
    "candidates_by_method",
    "compare_runs",
    "compare_strategies",
    "corpora",
    "corpus_languages",
    "corpus_tokenizers",
    "current_counts",
    "declared_experiments",
    "default_baseline",
    "default_pivot_set",
    "default_score_method",
    "direction_scores",
    "directions",
    "documents_behind_pivot",
    "experiments",
    "failure_signatures",
    "has_rows",
    "held_out_losses",
    "layer_curve",
    "mart",
    "mean_deltas",
    "mean_deltas_by_class",
    "mean_layer_curves",
    "pair_cooccurrence",
    "pivot_network",
    "pivot_quality",
    "pivot_sets",
    "pivot_tokens",
    "pivots_by_both_methods",
    "pivots_of_pair",
    "planted_pivots",
    "rejects",
    "runs",
    "score_methods",
    "scores",
    "scores_by_direction",
    "selection_overlap",
    "selection_summary",
    "strategies",
    "strategy_scores",
    "strongest_pairs",
    "token_neighbours",
    "tokens_like",
    "top_documents",
    "traced_words",
    "word_layer_traces",
    "words_with_pivots",
]
