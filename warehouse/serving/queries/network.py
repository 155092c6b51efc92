"""Questions about the graph of tokens: what stands around a token, and what a pivot set joins."""

from typing import Any

import ibis
import ibis.expr.types as ir

from warehouse.serving.queries.tables import default_pivot_set, mart, where

GRAPHS = ("bridge", "adjacency")


def token_neighbours(warehouse: Any, corpus: str, token_id: int, *, graph: str = "bridge") -> ir.Table:
    """The strongest neighbours of a token: neighbour, neighbour_lang, edge_weight, n_docs_both, the strongest first."""
    found = where(mart(warehouse, "fct_token_neighbours"), corpus=corpus, token_id=token_id, graph=graph)
    return found.drop("corpus", "graph").order_by("neighbour_rank")


def tokens_like(warehouse: Any, corpus: str, text: str, *, graph: str = "bridge", limit: int = 50) -> ir.Table:
    """Tokens with neighbours in a graph that begin with a text, white space and case aside; the most frequent first.

    An empty text finds every token.
    """
    tokens = where(mart(warehouse, "fct_token_neighbours"), corpus=corpus, graph=graph, neighbour_rank=1)
    if text.strip():
        tokens = tokens.filter(tokens.token.strip().lower().startswith(text.strip().lower()))
    return tokens.select("token_id", "token", "lang", "n_docs").order_by(ibis.desc("n_docs"), "token_id").limit(limit)


def pivot_network(
    warehouse: Any, corpus: str, *, pivot_set: str | None = None, n_pivots: int = 24, per_lang: int = 1
) -> ir.Table:
    """Edges from the best tokens of a pivot set (the default one) to their strongest neighbours of each language.

    One row per pivot, language and neighbour: rank, token_id, token, lang, neighbour_id, neighbour, neighbour_lang,
    edge_weight, n_docs_both. Neighbours that belong to no language are left out.
    """
    pivot_set = pivot_set or default_pivot_set(warehouse, corpus)
    graph = "adjacency" if (pivot_set or "").startswith("adjacency") else "bridge"
    members = where(mart(warehouse, "dim_pivot_tokens"), corpus=corpus, pivot_set=pivot_set)
    best = members.filter(members["rank"] <= n_pivots).select("token_id", "rank")
    edges = where(mart(warehouse, "fct_token_neighbours"), corpus=corpus, graph=graph)
    edges = edges.filter(edges.neighbour_lang.notnull()).join(best, "token_id")
    return (
        edges.filter(edges.neighbour_rank_in_lang <= per_lang)
        .select(
            "rank",
            "token_id",
            "token",
            "lang",
            "neighbour_id",
            "neighbour",
            "neighbour_lang",
            "edge_weight",
            "n_docs_both",
        )
        .order_by("rank", "neighbour_lang", "neighbour_id")
    )
