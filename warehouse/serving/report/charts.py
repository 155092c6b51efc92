"""Charts, by Altair, as Vega-Lite specifications. Colours read on light and dark; text colours come from the page."""

import zlib
from collections.abc import Sequence
from typing import Any

import altair as alt

from warehouse.serving.strategies import SPARE_COLOURS, Strategies, label

BEHAVIOUR_COLOURS = {"cooccurrence": "#4c8bd0", "pivot": "#e0752d", "excluded": "#8a8f98", "unread": "#c3c7ce"}
METHOD_COLOURS = {"adjusted": "#e0752d", "specific": "#2ca089", "paper": "#4c8bd0"}
# A language has its colour wherever it is shown: on every page, of every corpus. Other languages take a spare one by
# their name, the next free one where two of a chart would have the same.
_LANGUAGE_COLOURS = {
    "en": "#4c8bd0",
    "fr": "#e0752d",
    "ja": "#2ca089",
    "zh": "#9b6dcc",
    "de": "#a3a635",
    "es": "#d1587f",
}
_SPARE_LANGUAGE_COLOURS = ("#b08968", "#708090", "#5f9ea0", "#c77dff", "#6b8e23", "#cd5c5c", "#d4a017", "#7a5195")
CURVES = {"p_pivot": "pivot", "p_control": "control pivots", "p_source": "source", "p_target": "target"}
CURVE_COLOURS = {"pivot": "#e0752d", "control pivots": "#b9a594", "source": "#4c8bd0", "target": "#2ca089"}
_ROW_HEIGHT = 26

_EDGE = 7  # pixels between the ends of a scale and what it shows

Legend = list[tuple[str, str]]
Domain = tuple[float, float]


def method_legend(names: Sequence[str]) -> Legend:
    """Return score methods with their colours, the known ones first."""
    spare = iter(SPARE_COLOURS * (1 + len(names)))
    ordered = [name for name in METHOD_COLOURS if name in names] + sorted(set(names) - set(METHOD_COLOURS))
    return [(name, METHOD_COLOURS.get(name) or next(spare)) for name in ordered]


def stacked_shares(
    rows: list[dict[str, Any]], *, y: str, part: str, share: str, legend: Legend, strategies: Strategies | None = None
) -> dict[str, Any]:
    """One bar per `y`, cut into the shares of `part`, in the legend's order and colours.

    Args:
        strategies: bars stand in their order; without them in the rows' own.
    """
    order = _order([row[y] for row in rows], strategies)
    names = [name for name, _ in legend]
    data = [
        {"name": label(row[y]), "part": row[part], "share": row[share], "order": names.index(row[part])} for row in rows
    ]
    chart = (
        alt.Chart(_data(data))
        .mark_bar(height={"band": 0.72})
        .encode(
            y=_names("name", [label(name) for name in order]),
            x=alt.X("share:Q", title=None, axis=alt.Axis(format="%", tickCount=5), scale=alt.Scale(domain=[0, 1])),
            color=_legend_colours("part", legend),
            order="order:Q",
            tooltip=[
                alt.Tooltip("name:N", title=y),
                alt.Tooltip("part:N", title=part),
                alt.Tooltip("share:Q", format=".1%"),
            ],
        )
    )
    return finished(chart, height=_ROW_HEIGHT * len(order))


def dots(
    rows: list[dict[str, Any]],
    *,
    y: str,
    x: str,
    colour: str,
    legend: Legend,
    title: str,
    strategies: Strategies,
    number: str = ".3~g",
) -> dict[str, Any]:
    """One row per `y`, in the order of strategies; a dot per `colour`, on a line of its own: none hides another."""
    order = strategies.order([row[y] for row in rows])
    parts = [name for name, _ in legend]
    data = [{"name": label(row[y]), "part": row[colour], "value": row[x]} for row in rows if row[x] is not None]
    chart = (
        alt.Chart(_data(data))
        .mark_point(filled=True, size=48, opacity=0.95)
        .encode(
            y=_names("name", [label(name) for name in order], lines_between=True),
            yOffset=alt.YOffset("part:N", sort=parts, scale=alt.Scale(domain=parts, paddingOuter=0.3)),
            x=alt.X(
                "value:Q",
                title=title,
                axis=alt.Axis(format=number, tickCount=5),
                scale=alt.Scale(zero=False, padding=_EDGE),  # a dot at the edge does not stand on the names
            ),
            color=_legend_colours("part", legend),
            tooltip=[
                alt.Tooltip("name:N", title=y),
                alt.Tooltip("part:N", title=colour),
                alt.Tooltip("value:Q", title=title, format=".4~g"),
            ],
        )
    )
    return finished(chart, height=max(_ROW_HEIGHT, 8 * len(parts) + 6) * len(order))


