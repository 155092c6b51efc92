"""Pieces of the dashboard's pages: HTML and charts from rows of named queries."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import altair as alt

from warehouse.contract.token_text import visible_space
from warehouse.serving.excerpts import Segment
from warehouse.serving.report.charts import (
    CURVE_COLOURS,
    CURVES,
    METHOD_COLOURS,
    language_legend,
)
from warehouse.serving.strategies import Strategies
from warehouse.serving.units import UnitName

_NO_LANGUAGE = "#8a8f98"
_LARGEST_EXACT = 2**53  # JavaScript's numbers hold no larger integer exactly

STYLE = """<style>
.sp-text { line-height: 1.8; white-space: pre-wrap; overflow-wrap: anywhere; max-width: 60rem; }
.sp-text mark { border-radius: 4px; padding: .05em .15em; color: inherit; }
.sp-source { background: #4c8bd055; } .sp-target { background: #2ca08955; } .sp-pivot { background: #e0752d55; }
.sp-graph { width: 100%; max-width: 52rem; display: block; }
.sp-graph text { fill: currentColor; font-size: 13px; text-anchor: middle; }
.sp-graph .sp-middle { font-size: 17px; font-weight: 700; }
.sp-legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: 0; padding: 0; }
.sp-legend i { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em; }
</style>"""


def readable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows for a table in the browser: 64-bit identities as text, four digits of a number."""
    return [{name: _readable(name, value) for name, value in row.items()} for row in rows]


def _readable(name: str, value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, str) and (name == "token" or name == "neighbour" or name.endswith("_token")):
        return visible_space(value)
    is_wide = isinstance(value, int) and abs(value) > _LARGEST_EXACT
    return str(value) if is_wide or (name in ("doc_id", "item_id") and value is not None) else value


def marked_text(segments: Sequence[Segment], *, lang: str) -> str:
    """Return an excerpt with what was found marked."""
    pieces = [
        f'<mark class="sp-{kind}" title="{kind}">{escape(text)}</mark>' if kind else escape(text)
        for text, kind in segments
    ]
    return f'{STYLE}<div class="sp-text" lang="{escape(lang)}">{"".join(pieces)}</div>'


def heading(text: str) -> str:
    """Return a heading. Markdown would take the text of a token for markup."""
    return f"<h3>{escape(text)}</h3>"


def pair_sentence(pair: dict[str, Any], unit: UnitName) -> str:
    """Return in how many units the two words of a pair stand, and in how many together."""
    end = "." if unit.is_document else f" ({unit.described})."
    return (
        f"<p><strong>{escape(pair['source_word'])}</strong> stands in {pair['n_docs_source']:,} {unit.plural},"
        f" <strong>{escape(pair['target_word'])}</strong> in {pair['n_docs_target']:,},"
        f" both in {pair['n_docs_both']:,}{escape(end)}</p>"
    )


def curves(rows: list[dict[str, Any]], strategies: Strategies) -> alt.TopLevelMixin:
    """Probabilities along the layers, one panel per strategy."""
    data = [
        {"strategy": row["strategy"], "run": row["run_id"], "layer": row["layer"], "tokens": name, "p": row[column]}
        for row in rows
        for column, name in CURVES.items()
        if row[column] is not None
    ]
    names = list(CURVE_COLOURS)
    return (
        alt.Chart(alt.Data(values=data))
        .mark_line(point={"size": 30, "filled": True})
        .encode(
            x=alt.X("layer:Q", axis=alt.Axis(tickMinStep=1, format="d")),
            y=alt.Y("p:Q", title="probability"),
            color=alt.Color(
                "tokens:N", title=None, scale=alt.Scale(domain=names, range=[CURVE_COLOURS[name] for name in names])
            ),
            detail="run:N",
            tooltip=["strategy:N", "run:N", "tokens:N", "layer:Q", alt.Tooltip("p:Q", format=".4~g")],
        )
        .properties(width=230, height=150)
        .facet(alt.Facet("strategy:N", title=None, sort=strategies.order([row["strategy"] for row in data])), columns=3)
    )


