"""The dashboard's first page: what the corpus holds, what came out, what to doubt of it, what is stale."""

from typing import Any

import marimo as mo

from warehouse.serving.dashboard import tables, views
from warehouse.serving.dashboard.data import Overview
from warehouse.serving.strategies import Strategies, label


def overview_page(found: Overview, strategies: Strategies, experiment: Any) -> list[Any]:
    """Return the page's parts from above to below. `experiment` is the element that chooses one."""
    return [
        mo.Html(views.heading("Corpus")),
        *_corpus(found),
        mo.Html(views.heading(f"Did {label(strategies.default or 'the selected')} data win?")),
        *_verdict(found, experiment),
        mo.Html(views.heading("What to doubt")),
        _doubts(found),
        mo.Html(views.heading("What is stale")),
        _stale(found),
    ]


def _corpus(found: Overview) -> list[Any]:
    totals = found.totals
    if totals is None:
        says = "Nothing is ingested."
    else:
        says = f"{totals['n_docs']:,} documents, {totals['n_tokens']:,} tokens."
    rows = [
        {name: value for name, value in row.items() if name != "token_share"} | {"share": f"{row['token_share']:.1%}"}
        for row in found.languages
    ]
    return [mo.md(says), tables.table(rows, label="languages")]


def _verdict(found: Overview, experiment: Any) -> list[Any]:
    if found.verdict is None:
        return [mo.md("No experiment has been run: `pivots experiment`.")]
    return [experiment, mo.Html(views.points(found.verdict["headline"], found.verdict["sentences"]))]


def _doubts(found: Overview) -> Any:
    if found.doubts:
        flagged = f"Flagged, of the known ways for a result to mean nothing: {len(found.doubts)}"
        return mo.Html(views.points(flagged, found.doubts))
    if found.verdict is None:
        return mo.md("There is no result to doubt.")
    return mo.md("None of the known ways for a result to mean nothing is flagged.")


def _stale(found: Overview) -> Any:
    if not found.stale:
        return mo.md("Nothing: every part shows the latest documents and results.")
    return tables.table(found.stale, label="fix it in this order")
