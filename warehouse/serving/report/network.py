"""A picture of the graph of tokens: the best pivots between the words of the languages that they join."""

from typing import Any

import altair as alt
import networkx as nx

from warehouse.serving import queries
from warehouse.serving.report import charts
from warehouse.serving.report.blocks import Block, Figure, Missing, ask
from warehouse.serving.units import UnitName

_PIVOTS_SHOWN = 16
_PIVOT = "pivot"
_PIVOT_COLOUR = "#6b7280"
_HEIGHT = 620


def network(warehouse: Any, corpus: str, unit: UnitName) -> Block:
    """Return the figure of the default pivot set's best tokens and their strongest neighbour in each language."""
    title = "The best pivots and what they join"
    if not queries.has_rows(warehouse, "fct_token_neighbours"):
        return Missing(title=title, says="The graph of tokens has no edge.", command="pivots count, then pivots build")
    answer = ask(queries.pivot_network, warehouse, corpus, n_pivots=_PIVOTS_SHOWN)
    if not answer.rows:
        return Missing(title=title, says="No pivot has a neighbour of a language.", command="pivots build")
    langs = [row["lang"] for row in ask(queries.corpus_languages, warehouse, corpus).rows]
    seen = {row["neighbour_lang"] for row in answer.rows}
    legend = [(lang, colour) for lang, colour in charts.language_legend(langs) if lang in seen]
    first = [row for row in answer.rows if row["rank"] == answer.rows[0]["rank"]]
    joined = ", ".join(f"{row['neighbour'].strip()} ({row['neighbour_lang']})" for row in first)
    pivot_set = queries.default_pivot_set(warehouse, corpus)
    return Figure(
        title=title,
        says=f"The {len({row['token_id'] for row in answer.rows})} best tokens of the set `{pivot_set}`"
        f" (grey), each joined to the token of every language that it shares most {unit.plural} with, against what"
        f" chance would give. The best one, “{first[0]['token'].strip()}”, joins {joined}."
        " Position means nothing but nearness in the graph. A name that would lie on another is left out: point at its"
        " dot, or see the numbers.",
        panels=[("", _picture(answer.rows, legend, unit))],
        legend=[(_PIVOT, _PIVOT_COLOUR), *legend],
        answer=answer,
    )


def layout(edges: list[tuple[int, int, float]]) -> dict[int, tuple[float, float]]:
    """Return a place in the unit square for every node: the same for the same edges, on every machine.

    Components are laid out one by one (Fruchterman and Reingold, fixed seed) and packed into rows, the largest first,
    so that none is thrown out of sight.
    """
    graph = nx.Graph()
    graph.add_nodes_from(
        sorted({node for a, b, _ in edges for node in (a, b)})
    )  # their order decides where each begins
    graph.add_weighted_edges_from(sorted(edges))
    parts = sorted((sorted(part) for part in nx.connected_components(graph)), key=lambda part: (-len(part), part[0]))
    boxes = []
    for part in parts:
        side = max(1.0, len(part) ** 0.62)
        places = nx.spring_layout(graph.subgraph(part), seed=0, weight=None, iterations=300, k=1.7 / len(part) ** 0.5)
        xs, ys = ([place[axis] for place in places.values()] for axis in (0, 1))
        spans = [(min(values), (max(values) - min(values)) or 1.0) for values in (xs, ys)]
        scaled = {n: tuple((p[a] - spans[a][0]) / spans[a][1] * side for a in (0, 1)) for n, p in places.items()}
        boxes.append((side, scaled))
    width = max(boxes[0][0], sum(side * side for side, _ in boxes) ** 0.5 * 1.25)
    placed: dict[int, tuple[float, float]] = {}
    left = top = row_height = 0.0
    for side, scaled in boxes:
        if left and left + side > width:
            left, top, row_height = 0.0, top + row_height + 0.8, 0.0
        placed |= {node: (left + x, top + y) for node, (x, y) in scaled.items()}
        left, row_height = left + side + 0.9, max(row_height, side)
    right, bottom = (max(place[axis] for place in placed.values()) or 1.0 for axis in (0, 1))
    return {node: (round(x / right, 3), round(1 - y / bottom, 3)) for node, (x, y) in placed.items()}


def _picture(rows: list[dict[str, Any]], legend: charts.Legend, unit: UnitName) -> dict[str, Any]:
    places = layout([(row["token_id"], row["neighbour_id"], row["edge_weight"]) for row in rows])
    strongest = max(row["edge_weight"] for row in rows)
    nodes = {row["neighbour_id"]: (row["neighbour"], row["neighbour_lang"]) for row in rows}
    nodes |= {row["token_id"]: (row["token"], _PIVOT) for row in rows}
    node_rows = [
        {
            "x": places[n][0],
            "y": places[n][1],
            "token": text.strip(),
            "kind": kind,
            "size": 13 if kind == _PIVOT else 11,
        }
        # pivots first: where two names would lie on each other, the page leaves the later one out
        for n, (text, kind) in sorted(nodes.items(), key=lambda node: (node[1][1] != _PIVOT, node[0]))
    ]
    edge_rows = [
        {
            "x": places[row["token_id"]][0],
            "y": places[row["token_id"]][1],
            "x2": places[row["neighbour_id"]][0],
            "y2": places[row["neighbour_id"]][1],
            "edge": f"{row['token'].strip()} – {row['neighbour'].strip()}",
            "z": row["edge_weight"],
            "shared": row["n_docs_both"],
            "width": round(1 + 4 * row["edge_weight"] / strongest, 2),
        }
        for row in rows
    ]
    kinds = [(_PIVOT, _PIVOT_COLOUR), *legend]
    scale = alt.Scale(domain=[kind for kind, _ in kinds], range=[colour for _, colour in kinds])
    plain: dict[str, Any] = {"axis": None, "scale": alt.Scale(domain=[-0.04, 1.04], nice=False, zero=False)}
    edges = (
        alt.Chart(alt.Data(values=edge_rows))
        .mark_rule(opacity=0.35, color="#8a8f98")
        .encode(
            x=alt.X("x:Q", **plain),
            y=alt.Y("y:Q", **plain),
            x2="x2:Q",
            y2="y2:Q",
            strokeWidth=alt.StrokeWidth("width:Q", scale=None),
            tooltip=["edge:N", alt.Tooltip("z:Q", format=".1f"), alt.Tooltip("shared:Q", title=unit.plural)],
        )
    )
    dots = alt.Chart(alt.Data(values=node_rows)).encode(x=alt.X("x:Q", **plain), y=alt.Y("y:Q", **plain))
    circles = dots.mark_point(filled=True, opacity=1).encode(
        color=alt.Color("kind:N", scale=scale, legend=None),
        size=alt.condition(f"datum.kind == '{_PIVOT}'", alt.value(150), alt.value(55)),
        tooltip=["token:N", "kind:N"],
    )
    names = dots.mark_text(dy=-11, baseline="bottom", fontSize=12).encode(
        text="token:N", size=alt.Size("size:Q", scale=None)
    )
    return charts.finished(alt.layer(edges, circles, names), height=_HEIGHT)
