"""Pieces of the dashboard's pages: HTML and charts from rows of named queries."""

from collections.abc import Sequence
from html import escape
from typing import Any

import altair as alt

from warehouse.excerpts import Segment
from warehouse.report.charts import CURVE_COLOURS, CURVES, METHOD_COLOURS, STRATEGIES, STRATEGY_COLOURS, strategy_order

_LARGEST_EXACT = 2**53  # JavaScript's numbers hold no larger integer exactly

STYLE = """<style>
.sp-both { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: 1.2rem; }
.sp-list h4 { margin: 0 0 .4rem; font-weight: 600; }
.sp-list ol { list-style: none; margin: 0; padding: 0; }
.sp-list li { position: relative; display: flex; gap: .5rem; align-items: center; padding: .2rem .45rem; }
.sp-list li { margin: 0 0 3px; }
.sp-bar { position: absolute; inset: 0 auto 0 0; border-radius: 5px; opacity: .24; }
.sp-token { position: relative; white-space: pre; }
.sp-token { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", "Noto Sans Mono CJK SC", monospace; }
.sp-space { opacity: .4; font-size: .8em; }
.sp-score { position: relative; margin-left: auto; opacity: .75; font-size: .85em; font-variant-numeric: tabular-nums; }
.sp-tick { position: relative; color: #1f8f6b; font-weight: 700; }
.sp-text { line-height: 1.8; white-space: pre-wrap; overflow-wrap: anywhere; max-width: 60rem; }
.sp-text mark { border-radius: 4px; padding: .05em .15em; color: inherit; }
.sp-source { background: #4c8bd055; } .sp-target { background: #2ca08955; } .sp-pivot { background: #e0752d55; }
.sp-muted { opacity: .75; }
</style>"""


def readable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows for a table in the browser: 64-bit identities as text, four digits of a number."""
    return [{name: _readable(name, value) for name, value in row.items()} for row in rows]


def _readable(name: str, value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    is_wide = isinstance(value, int) and abs(value) > _LARGEST_EXACT
    return str(value) if is_wide or (name in ("doc_id", "item_id") and value is not None) else value


def token(text: str) -> str:
    """Return a token as HTML in which its white space shows."""
    shown = escape(text).replace(" ", '<span class="sp-space">␣</span>').replace("\n", "⏎").replace("\t", "⇥")
    return f'<span class="sp-token">{shown}</span>'


def pivot_lists(by_method: dict[str, list[dict[str, Any]]], planted: set[int]) -> str:
    """Return the candidates of a pair as one ranked list per method."""
    lists = "".join(_pivot_list(method, rows, planted) for method, rows in by_method.items())
    return f'{STYLE}<div class="sp-both">{lists}</div>'


def _pivot_list(method: str, rows: list[dict[str, Any]], planted: set[int]) -> str:
    items = []
    for row in rows:
        share = row["pivot_score"] / rows[0]["pivot_score"]
        tick = (
            '<span class="sp-tick" title="planted as a pivot of this pair">✓</span>'
            if row["token_id"] in planted
            else ""
        )
        rates = f"with the source word {row['source_rate']:.3g}, with the target word {row['target_rate']:.3g}"
        items.append(
            f'<li><span class="sp-bar" style="width:{share:.1%};background:{METHOD_COLOURS[method]}"></span>'
            f'{token(row["token"])}{tick}<span class="sp-score" title="{rates}, of all {row["background_rate"]:.3g}">'
            f"{row['pivot_score']:.4g}</span></li>"
        )
    body = f"<ol>{''.join(items)}</ol>" if items else '<p class="sp-muted">No candidate scores above zero.</p>'
    return f'<div class="sp-list"><h4>{method}</h4>{body}</div>'


def marked_text(segments: Sequence[Segment], *, lang: str) -> str:
    """Return an excerpt with what was found marked."""
    pieces = [
        f'<mark class="sp-{kind}" title="{kind}">{escape(text)}</mark>' if kind else escape(text)
        for text, kind in segments
    ]
    return f'{STYLE}<div class="sp-text" lang="{escape(lang)}">{"".join(pieces)}</div>'


def curves(rows: list[dict[str, Any]]) -> alt.TopLevelMixin:
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
        .facet(alt.Facet("strategy:N", title=None, sort=strategy_order([row["strategy"] for row in data])), columns=3)
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


def score_chart(rows: list[dict[str, Any]]) -> alt.TopLevelMixin:
    """Mean score of every run with its interval."""
    order = strategy_order([row["strategy"] for row in rows])
    known = dict(zip(STRATEGIES, STRATEGY_COLOURS, strict=True))
    data = [{**row, "run": row["strategy"] + ("" if row["seed"] is None else f" {row['seed']}")} for row in rows]
    base = alt.Chart(alt.Data(values=data)).encode(
        y=alt.Y("run:N", title=None, sort=[row["run"] for name in order for row in data if row["strategy"] == name]),
        color=alt.Color(
            "strategy:N",
            legend=None,
            scale=alt.Scale(domain=order, range=[known.get(name, "#8a8f98") for name in order]),
        ),
        tooltip=["run:N"] + [alt.Tooltip(f"{c}:Q", format=".4f") for c in ("score", "ci_low", "ci_high")],
    )
    return alt.layer(
        base.mark_rule(strokeWidth=4, opacity=0.5).encode(
            x=alt.X("ci_low:Q", title="score", axis=alt.Axis(format=".3~g")), x2="ci_high:Q"
        ),
        base.mark_point(filled=True, size=70, opacity=1).encode(x=alt.X("score:Q", title="score")),
    ).properties(width=520, height=24 * len(data))
