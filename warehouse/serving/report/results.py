"""Sections of the report about models: results and failure signatures."""

from dataclasses import replace
from typing import Any

from warehouse.serving import queries
from warehouse.serving.report import charts, wording
from warehouse.serving.report.blocks import Answer, Block, Figure, Matrix, Missing, Section, Signatures, Terms, ask
from warehouse.serving.report.corpus import strategy_terms
from warehouse.serving.report.inside import EXPERIMENT, inside_blocks
from warehouse.serving.strategies import Strategies, label
from warehouse.serving.units import UnitName

RESULT_TERMS = [
    ("seed", "What chance starts from in one training: arms with other seeds saw the same documents in another order."),
    ("find, judge", "The halves of the word list: one finds pivots, the other (the evaluation words) measures models."),
    ("cooccurrence", "A behaviour: the word pair is translated straight, from the layers' surest token to the answer."),
    ("pivot", "A behaviour: the layers' surest token is one of neither word before the answer comes."),
    ("by peak", "The behaviour told by the likeliest token of the layer that is surest of its own."),
    ("by threshold", "The behaviour told by whether a token of neither word passes a probability in some layer."),
]


def results(warehouse: Any, experiment: str | None, unit: UnitName, strategies: Strategies) -> Section:
    """What the models learned from each selection; `unit` is what the experiment's corpora are counted in."""
    title = "Results"
    if experiment is None or not queries.has_rows(warehouse, "fct_translation_scores"):
        missing = Missing(
            title="Scores", says="No model has been trained and scored in an experiment.", command=EXPERIMENT
        )
        return Section(id="results", title=title, intro="", blocks=[missing])
    names = [row["strategy"] for row in ask(queries.scores, warehouse, experiment).rows]
    blocks: list[Block] = [_terms(names, strategies), _scores(warehouse, experiment, strategies)]
    if queries.has_rows(warehouse, "fct_strategy_comparison"):
        blocks += _comparison(warehouse, experiment, strategies)
    blocks += _by_direction(warehouse, experiment, strategies)
    blocks += inside_blocks(warehouse, experiment, unit, strategies)
    if queries.has_rows(warehouse, "fct_held_out_losses"):
        blocks += _held_out(warehouse, experiment, strategies)
    intro = (
        f"Experiment `{experiment}`. The score is the probability of the right translation less that after wrong source"
        " words; only words that took no part in finding pivots (split `judge`, the evaluation words) are shown. A word"
        " pair is one word in one direction: from `en` to `fr` and back are two."
    )
    return Section(id="results", title=title, intro=intro, blocks=blocks)


def signatures(warehouse: Any, experiment: str | None) -> Section:
    """Known ways for results to mean nothing, in plain words."""
    intro = (
        "Each is a way in which results can look fine and mean nothing. A flag is a reason to doubt, not a failure of"
        " the job."
    )
    if not queries.has_rows(warehouse, "fct_failure_signatures"):
        missing = Missing(title="Failure signatures", says="There is no run to examine.", command=EXPERIMENT)
        return Section(id="signatures", title="What to doubt", intro=intro, blocks=[missing])
    answer = ask(queries.failure_signatures, warehouse)
    kept = [row for row in answer.rows if experiment is None or row["experiment"] == experiment]
    groups: dict[str, dict[str, Any]] = {}
    for row in kept:
        group = groups.setdefault(
            row["signature"], {"signature": row["signature"], "explanation": row["explanation"], "rows": []}
        )
        group["rows"].append(row)
    for group in groups.values():
        statuses = [row["status"] for row in group["rows"]]
        group["n_flagged"], group["n_measured"] = (
            statuses.count("flagged"),
            len(statuses) - statuses.count("not_applicable"),
        )
        group["flagged"] = [row for row in group["rows"] if row["status"] == "flagged"]
        group["mood"] = "bad" if group["n_flagged"] else "good" if group["n_measured"] else "none"
    order = sorted(groups.values(), key=lambda g: (-g["n_flagged"], g["n_measured"] == 0, g["signature"]))
    n_flagged = sum(bool(group["n_flagged"]) for group in order)
    says = (
        f"{n_flagged} of {len(order)} signatures are flagged in at least one run." if order else "Nothing to examine."
    )
    block = Signatures(title="Failure signatures", says=says, groups=order, answer=answer)
    return Section(id="signatures", title="What to doubt", intro=intro, blocks=[block])


