"""Figures about what happens inside a model: layer curves, behaviours, and what predicts them."""

from typing import Any

from warehouse.serving import queries
from warehouse.serving.report import charts
from warehouse.serving.report.blocks import Block, Figure, Missing, ask
from warehouse.serving.strategies import Strategies, label
from warehouse.serving.units import UnitName

EXPERIMENT = "pivots experiment --corpus NAME --model MODEL --preset PRESET"


def inside_blocks(warehouse: Any, experiment: str, unit: UnitName, strategies: Strategies) -> list[Block]:
    """Return the figures that an experiment's traces give; `unit` is what its corpora are counted in."""
    blocks: list[Block] = []
    if queries.has_rows(warehouse, "fct_strategy_layer_curves"):
        blocks += _layers(warehouse, experiment, strategies)
    else:
        blocks.append(
            Missing(title="Layer curves", says="No model has been traced.", command="pivots trace --model MODEL")
        )
    if queries.has_rows(warehouse, "fct_behaviour_shares"):
        blocks += _behaviours(warehouse, experiment, unit, strategies)
    if queries.has_rows(warehouse, "fct_behaviour_auc"):
        blocks += _auc(warehouse, experiment, unit, strategies)
    return blocks


def _shown(names: list[str], strategies: Strategies) -> list[str]:
    """Return the strategies that have a panel of their own."""
    main = [name for name in ("base", strategies.baseline, strategies.default) if name in names]
    return [name for name in main if name] or strategies.order(names)[:3]


def _layers(warehouse: Any, experiment: str, strategies: Strategies) -> list[Block]:
    answer = ask(queries.mean_layer_curves, warehouse, experiment)
    if not answer.rows:
        return [Missing(title="Layer curves", says="No model of this experiment has been traced.", command=EXPERIMENT)]
    shown = _shown([row["strategy"] for row in answer.rows], strategies)
    panels = []
    behaviours = ("cooccurrence", "pivot")
    compared = [row for row in answer.rows if row["strategy"] in shown and row["behaviour"] in behaviours]
    domain = charts.domain_of([*compared, {"zero": 0}], *charts.CURVES, "zero")
    for strategy in shown:
        for behaviour in behaviours:
            rows = [row for row in answer.rows if (row["strategy"], row["behaviour"]) == (strategy, behaviour)]
            if rows:
                n_words = max(row["n_items"] for row in rows)
                chart = charts.layer_lines(rows, domain=domain)
                panels.append((f"{label(strategy)}, {behaviour}: {n_words:,} word pairs", chart))
    peaks = [
        row
        for row in answer.rows
        if row["strategy"] == shown[-1]
        and row["behaviour"] == "pivot"
        and row["is_read"]
        and row["p_pivot"] is not None
    ]
    says = "Expected by the theory: the pivots' probability rises, peaks in the middle layers and falls as the target's"
    says += " rises; control pivots, those of another pair, should stay flat. All panels have one scale."
    if peaks:
        peak = max(peaks, key=lambda row: row["p_pivot"])
        last = max(row["layer"] for row in answer.rows)
        says += f" In {label(shown[-1])}, words that go through a pivot peak at layer {peak['layer']} of {last}."
    return [
        Figure(
            title="Along the layers", says=says, panels=panels, legend=list(charts.CURVE_COLOURS.items()), answer=answer
        )
    ]


