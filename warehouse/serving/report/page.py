"""The page: sections gathered from the published copy and set into one HTML file."""

import json
import os
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from warehouse.base.settings import Home
from warehouse.contract.token_text import visible_space
from warehouse.lake.connections import open_published_ibis
from warehouse.serving import queries
from warehouse.serving.publish import read_manifest
from warehouse.serving.report import charts, wording
from warehouse.serving.report import corpus as corpus_sections
from warehouse.serving.report import results as result_sections
from warehouse.serving.report.blocks import Figure, PivotLists, Section, ask
from warehouse.serving.report.lineage import lineage
from warehouse.serving.status import status
from warehouse.serving.strategies import Strategies, label, read_strategies
from warehouse.serving.units import UnitName, corpus_unit

_FOLDER = Path(__file__).parent
_ROWS_SHOWN = 200
_PLAIN_INTEGERS = re.compile(r"(^|_)(id|seed|rank|layer|number|hash)$")
_TOKEN_COLUMNS = re.compile(r"(^|_)token$")
_CODE = re.compile(r"`([^`]+)`")


def render_page(home: Home, out: Path) -> str:
    """Return the report of the published copy as HTML.

    Args:
        out: where it will lie; what it links to is named relative to that.

    Raises:
        UsageError: nothing is published.
    """
    described = status(home)
    with open_published_ibis(home) as warehouse:
        manifest = read_manifest(home) or {}
        experiment, corpus = _subject(warehouse)
        unit = corpus_unit(warehouse, *([corpus] if corpus else []))
        strategies = read_strategies(warehouse)
        sections = [
            corpus_sections.overview(warehouse, described, corpus),
            corpus_sections.pivots(warehouse, corpus, unit),
            corpus_sections.selection(warehouse, corpus, strategies),
            result_sections.results(warehouse, experiment, _experiment_unit(warehouse, experiment), strategies),
            *([result_sections.signatures(warehouse, experiment)] if experiment else []),
            lineage(warehouse, home, manifest, corpus, _docs(home, out)),
        ]
        short = _in_short(warehouse, sections, experiment, corpus, unit, strategies)
    specifications: list[dict[str, Any]] = []
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Figure):
                specifications += [specification for _, specification in block.panels]
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            manifest=manifest,
            corpus=corpus,
            experiment=experiment,
            sections=sections,
            short=short,
            css=Markup(_text("page.css")),
            script=Markup(_text("page.js")),
            library=Markup(_chart_library()) if specifications else "",
            specifications=Markup(_json_in_html(specifications)),
            rows_shown=_ROWS_SHOWN,
        )
    )


def _docs(home: Home, out: Path) -> str | None:
    """Return where the models' documentation lies, as a link from the page; None when it is not written."""
    if not home.dbt_docs_file.exists():
        return None
    return Path(os.path.relpath(home.dbt_docs_file.resolve(), out.resolve().parent)).as_posix()


def _subject(warehouse: Any) -> tuple[str | None, str | None]:
    """Return the latest experiment, and its corpus; without one the largest corpus."""
    experiments = ask(queries.experiments, warehouse).rows
    experiment = experiments[0]["experiment"] if experiments else None
    corpora = ask(queries.corpora, warehouse).rows if queries.has_rows(warehouse, "dim_documents") else []
    if not corpora:
        return experiment, None
    of_experiment = {row["corpus"] for row in ask(queries.runs, warehouse).rows if row["experiment"] == experiment}
    own = [row["corpus"] for row in corpora if experiment and row["corpus"] in of_experiment]
    return experiment, own[0] if own else max(corpora, key=lambda row: (row["n_tokens"], row["corpus"]))["corpus"]


def _experiment_unit(warehouse: Any, experiment: str | None) -> UnitName:
    """Return what the corpora of an experiment are counted in."""
    runs = ask(queries.runs, warehouse).rows if experiment else []
    return corpus_unit(warehouse, *sorted({row["corpus"] for row in runs if row["experiment"] == experiment}))