def flagged_signatures(warehouse: Any, experiment: str) -> list[str]:
    """Return the names of the signatures flagged in an experiment, sorted."""
    if not queries.has_rows(warehouse, "fct_failure_signatures"):
        return []
    rows = ask(queries.failure_signatures, warehouse).rows
    return sorted({row["signature"] for row in rows if row["status"] == "flagged" and row["experiment"] == experiment})


def experiment_verdict(warehouse: Any, experiment: str, strategies: Strategies) -> dict[str, Any]:
    """Return whether the default strategy won an experiment: mood, headline, sentences, see `wording.verdict`."""
    compared = queries.has_rows(warehouse, "fct_strategy_comparison")
    scored = queries.has_rows(warehouse, "fct_strategy_scores")
    return wording.verdict(
        strategies,
        ask(queries.mean_deltas, warehouse, experiment).rows if compared else [],
        flagged_signatures(warehouse, experiment),
        ask(queries.strategy_scores, warehouse, experiment).rows if scored else [],
    )


def _scores(warehouse: Any, experiment: str, strategies: Strategies) -> Figure:
    answer = ask(queries.scores, warehouse, experiment)
    rows = strategies.ordered(answer.rows)
    panels = [
        (
            "score",
            charts.intervals(
                rows, y="strategy", value="score", low="ci_low", high="ci_high", title="score", strategies=strategies
            ),
        )
    ]
    ranked = [{**row, "first_low": row["first_rank_rate"], "first_high": row["first_rank_rate"]} for row in rows]
    chance = next((row["chance_rate"] for row in rows if row["chance_rate"] is not None), None)
    if chance is not None:
        panels.append(
            (
                "how often the right word is ranked first (dashed: chance)",
                charts.intervals(
                    ranked,
                    y="strategy",
                    value="first_rank_rate",
                    low="first_low",
                    high="first_high",
                    title="share of words",
                    reference=chance,
                    strategies=strategies,
                ),
            )
        )
    best = max(rows, key=lambda row: row["score"])
    return Figure(
        title="Scores by strategy",
        says=f"Mean over all directions, one dot per training seed, 95 % interval over words. The highest single run is"
        f" {label(best['strategy'])} at {best['score']:.4f}."
        + (" Each panel has a scale of its own." if panels[1:] else ""),
        panels=panels,
        answer=answer,
    )


def _terms(names: list[str], strategies: Strategies) -> Terms:
    """What the names mean that the figures of the results are about: strategies, seeds, behaviours."""
    block = strategy_terms(strategies, names)
    return replace(
        block,
        title="What the names mean",
        says="Strategies, as arms of this experiment, and what is measured of them.",
        terms=[*block.terms, *RESULT_TERMS],
    )


def _comparison(warehouse: Any, experiment: str, strategies: Strategies) -> list[Block]:
    answer = ask(queries.mean_deltas, warehouse, experiment)
    mine = [row for row in answer.rows if row["strategy"] == strategies.default]
    blocks: list[Block] = []
    if mine:
        rows = [{**row, "against": f"− {row['baseline']}"} for row in mine]
        wide = _widest_interval(rows)
        chart = charts.intervals(
            rows, y="against", value="score_delta", low="ci_low", high="ci_high", title="difference in score",
            wide=wide, reference=0,
        )  # fmt: skip
        blocks.append(
            Figure(
                title=f"{label(mine[0]['strategy']).capitalize()} data against the others",
                says="Mean difference over all directions. Thick: 95 % interval over words; thin: over words and seeds"
                " together, which the verdicts are about. “Better” and “worse” hold among all strategies together;"
                " “leaning” means that one of so many strategies looks like that by chance; “not tested” means that one"
                " training of each says nothing about another.",
                points=wording.verdict(strategies, mine)["sentences"],
                panels=[(f"{label(mine[0]['strategy'])}, less …", chart)],
                answer=answer,
            )
        )
    if mine and strategies.default and strategies.baseline:
        pair = strategies.default, strategies.baseline
        by_direction = ask(queries.compare_strategies, warehouse, experiment, *pair)
        if any(row["source_lang"] != queries.ALL for row in by_direction.rows):
            blocks.append(_direction_matrix(by_direction, *pair))
    return blocks


