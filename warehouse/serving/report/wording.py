"""Results in plain words. Every number comes from a mart; here is only how a sentence reads it."""

from collections.abc import Sequence
from typing import Any

from warehouse.serving.units import UnitName

MAIN = ("pivot_aware", "random_multilingual")
EXPOSURE_CONTROL = "word_density"
SIGNATURES = {
    "auc_near_half": "Co-occurrence does not predict the behaviour",
    "gains_only_in_high_resource": "Only languages with much data gained",
    "non_finite_values": "A model diverged",
    "pivot_curve_flat": "Pivots play no visible part",
    "pivot_curve_like_control": "Other words' pivots do as much",
    "pivot_curve_monotonic": "The pivot curve does not rise and fall",
    "scores_at_chance": "The model cannot do the task",
    "unlinked_above_chance": "Words without any link are translated too",
}
_FORGETTING = "forgetting_"
_BETTER, _WORSE = "better", "worse"


def outcome(row: dict[str, Any]) -> str:
    """Return what a pair's intervals say: better, worse, leaning better, leaning worse, or no clear difference.

    Both intervals, over words and over seeds, have to leave out zero; one alone is a leaning, because intervals over
    words understate what another seed would change.
    """
    sides = [_side(row.get("ci_low"), row.get("ci_high")), _side(row.get("seed_ci_low"), row.get("seed_ci_high"))]
    for side in (_BETTER, _WORSE):
        if sides == [side, side]:
            return side
        if side in sides and (_WORSE if side == _BETTER else _BETTER) not in sides:
            return f"leaning {side}"
    return "no clear difference"


def delta_sentence(row: dict[str, Any]) -> str:
    """Return one compared pair as a sentence with its intervals."""
    intervals = []
    if row.get("ci_low") is not None:
        intervals.append(f"words {_interval(row['ci_low'], row['ci_high'])}")
    n_seeds = row.get("n_seeds") or 0
    if row.get("seed_ci_low") is not None:
        intervals.append(f"{n_seeds} seeds {_interval(row['seed_ci_low'], row['seed_ci_high'])}")
    elif n_seeds == 1:
        intervals.append("one seed only")
    against = row["baseline"].replace("_", " ")
    return f"Against {against}: {row['score_delta']:+.4f} ({'; '.join(intervals)}), {outcome(row)}."


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
    deltas: Sequence[dict[str, Any]], flagged: Sequence[str] = (), means: Sequence[dict[str, Any]] = ()
) -> dict[str, Any]:
    """Return whether pivot-aware data won, from the mean differences of an experiment.

    Args:
        deltas: rows of `queries.mean_deltas`.
        flagged: names of the failure signatures that are flagged in this experiment.
        means: rows of `queries.scores`, to say what a difference is a difference of.

    Returns:
        mood (good, bad, unclear, none), headline, sentences.
    """
    of_pivots = {row["baseline"]: row for row in deltas if row["strategy"] == MAIN[0]}
    main = of_pivots.get(MAIN[1])
    if main is None:
        return {
            "mood": "none",
            "headline": "Not known yet",
            "sentences": [f"No experiment has compared {MAIN[0]} with {MAIN[1]}."],
        }
    found = outcome(main)
    size = f"{main['score_delta']:+.4f}"
    headline = {
        _BETTER: f"Yes: {size} over random multilingual data",
        _WORSE: f"No: {size} against random multilingual data",
        "leaning better": f"Perhaps: {size}, but only one of two intervals leaves out zero",
        "leaning worse": f"Rather not: {size}, and one of two intervals lies below zero",
    }.get(found, f"Not shown: {size}, and the intervals hold zero")
    if main.get("seed_ci_low") is None and found.startswith("leaning"):
        direction = "ahead" if found.endswith(_BETTER) else "behind"
        headline = f"Not known: {direction} by {abs(main['score_delta']):.4f}, but in one training run only"
    sentences = [delta_sentence(of_pivots[name]) for name in _baseline_order(of_pivots)]
    levels = {name: [row["score"] for row in means if row["strategy"] == name] for name in MAIN}
    if all(levels.values()):
        mine, other = (sum(values) / len(values) for values in levels.values())
        sentences.insert(
            0,
            f"Mean score {mine:.4f} with pivot-aware data, {other:.4f} with random multilingual data of the same size.",
        )
    control = of_pivots.get(EXPOSURE_CONTROL)
    if control is not None and "better" in found and "better" not in outcome(control):
        sentences.append(
            "Documents dense in the words themselves did no worse: the gain may be exposure to the words, not pivots."
        )
    if "scores_at_chance" in flagged:
        sentences.append("Some model scores no better than chance, and then differences mean nothing.")
    mood = {_BETTER: "good", _WORSE: "bad"}.get(found, "unclear")
    return {"mood": mood, "headline": headline, "sentences": sentences}


def _side(low: float | None, high: float | None) -> str | None:
    if low is None or high is None:
        return None
    return _BETTER if low > 0 else _WORSE if high < 0 else "unclear"


def _interval(low: float, high: float) -> str:
    return f"{low:+.4f} to {high:+.4f}"


def _baseline_order(by_baseline: dict[str, Any]) -> list[str]:
    first = [name for name in (MAIN[1], "original", EXPOSURE_CONTROL, "base") if name in by_baseline]
    return first + sorted(set(by_baseline) - set(first))