def _in_short(
    warehouse: Any,
    sections: list[Section],
    experiment: str | None,
    corpus: str | None,
    unit: UnitName,
    strategies: Strategies,
) -> list[dict[str, Any]]:
    """Return the answers that most readers came for: title, headline, text, mood, link."""
    cards: list[dict[str, Any]] = []
    if experiment:
        cards.append(_verdict_card(warehouse, experiment, strategies))
    flagged = result_sections.flagged_signatures(warehouse, experiment) if experiment else []
    for block in sections[1].blocks:
        if isinstance(block, PivotLists) and block.pairs:
            pair = block.pairs[0]
            method = pair["methods"][0]
            best = [token for token in pair["tokens"] if method in token["by"]][:3]
            cards.append(
                {"title": f"The {len(best)} best pivots", "link": "pivots", "mood": "plain", "pair": pair, "best": best}
                | {"sentences": [wording.pivots_sentence(pair, best[0], method, unit)]}
            )
    if corpus is not None:
        (totals,) = ask(queries.corpora, warehouse, corpus=corpus).rows
        rows = ask(queries.corpus_languages, warehouse, corpus).rows
        text = ", ".join(f"{row['lang']} {_compact(row['n_tokens'])}" for row in rows[:6])
        cards.append(
            {
                "title": "Corpus",
                "link": "overview",
                "mood": "plain",
                "headline": f"{_compact(totals['n_tokens'])} tokens",
                "sentences": [f"{corpus}: {totals['n_docs']:,} documents; {text}."],
            }
        )
    if experiment:
        names = "; ".join(wording.signature_title(name) for name in flagged)
        cards.append(
            {
                "title": "What to doubt",
                "link": "signatures",
                "mood": "bad" if flagged else "good",
                "headline": f"{len(flagged)} failure signature{'s' if len(flagged) > 1 else ''} flagged"
                if flagged
                else "No failure signature is flagged",
                "sentences": [f"{names}."] if names else [],
            }
        )
    return cards


def _verdict_card(warehouse: Any, experiment: str, strategies: Strategies) -> dict[str, Any]:
    found = result_sections.experiment_verdict(warehouse, experiment, strategies)
    return {"title": f"Did {label(strategies.default or 'the selected')} data win?", "link": "results", **found}


@cache
def _chart_library() -> str:
    import vl_convert

    return vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub forgets the default


@cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _json_in_html(value: Any) -> str:
    """Return JSON that can stand inside a script element, whatever the words in it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters.update(
        prose=_prose,
        cell=_cell,
        token=_token,
        heading=_heading,
        title_of=wording.signature_title,
        method_colour=lambda name: dict(charts.method_legend([name]))[name],
        is_number=_is_number,
        figures=_figures,
        score=_score,
        percent=_percent,
    )
    return environment


def _prose(text: str) -> Markup:
    """Escape text and set `names` as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))


def _heading(column: str) -> str:
    return column.replace("_", " ")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _score(value: float) -> str:
    return f"{value:.1f}" if value >= 1 else f"{value:.3f}"


def _percent(value: float) -> str:
    return f"{value:.0%}" if value >= 0.1 else f"{value:.1%}"


def _figures(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _cell(value: Any, column: str) -> Markup:
    """Set a value for reading."""
    if value is None:
        return Markup('<span class="none" title="no value">–</span>')
    if _TOKEN_COLUMNS.search(column) and isinstance(value, str):
        return _token(value)
    if isinstance(value, bool):
        return escape("yes" if value else "no")
    if isinstance(value, int):
        return escape(str(value) if _PLAIN_INTEGERS.search(column) else f"{value:,}")
    if isinstance(value, float):
        return escape(_figures(value))
    if isinstance(value, datetime):
        return escape(value.strftime("%Y-%m-%d %H:%M"))
    if column == "content_hash":
        return escape(str(value)[-12:])
    return escape(str(value))


def _token(text: str) -> Markup:
    """Set a token so that its white space shows."""
    shown = str(escape(visible_space(text))).replace("␣", '<i class="space">␣</i>')
    return Markup(f'<span class="token">{shown}</span>')


def _compact(number: int) -> str:
    for size, unit in ((1_000_000_000, "B"), (1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)