def _widest_interval(rows: list[dict[str, Any]]) -> tuple[str, str] | None:
    """Return the columns of the interval over words and seeds; over seeds in a copy of an earlier version."""
    for low, high in (("crossed_ci_low", "crossed_ci_high"), ("seed_ci_low", "seed_ci_high")):
        if any(row.get(low) is not None for row in rows):
            return low, high
    return None


def _by_direction(warehouse: Any, experiment: str, strategies: Strategies) -> list[Block]:
    answer = ask(queries.direction_scores, warehouse, experiment)
    if not answer.rows:
        return []
    order = strategies.order([row["strategy"] for row in answer.rows])
    colours = strategies.colours(order)
    panels = []
    domain = charts.domain_of(answer.rows, "ci_low", "ci_high", "score")
    for lang in sorted({row["source_lang"] for row in answer.rows}):
        rows = [row for row in answer.rows if row["source_lang"] == lang]
        chart = charts.grouped_intervals(rows, order=order, colours=colours, domain=domain)
        panels.append((f"from {lang}", chart))
    return [
        Figure(
            title="Scores by strategy and direction",
            says="Every training seed of a strategy with its 95 % interval over words, all panels on one scale. One"
            " direction has few evaluation words, so look for what all directions agree on.",
            panels=panels,
            legend=[(label(name), colour) for name, colour in zip(order, colours, strict=True)],
            answer=answer,
        )
    ]


def _direction_matrix(answer: Answer, mine: str, other: str) -> Matrix:
    rows = [row for row in answer.rows if row["source_lang"] != queries.ALL]
    langs = sorted({row["source_lang"] for row in rows} | {row["target_lang"] for row in rows})
    largest = max((abs(row["score_delta"]) for row in rows if row["score_delta"] is not None), default=0) or 1
    cells = {}
    for row in rows:
        if row["score_delta"] is None:
            continue
        cells[row["source_lang"], row["target_lang"]] = {
            "text": f"{row['score_delta']:+.4f}",
            "shade": row["score_delta"] / largest,
            "note": "" if row["verdict"] in ("no_clear_difference", "not_tested") else wording.outcome(row),
        }
    return Matrix(
        title="By direction",
        says=f"Score of {label(mine)} less that of {label(other)} data, from the row's language to the column's.",
        corner="from ↓ to →",
        rows=langs,
        columns=langs,
        cells=cells,
        answer=answer,
    )


def _held_out(warehouse: Any, experiment: str, strategies: Strategies) -> list[Block]:
    answer = ask(queries.held_out_losses, warehouse, experiment)
    rows = [row for row in answer.rows if row["bits_per_byte_delta"] is not None and row["strategy"] != "base"]
    if not rows:
        return []
    legend = charts.language_legend(sorted({row["lang"] for row in rows}))
    chart = charts.dots(
        rows,
        y="strategy",
        x="bits_per_byte_delta",
        colour="lang",
        legend=legend,
        title="change in bits per byte against base",
        strategies=strategies,
        number="+.3~g",
    )
    says = "Loss on documents nobody trained on, after training less before. Above zero: the model forgot a language."
    return [Figure(title="Held-out loss", says=says, panels=[("", chart)], legend=legend, answer=answer)]