def deltas(rows: list[dict[str, Any]], title: str) -> alt.TopLevelMixin:
    """Difference of two strategies by direction, with the interval over words."""
    data = [{**row, "direction": f"{row['source_lang']} → {row['target_lang']}"} for row in rows]
    base = alt.Chart(alt.Data(values=data)).encode(
        y=alt.Y("direction:N", title=None),
        tooltip=["direction:N"] + [alt.Tooltip(f"{c}:Q", format="+.4f") for c in ("score_delta", "ci_low", "ci_high")],
    )
    zero = (
        alt.Chart(alt.Data(values=[{"at": 0}]))
        .mark_rule(strokeDash=[4, 3])
        .encode(x="at:Q", color=alt.value("#8a8f98"))
    )
    colour = alt.value(METHOD_COLOURS["adjusted"])
    return alt.layer(
        zero,
        base.mark_rule(strokeWidth=4, opacity=0.5).encode(
            x=alt.X("ci_low:Q", title=title, axis=alt.Axis(format=".3~g")), x2="ci_high:Q", color=colour
        ),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=alt.X("score_delta:Q", title=title), color=colour),
    ).properties(width=520, height=24 * len(data))


def score_chart(rows: list[dict[str, Any]], strategies: Strategies) -> alt.TopLevelMixin:
    """Mean score of every run with its interval."""
    order = strategies.order([row["strategy"] for row in rows])
    data = [{**row, "run": row["strategy"] + ("" if row["seed"] is None else f" {row['seed']}")} for row in rows]
    base = alt.Chart(alt.Data(values=data)).encode(
        y=alt.Y("run:N", title=None, sort=[row["run"] for name in order for row in data if row["strategy"] == name]),
        color=alt.Color(
            "strategy:N",
            legend=None,
            scale=alt.Scale(domain=order, range=strategies.colours(order)),
        ),
        tooltip=["run:N"] + [alt.Tooltip(f"{c}:Q", format=".4f") for c in ("score", "ci_low", "ci_high")],
    )
    return alt.layer(
        base.mark_rule(strokeWidth=4, opacity=0.5).encode(
            x=alt.X("ci_low:Q", title="score", axis=alt.Axis(format=".3~g")), x2="ci_high:Q"
        ),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=alt.X("score:Q", title="score")),
    ).properties(width=520, height=24 * len(data))


def chosen_neighbour(selected: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return token_id and token of the neighbour that was selected in a table, None when nothing is.

    The token comes from the query's rows by its id: the table's text is for reading and cannot be turned back.
    """
    if not selected:
        return None
    token_id = int(selected[0]["neighbour_id"])
    return next({"token_id": token_id, "token": row["neighbour"]} for row in rows if row["neighbour_id"] == token_id)


def neighbourhood(centre: dict[str, Any], rows: list[dict[str, Any]], unit: UnitName) -> str:
    """Return a token in the middle of its neighbours as SVG, grouped by language, the strongest nearest.

    Drawn here, not by Altair: a walk from token to token has to answer at once, and a chart takes longer to check and
    to draw than its question takes to answer.
    """
    ordered = sorted(rows, key=lambda row: (row["neighbour_lang"] or "~", row["neighbour_rank"]))
    strongest = max(row["edge_weight"] for row in ordered)
    colours = dict(language_legend([lang for row in ordered if (lang := row["neighbour_lang"])]))
    lines, points = [], []
    for place, row in enumerate(ordered):
        angle = 2 * math.pi * place / len(ordered)
        distance = 1 - 0.55 * row["edge_weight"] / strongest
        x, y = 340 * distance * math.cos(angle), 225 * distance * math.sin(angle)
        colour = colours.get(row["neighbour_lang"] or "", _NO_LANGUAGE)
        name = escape(row["neighbour"].strip() or visible_space(row["neighbour"]))
        told = f"{name}: {row['n_docs_both']:,} {unit.plural} together, edge {row['edge_weight']:.3g}"
        lines.append(f'<line x2="{x:.1f}" y2="{y:.1f}"/>')
        points.append(
            f'<g transform="translate({x:.1f} {y:.1f})"><title>{told}</title><circle r="5" fill="{colour}"/>'
            f'<text y="-9">{name}</text></g>'
        )
    legend = "".join(
        f'<li><i style="background:{colour}"></i>{escape(lang)}</li>'
        for lang, colour in [*sorted(colours.items()), ("no language of its own", _NO_LANGUAGE)]
    )
    middle = escape(centre["token"].strip() or visible_space(centre["token"]))
    return (
        f'{STYLE}<ul class="sp-legend">{legend}</ul><svg class="sp-graph" viewBox="-400 -260 800 520" role="img"'
        f' aria-label="{middle} and its {len(ordered)} strongest neighbours, which the table lists">'
        f'<g stroke="currentColor" stroke-opacity=".22">{"".join(lines)}</g>{"".join(points)}'
        f'<circle r="9" fill="#6b7280"/><text class="sp-middle" y="-15">{middle}</text></svg>'
    )
