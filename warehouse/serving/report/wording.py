"""Results in plain words. Every number comes from a mart; here is only how a sentence reads it."""

from collections.abc import Sequence
from typing import Any

from warehouse.serving.strategies import Strategies, label
from warehouse.serving.units import UnitName

VERDICTS = {  # fct_strategy_comparison.verdict, which decides
    "better": "better",
    "worse": "worse",
    "leaning_better": "leaning better",
    "leaning_worse": "leaning worse",
    "no_clear_difference": "no clear difference",
    "not_tested": "not tested",
}
SIGNATURES = {
    "auc_near_half": "Co-occurrence does not predict the behaviour",
    "gains_only_in_high_resource": "Only languages with much data gained",
    "non_finite_values": "A model diverged",
    "peaks_are_one_token": "The lens shows one token for most words",
    "pivot_curve_flat": "Pivots play no visible part",
    "pivot_curve_like_control": "Other words' pivots do as much",
    "pivot_curve_monotonic": "The pivot curve does not rise and fall",
    "score_rests_on_few_words": "A few words make the score",
    "scores_at_chance": "The model cannot do the task",
    "unlinked_above_chance": "Words without any link are translated too",
}
BASE = "base"  # the strategy that stands for the model before training
_FORGETTING = "forgetting_"


def outcome(row: dict[str, Any]) -> str:
    """Return the verdict of a compared pair in words."""
    return VERDICTS[row["verdict"]]


def delta_sentence(row: dict[str, Any]) -> str:
    """Return one compared pair as a sentence with its intervals."""
    intervals = []
    if row.get("crossed_ci_low") is not None:
        intervals.append(f"words and seeds {_interval(row['crossed_ci_low'], row['crossed_ci_high'])}")
    if row.get("ci_low") is not None:
        intervals.append(f"words {_interval(row['ci_low'], row['ci_high'])}")
    n_seeds = row.get("n_seeds") or 0
    if row.get("seed_ci_low") is not None:
        intervals.append(f"{n_seeds} seeds {_interval(row['seed_ci_low'], row['seed_ci_high'])}")
    elif n_seeds == 1:
        intervals.append("one seed only")
    return f"Against {label(row['baseline'])}: {row['score_delta']:+.4f} ({'; '.join(intervals)}), {outcome(row)}."


def training_sentence(row: dict[str, Any] | None) -> str | None:
    """Return what training did to the score, from a comparison with the model before training; None without one.

    It decides what the other differences are worth: arms that all fell below their base did not learn to translate.
    """
    if row is None or row["score_delta"] is None:
        return None
    said = {
        "better": "Training helped",
        "worse": "Training hurt",
        "leaning_better": "Training may have helped",
        "leaning_worse": "Training may have hurt",
        "no_clear_difference": "Training made no clear difference",
        "not_tested": "Training hurt in this run" if row["score_delta"] < 0 else "Training helped in this run",
    }[row["verdict"]]
    return f"{said}: {row['score_delta']:+.4f} against the model before training ({label(BASE)})."


def power_sentence(row: dict[str, Any]) -> str | None:
    """Return what a comparison could have seen, None where it says: one seed, or a copy of an earlier version."""
    if row.get("detectable_effect") is None:
        return None
    said = (
        f"This run could have seen {100 * row['detectable_effect']:.1f} points ({row['n_seeds']} seeds,"
        f" {row['n_items']} words; four times of five)"
    )
    if row.get("is_equivalent"):
        return f"{said}, and a difference that matters is ruled out."
    if row["verdict"] in ("better", "worse"):
        return f"{said}."
    needed = row.get("n_seeds_needed")
    more = f"{needed} seeds would do" if needed else "these words are too few for any number of seeds"
    return f"{said}; to find the smallest difference that matters, {more}."


def signature_title(name: str) -> str:
    """Return what a failure signature says, in a few plain words."""
    if name.startswith(_FORGETTING):
        return f"The model forgot some {name.removeprefix(_FORGETTING)}"
    return SIGNATURES.get(name) or name.replace("_", " ").capitalize()


def pivots_sentence(pair: dict[str, Any], best: dict[str, Any], method: str, unit: UnitName) -> str:
    """Return what the best candidate of a pair shares with its two words."""
    return (
        f"By score method {method}. The first stands in {best['source_rate']:.0%} of the {unit.plural} with"
        f" “{pair['source_word']}”, in {best['target_rate']:.0%} of those with “{pair['target_word']}”, in"
        f" {best['background_rate']:.1%} of all."
    )


def verdict(
    strategies: Strategies,
    deltas: Sequence[dict[str, Any]],
    flagged: Sequence[str] = (),
    means: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Return whether the default strategy won, from the mean differences of an experiment.

    Args:
        strategies: which one is the default, and what it is compared with.
        deltas: rows of `queries.mean_deltas`.
        flagged: names of the failure signatures that are flagged in this experiment.
        means: rows of `queries.strategy_scores`, to say what a difference is a difference of.

    Returns:
        mood (good, bad, unclear, none), headline, sentences.
    """
    mine, other = strategies.default or "the default strategy", strategies.baseline or "its baseline"
    of_pivots = {row["baseline"]: row for row in deltas if row["strategy"] == mine}
    main = of_pivots.get(other)
    if main is None:
        return {
            "mood": "none",
            "headline": "Not known yet",
            "sentences": [f"No experiment has compared {label(mine)} with {label(other)}."],
        }
    found = main["verdict"]
    size = f"{main['score_delta']:+.4f}"
    headline = {
        "better": f"Yes: {size} over {label(other)} data",
        "worse": f"No: {size} against {label(other)} data",
        "leaning_better": f"Perhaps: {size}, but among so many strategies one looks like that by chance",
        "leaning_worse": f"Rather not: {size}, though among so many strategies one looks like that by chance",
        "not_tested": f"Not known: {size}, from too few training runs for an interval",
    }.get(found, f"Not shown: {size}, and the interval holds zero")
    if found == "not_tested" and main["n_seeds"] == 1:
        direction = "ahead" if main["score_delta"] > 0 else "behind"
        headline = f"Not known: {direction} by {abs(main['score_delta']):.4f}, but in one training run only"
    sentences = [delta_sentence(of_pivots[name]) for name in _baseline_order(of_pivots, strategies)]
    if before := training_sentence(of_pivots.get(BASE)):
        sentences.insert(0, before)
    if seen := power_sentence(main):
        sentences.insert(0, seen)
    levels = {row["strategy"]: row["score"] for row in means}
    if mine in levels and other in levels:
        sentences.insert(
            0,
            f"Mean score {levels[mine]:.4f} with {label(mine)} data,"
            f" {levels[other]:.4f} with {label(other)} data of the same size.",
        )
    if main["is_beyond_exposure"] is False:
        sentences.append("Word-dense documents did no worse: the gain may be exposure to the words, not pivots.")
    if "scores_at_chance" in flagged:
        sentences.append("Some model scores no better than chance, and then differences mean nothing.")
    mood = {"better": "good", "worse": "bad"}.get(found, "unclear")
    return {"mood": mood, "headline": headline, "sentences": sentences}


def _interval(low: float, high: float) -> str:
    return f"{low:+.4f} to {high:+.4f}"


def _baseline_order(by_baseline: dict[str, Any], strategies: Strategies) -> list[str]:
    """The default baseline and the exposure control answer the question; the others follow in the table's order."""
    order = strategies.order(list(by_baseline))
    return sorted(order, key=lambda name: name not in (strategies.baseline, strategies.exposure_control))
