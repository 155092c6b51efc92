"""Pieces of the dashboard's pages: HTML and charts from rows of named queries."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import altair as alt

from warehouse.contract.token_text import visible_space
from warehouse.serving.dashboard.tables import TOKEN_ID
from warehouse.serving.excerpts import Segment
from warehouse.serving.report.charts import (
    CURVE_COLOURS,
    CURVES,
    METHOD_COLOURS,
    language_legend,
)
from warehouse.serving.strategies import Strategies, label
from warehouse.serving.units import UnitName

_NO_LANGUAGE = "#8a8f98"
PAGES = {
    "Overview": "What the corpus holds, what came out of the experiment, what to doubt of it, and what is stale.",
    "Pivots": "Which tokens stand beside both words of a pair, by every score method, and the documents they stand in.",
    "Graph": "A token between its strongest neighbours: what it shares more text with than chance would give.",
    "Layers": "What a model would say after each of its layers, on the way from a word to its translation.",
    "Documents": "Which documents of a language are densest in tokens of a pivot set: what pivot-aware training reads.",
    "Strategies": "What models learned from the documents that each strategy chose, and whether two strategies differ.",
    "SQL": "Any other question, as one query on the published tables.",
}

STYLE = """<style>
.sp-text { line-height: 1.8; white-space: pre-wrap; overflow-wrap: anywhere; max-width: 60rem; }
.sp-text mark { border-radius: 4px; padding: .05em .15em; color: inherit; }
.sp-source { background: #4c8bd055; } .sp-target { background: #2ca08955; } .sp-pivot { background: #e0752d55; }
.sp-says { margin: 0; opacity: .8; } .sp-points { margin: 0; padding-left: 1.2rem; list-style: disc; }
.sp-heading { margin: .8rem 0 0; font-size: 1.25rem; font-weight: 600; }
.sp-graph { width: 100%; max-width: 52rem; display: block; }
.sp-graph text { fill: currentColor; font-size: 13px; text-anchor: middle; }
.sp-graph .sp-middle { font-size: 17px; font-weight: 700; }
.sp-legend { list-style: none; display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: 0; padding: 0; }
.sp-legend i { display: inline-block; width: .7em; height: .7em; border-radius: 50%; margin-right: .4em; }
</style>"""


def says(page: str) -> str:
    """Return what a page of the dashboard shows, in a sentence."""
    return f'{STYLE}<p class="sp-says">{escape(PAGES[page])}</p>'


def points(headline: str, sentences: Sequence[str]) -> str:
    """Return a headline and what stands behind it, as a list."""
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f"<p><strong>{escape(headline)}</strong></p>" + (f'<ul class="sp-points">{items}</ul>' if items else "")


def terms(meanings: Sequence[tuple[str, str]]) -> str:
    """Return names with their meaning, a line each."""
    items = "".join(f"<li><strong>{escape(name)}</strong>: {escape(meaning)}</li>" for name, meaning in meanings)
    return f'{STYLE}<ul class="sp-points">{items}</ul>'


def marked_text(segments: Sequence[Segment], *, lang: str) -> str:
    """Return an excerpt with what was found marked."""
    pieces = [
        f'<mark class="sp-{kind}" title="{kind}">{escape(text)}</mark>' if kind else escape(text)
        for text, kind in segments
    ]
    return f'{STYLE}<div class="sp-text" lang="{escape(lang)}">{"".join(pieces)}</div>'


def heading(text: str) -> str:
    """Return a heading. Markdown would take the text of a token for markup."""
    return f'{STYLE}<h2 class="sp-heading">{escape(text)}</h2>'


def pair_sentence(pair: dict[str, Any], unit: UnitName) -> str:
    """Return in how many units the two words of a pair stand, and in how many together."""
    end = "." if unit.is_document else f" ({unit.described})."
    return (
        f"<p><strong>{escape(pair['source_word'])}</strong> stands in {pair['n_docs_source']:,} {unit.plural},"
        f" <strong>{escape(pair['target_word'])}</strong> in {pair['n_docs_target']:,},"
        f" both in {pair['n_docs_both']:,}{escape(end)}</p>"
    )


def run_name(row: dict[str, Any]) -> str:
    """Return how a run is called: its strategy, and the seed of its training where it was trained."""
    return label(row["strategy"]) + ("" if row["seed"] is None else f", seed {row['seed']}")


def curves(rows: list[dict[str, Any]], strategies: Strategies) -> alt.TopLevelMixin:
    """Probabilities along the layers, one panel per strategy."""
    data = [
        {
            "strategy": label(row["strategy"]),
            "run": run_name(row),
            "layer": row["layer"],
            "tokens": name,
            "p": row[column],
        }
        for row in rows
        for column, name in CURVES.items()
        if row[column] is not None
    ]
    names, order = list(CURVE_COLOURS), strategies.order([row["strategy"] for row in rows])
    return (
        alt.Chart(alt.Data(values=data))
        .mark_line(point={"size": 30, "filled": True})
        .encode(
            x=alt.X("layer:Q", title="layer", axis=alt.Axis(tickMinStep=1, format="d")),
            y=alt.Y("p:Q", title="probability"),
            color=alt.Color(
                "tokens:N", title=None, scale=alt.Scale(domain=names, range=[CURVE_COLOURS[name] for name in names])
            ),
            detail="run:N",  # seeds of a strategy, one line each
            tooltip=["strategy:N", "run:N", "tokens:N", "layer:Q", alt.Tooltip("p:Q", format=".4~g")],
        )
        .properties(width=230, height=150)
        .facet(
            alt.Facet("strategy:N", title=None, sort=[label(name) for name in order]),
            columns=3,
        )
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
    ).properties(width="container", height=24 * len(data))


def score_chart(rows: list[dict[str, Any]], strategies: Strategies) -> alt.TopLevelMixin:
    """Mean score of every run with its interval."""
    order = strategies.order([row["strategy"] for row in rows])
    data = [{**row, "run": run_name(row)} for row in rows]
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
    ).properties(width="container", height=24 * len(data))


def chosen_neighbour(selected: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Return token_id and token of the neighbour that was selected in a table, None when nothing is.

    The token comes from the query's rows by its id: the table's text is for reading and cannot be turned back.
    """
    if not selected:
        return None
    token_id = int(selected[0][TOKEN_ID])
    return next({"token_id": token_id, "token": row["neighbour"]} for row in rows if row["neighbour_id"] == token_id)


def neighbourhood(centre: dict[str, Any], rows: list[dict[str, Any]], unit: UnitName, langs: Sequence[str] = ()) -> str:
    """Return a token in the middle of its neighbours as SVG, grouped by language, the strongest nearest.

    Args:
        langs: the corpus's languages, whose colours are those of every other page.

    Drawn here, not by Altair: a walk from token to token has to answer at once, and a chart takes longer to check and
    to draw than its question takes to answer.
    """
    ordered = sorted(rows, key=lambda row: (row["neighbour_lang"] or "~", row["neighbour_rank"]))
    strongest = max(row["edge_weight"] for row in ordered)
    seen = {row["neighbour_lang"] for row in ordered if row["neighbour_lang"]}
    colours = {lang: colour for lang, colour in language_legend([*langs, *sorted(seen)]) if lang in seen}
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
        f'{STYLE}<p class="sp-says">The nearer to the middle, the stronger: the more {unit.plural} the two tokens share'
        " beyond what chance would give. The colour is the neighbour’s own language; the way around means nothing.</p>"
        f'<ul class="sp-legend">{legend}</ul><svg class="sp-graph" viewBox="-400 -260 800 520" role="img"'
        f' aria-label="{middle} and its {len(ordered)} strongest neighbours, which the table lists">'
        f'<g stroke="currentColor" stroke-opacity=".22">{"".join(lines)}</g>{"".join(points)}'
        f'<circle r="9" fill="#6b7280"/><text class="sp-middle" y="-15">{middle}</text></svg>'
    )