def intervals(
    rows: list[dict[str, Any]],
    *,
    y: str,
    value: str,
    low: str,
    high: str,
    title: str,
    wide: tuple[str, str] | None = None,
    reference: float | None = None,
    strategies: Strategies | None = None,
    domain: Domain | None = None,
) -> dict[str, Any]:
    """A dot with its interval per row; several rows of one `y` stand side by side.

    Args:
        wide: columns of a second interval, drawn thinner.
        domain: ends of the scale, for panels that are compared; without it the rows' own.
        strategies: order and colours; without them the rows' own order and one colour.
    """
    order = _order([row[y] for row in rows], strategies)
    counts: dict[str, int] = {}
    data = []
    for row in rows:
        within = counts[row[y]] = counts.get(row[y], -1) + 1
        data.append(
            {
                "name": label(row[y]),
                "which": "" if row.get("seed") is None else f"seed {row['seed']}",
                "within": within,
                "value": row[value],
                "low": row[low],
                "high": row[high],
                "wide_low": row[wide[0]] if wide else None,
                "wide_high": row[wide[1]] if wide else None,
            }
        )
    per_name = max(counts.values(), default=0) + 1
    names = [label(name) for name in order]
    colour = _colours("name", names, strategies.colours(order)) if strategies else alt.value(METHOD_COLOURS["adjusted"])
    tooltip = [alt.Tooltip("name:N", title=y), alt.Tooltip("which:N", title="run")] + [
        alt.Tooltip(f"{name}:Q", title=heading, format=".4~g")
        for name, heading in (("value", title), ("low", "95 % low"), ("high", "95 % high"))
    ]
    base = alt.Chart(_data(data)).encode(
        y=_names("name", names),
        yOffset=alt.YOffset("within:O", scale=alt.Scale(paddingInner=0.2, paddingOuter=0.2)),
        color=colour,
        tooltip=tooltip,
    )
    axis = alt.X("low:Q", title=title, axis=alt.Axis(tickCount=5, format=".3~g"), scale=_scale(domain))
    layers: list[alt.Chart] = []
    if reference is not None:
        layers.append(
            alt.Chart(_data([{"at": reference}]))
            .mark_rule(strokeDash=[4, 3], opacity=0.7)
            .encode(x="at:Q", color=alt.value("#8a8f98"))
        )
    if wide:
        layers.append(
            base.mark_rule(strokeWidth=1.5, opacity=0.7).encode(x=alt.X("wide_low:Q", title=title), x2="wide_high:Q")
        )
    layers.append(base.mark_rule(strokeWidth=4, opacity=0.55, strokeCap="round").encode(x=axis, x2="high:Q"))
    layers.append(base.mark_point(filled=True, size=60, opacity=1).encode(x=alt.X("value:Q", title=title)))
    step = max(_ROW_HEIGHT, 13 * per_name)
    return finished(alt.layer(*layers), height=step * len(names))


def grouped_intervals(
    rows: list[dict[str, Any]], *, order: list[str], colours: list[str], domain: Domain | None = None
) -> dict[str, Any]:
    """Scores by target language, a row of its own for every strategy; seeds of a strategy lie over each other."""
    names = [label(name) for name in order]
    data = [
        {
            "to": f"to {row['target_lang']}",
            "name": label(row["strategy"]),
            "which": "" if row["seed"] is None else f"seed {row['seed']}",
            "score": row["score"],
            "low": row["ci_low"],
            "high": row["ci_high"],
            "n": row["n_items"],
        }
        for row in rows
    ]
    base = alt.Chart(_data(data)).encode(
        y=alt.Y("to:N", title=None, axis=alt.Axis(ticks=False, domain=False)),
        yOffset=alt.YOffset("name:N", sort=names, scale=alt.Scale(paddingInner=0.2, paddingOuter=0.4)),
        color=_colours("name", names, colours),
        tooltip=["name:N", "which:N", "to:N"]
        + [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("score", "low", "high")]
        + [alt.Tooltip("n:Q", title="words")],
    )
    axis = alt.Axis(tickCount=5, format=".3~g")
    return finished(
        alt.layer(
            base.mark_rule(strokeWidth=3.5, opacity=0.45, strokeCap="round").encode(
                x=alt.X("low:Q", title="score", axis=axis, scale=_scale(domain)), x2="high:Q"
            ),
            base.mark_point(filled=True, size=40, opacity=1).encode(x=alt.X("score:Q", title="score")),
        ),
        height=len({row["to"] for row in data}) * (11 * len(names) + 12),
    )