def _behaviours(warehouse: Any, experiment: str, unit: UnitName, strategies: Strategies) -> list[Block]:
    answer = ask(queries.behaviour_counts, warehouse, experiment)
    if not answer.rows:
        return []
    seen = {row["behaviour"] for row in answer.rows}
    legend = [(name, colour) for name, colour in charts.BEHAVIOUR_COLOURS.items() if name in seen]
    blocks: list[Block] = [
        Figure(
            title="Behaviours",
            says="Share of word pairs translated straight (`cooccurrence`), through another word (`pivot`), or not told"
            " apart, because the two words share a token (`excluded`) or no layer shows anything of them (`unread`).",
            panels=[
                (
                    "",
                    charts.stacked_shares(
                        answer.rows, y="strategy", part="behaviour", share="share", legend=legend, strategies=strategies
                    ),
                )
            ],
            legend=legend,
            answer=answer,
        )
    ]
    by_frequency = ask(queries.behaviours_by_frequency, warehouse, experiment)
    panels = []
    for strategy in _shown([row["strategy"] for row in by_frequency.rows], strategies):
        rows = [row for row in by_frequency.rows if row["strategy"] == strategy]
        sizes: dict[int, int] = {}
        for row in rows:
            sizes[row["min_docs_both"]] = sizes.get(row["min_docs_both"], 0) + row["n_words"]
        named = [{**row, "shared": _bin(row["min_docs_both"], sizes)} for row in rows]
        chart = charts.stacked_shares(named, y="shared", part="behaviour", share="share", legend=legend)
        panels.append((label(strategy), chart))
    if panels:
        blocks.append(
            Figure(
                title="Behaviours by frequency",
                says=f"The same by how many {unit.plural} the two words share. The theory expects more straight"
                f" translations (`cooccurrence`) the more {unit.plural} a pair shares.",
                panels=panels,
                legend=legend,
                answer=by_frequency,
            )
        )
    return blocks


def _bin(least: int, sizes: dict[int, int]) -> str:
    bounds = "none" if least == 0 else f"{least:,} to {10 * least - 1:,}"
    return f"{bounds} ({sizes[least]:,} word pairs)"


def _auc(warehouse: Any, experiment: str, unit: UnitName, strategies: Strategies) -> list[Block]:
    answer = ask(queries.behaviour_auc, warehouse, experiment)
    rows = [row for row in answer.rows if row["auc"] is not None]
    if not rows:
        return []
    panels = []
    domain = charts.domain_of([*rows, {"ci_low": 0.5}], "ci_low", "ci_high", "auc")
    for definition in ("peak", "threshold"):
        of_definition = strategies.ordered([row for row in rows if row["definition"] == definition])
        if of_definition:
            panels.append(
                (
                    f"behaviour by {definition}",
                    charts.intervals(
                        of_definition,
                        y="strategy",
                        value="auc",
                        low="ci_low",
                        high="ci_high",
                        title="AUC",
                        reference=0.5,
                        strategies=strategies,
                        domain=domain,
                    ),
                )
            )
    says = (
        f"AUC of log(1 + {unit.plural} shared by the pair) for telling straight words from pivot words; dashed is a"
        " coin toss, and both panels have one scale. The paper reports more than one half for most pairs."
    )
    figure = Figure(title="Does co-occurrence predict the behaviour?", says=says, panels=panels, answer=answer)
    return [figure, *_roc(warehouse, experiment, unit, strategies)]


def _roc(warehouse: Any, experiment: str, unit: UnitName, strategies: Strategies) -> list[Block]:
    if not queries.has_rows(warehouse, "fct_behaviour_roc"):
        return []
    answer = ask(queries.behaviour_roc, warehouse, experiment)
    panels = (
        [("behaviour by peak", charts.roc_lines(answer.rows, unit=unit.plural, strategies=strategies))]
        if answer.rows
        else []
    )
    by_threshold = ask(queries.behaviour_roc, warehouse, experiment, definition="threshold").rows
    if by_threshold:
        panels.append(
            ("behaviour by threshold", charts.roc_lines(by_threshold, unit=unit.plural, strategies=strategies))
        )
    if not panels:
        return []
    order = strategies.order([row["strategy"] for row in [*answer.rows, *by_threshold]])
    says = (
        f"Take a word for a straight one when its pair shares at least this number of {unit.plural}: which share of the"
        " straight words is caught, and which share of the pivot words is caught by mistake. All directions together;"
        " the diagonal is a coin toss."
    )
    legend = [(label(name), colour) for name, colour in zip(order, strategies.colours(order), strict=True)]
    return [Figure(title="ROC curves", says=says, panels=panels, legend=legend, answer=answer)]