def roc_lines(rows: list[dict[str, Any]], *, unit: str, strategies: Strategies) -> dict[str, Any]:
    """One curve per run from (0, 0) to (1, 1), coloured by strategy, over the diagonal.

    Args:
        unit: what the two words of a pair share, in the plural.
    """
    order = strategies.order([row["strategy"] for row in rows])
    names = [label(name) for name in order]
    data = []
    for run in dict.fromkeys(row["run_id"] for row in rows):
        points = [row for row in rows if row["run_id"] == run]
        start = {**points[0], "false_positive_rate": 0.0, "true_positive_rate": 0.0, "min_docs_both": None}
        data += [
            {
                "name": label(row["strategy"]),
                "run": run,
                "order": place,
                "x": row["false_positive_rate"],
                "y": row["true_positive_rate"],
                "cut": row["min_docs_both"],
            }
            for place, row in enumerate([start, *points])
        ]
    rates: dict[str, Any] = {"scale": alt.Scale(domain=[0, 1]), "axis": alt.Axis(format=".0%", tickCount=5)}
    diagonal = (
        alt.Chart(_data([{"x": 0, "y": 0}, {"x": 1, "y": 1}]))
        .mark_line(strokeDash=[4, 3], opacity=0.7, strokeWidth=1.5)
        .encode(x="x:Q", y="y:Q", color=alt.value("#8a8f98"))
    )
    curves = (
        alt.Chart(_data(data))
        .mark_line(point={"size": 24, "filled": True}, strokeWidth=1.8, opacity=0.85)
        .encode(
            x=alt.X("x:Q", title="pivot words caught by mistake", **rates),
            y=alt.Y("y:Q", title="straight words caught", **rates),
            order="order:Q",
            detail="run:N",
            color=_colours("name", names, strategies.colours(order)),
            tooltip=["name:N", "run:N", alt.Tooltip("cut:Q", title=f"shared {unit}, at least"), "x:Q", "y:Q"],
        )
    )
    return finished(alt.layer(diagonal, curves), height=300)


def quality_lines(rows: list[dict[str, Any]], *, value: str) -> dict[str, Any]:
    """Recall or precision by list length, one line per direction, coloured by method."""
    data = [
        {
            "k": row["top_k"],
            "value": row[value],
            "method": row["score_method"],
            "direction": f"{row['source_lang']}→{row['target_lang']} by {row['pivot_lang']}",
            "n": row["n_pairs"],
        }
        for row in rows
        if row[value] is not None
    ]
    legend = method_legend([row["method"] for row in data])
    ks = sorted({row["k"] for row in data})
    chart = (
        alt.Chart(_data(data))
        .mark_line(point={"size": 28, "filled": True}, opacity=0.75, strokeWidth=1.5)
        .encode(
            x=alt.X(
                "k:Q", title="candidates looked at", scale=alt.Scale(type="log"), axis=alt.Axis(values=ks, format="d")
            ),
            y=alt.Y("value:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5)),
            color=_legend_colours("method", legend),
            detail="direction:N",
            tooltip=[
                "method:N",
                "direction:N",
                "k:Q",
                alt.Tooltip("value:Q", format=".1%"),
                alt.Tooltip("n:Q", title="pairs"),
            ],
        )
    )
    return finished(chart, height=220)


def layer_lines(rows: list[dict[str, Any]], *, domain: Domain | None = None) -> dict[str, Any]:
    """Mean probability of pivot, control, source and target tokens along the layers, one row per layer."""
    data = [
        {"layer": row["layer"], "tokens": name, "p": row[column]}
        for row in rows
        for column, name in CURVES.items()
        if row[column] is not None
    ]
    names = [name for name in CURVE_COLOURS if any(row["tokens"] == name for row in data)]
    chart = (
        alt.Chart(_data(data))
        .mark_line(point={"size": 30, "filled": True}, strokeWidth=2)
        .encode(
            x=alt.X("layer:Q", title="layer", axis=alt.Axis(tickMinStep=1, format="d")),
            y=alt.Y(
                "p:Q",
                title="mean probability",
                axis=alt.Axis(tickCount=5, format=".2~g"),
                scale=alt.Scale(domain=list(domain)) if domain else alt.Scale(),
            ),
            color=_colours("tokens", names, [CURVE_COLOURS[name] for name in names]),
            strokeDash=alt.StrokeDash(
                "tokens:N",
                scale=alt.Scale(domain=names, range=[[5, 4] if n == "control pivots" else [1, 0] for n in names]),
                legend=None,
            ),
            tooltip=["tokens:N", "layer:Q", alt.Tooltip("p:Q", title="probability", format=".4~g")],
        )
    )
    return finished(chart, height=230)


def horizontal_bars(rows: list[dict[str, Any]], *, y: str, x: str, legend: Legend, title: str) -> dict[str, Any]:
    """One bar per row, in the order given."""
    names = [row[y] for row in rows]
    chart = (
        alt.Chart(_data([{"name": row[y], "value": row[x]} for row in rows]))
        .mark_bar(height={"band": 0.72})
        .encode(
            y=_names("name", names),
            x=alt.X("value:Q", title=title, axis=alt.Axis(tickCount=5, format=",d")),
            color=_legend_colours("name", legend),
            tooltip=[alt.Tooltip("name:N", title=y), alt.Tooltip("value:Q", title=title, format=",")],
        )
    )
    return finished(chart, height=_ROW_HEIGHT * len(names))


def language_legend(langs: Sequence[str]) -> Legend:
    """Return languages in the given order with their colours, which depend on their names and not on the order."""
    colours = {lang: colour for lang, colour in _LANGUAGE_COLOURS.items() if lang in langs}
    n_spare = len(_SPARE_LANGUAGE_COLOURS)
    for lang in sorted(set(langs) - set(colours)):
        first = zlib.crc32(lang.encode()) % n_spare
        in_turn = [_SPARE_LANGUAGE_COLOURS[(first + step) % n_spare] for step in range(n_spare)]
        colours[lang] = next((colour for colour in in_turn if colour not in colours.values()), in_turn[0])
    return [(lang, colours[lang]) for lang in dict.fromkeys(langs)]


def domain_of(rows: Sequence[dict[str, Any]], *columns: str) -> Domain | None:
    """Return the ends of a scale on which panels of these rows can be compared; None without a number."""
    values = [row[column] for row in rows for column in columns if row.get(column) is not None]
    return (min(values), max(values)) if values else None


def _scale(domain: Domain | None) -> alt.Scale:
    """Return a scale with room for a dot at its ends, the rows' own or one that panels share."""
    return alt.Scale(domain=list(domain), nice=True) if domain else alt.Scale(zero=False, padding=_EDGE)


def _legend_colours(column: str, legend: Legend) -> alt.Color:
    return _colours(column, [name for name, _ in legend], [colour for _, colour in legend])


def _colours(column: str, domain: list[str], colours: list[str]) -> alt.Color:
    """Colours by name. The legend is text of the page: it wraps on a phone, and panels share it."""
    range_ = [colours[i % len(colours)] for i in range(len(domain))]
    return alt.Color(f"{column}:N", scale=alt.Scale(domain=domain, range=range_), legend=None)


def _names(column: str, order: list[str], *, lines_between: bool = False) -> alt.Y:
    axis = alt.Axis(ticks=False, domain=False)
    if lines_between:
        axis = alt.Axis(ticks=False, domain=False, grid=True, tickBand="extent")
    return alt.Y(f"{column}:N", sort=order, title=None, axis=axis)


def _order(names: Sequence[str], strategies: Strategies | None) -> list[str]:
    return strategies.order(names) if strategies else list(dict.fromkeys(names))


def _data(rows: list[dict[str, Any]]) -> alt.Data:
    return alt.Data(values=rows)


def finished(chart: Any, *, height: int) -> dict[str, Any]:
    """Return the specification: as wide as its place on the page, without a link to the schema."""
    fitted = alt.AutoSizeParams(type="fit-x", contains="padding")
    specification = chart.properties(width="container", height=height, autosize=fitted).to_dict()
    specification.pop("$schema", None)
    specification.pop("config", None)  # the page sets colours and fonts, light or dark
    return specification
