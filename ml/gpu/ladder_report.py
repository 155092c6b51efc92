"""The ladder's outcomes and their tables: effect of each arm by scale, and whether scales agree on the arms.

Outcomes are computed as the marts compute them (`docs/method.md`, section 6): probabilities of NLLs averaged over
draws, items first, then directions.
"""

import math
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from warehouse.contract.stage_answers import Answers

CONTROL = "random_multilingual"
# Two-sided 95 % quantiles of Student's t by degrees of freedom; beyond 12 the last is close enough and conservative.
_T = (math.inf, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179)
OUTCOMES = ("score", "log_share")


def outcomes(word_scores: Path, kinds: dict[str, str]) -> dict[str, float]:
    """Return score x 100 and log share of all words, and of each kind of concept.

    score: P(target | right word) - mean P(target | distractor). log_share: log P(target | right word) minus
    log sum of P over all candidates, which does not move with the target's own frequency.
    """
    columns = ["item_id", "source_lang", "target_lang", "candidate", "nll_mean"]
    nlls: dict[tuple[int, str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in zip(*(column.to_pylist() for column in pq.read_table(word_scores, columns=columns)), strict=True):
        nlls[row[:3]][row[3]].append(row[4])
    by_direction: dict[str, dict[tuple[str, str], list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for (item, source, target), candidates in nlls.items():
        log_p = {candidate: -mean(draws) for candidate, draws in candidates.items()}
        right = log_p.pop(0)
        largest = max(right, *log_p.values())
        share = right - largest - math.log(sum(math.exp(value - largest) for value in (right, *log_p.values())))
        score = math.exp(right) - mean(math.exp(value) for value in log_p.values())
        for group in ("all", kinds.get(str(item), "unknown")):
            by_direction[group][source, target].append((score, share))
    found: dict[str, float] = {}
    for group, directions in by_direction.items():
        pairs = [tuple(mean(column) for column in zip(*items, strict=True)) for items in directions.values()]
        score, share = (mean(column) for column in zip(*pairs, strict=True))
        found |= {f"score_{group}": 100 * score, f"log_share_{group}": share}
    return found


def interval(differences: list[float]) -> tuple[float, float]:
    """Return half the width of the 95 % t-interval over seeds around the mean, and the mean: (mean, half width)."""
    if len(differences) < 2:
        return mean(differences), math.inf
    quantile = _T[min(len(differences) - 1, len(_T) - 1)]
    return mean(differences), quantile * stdev(differences) / math.sqrt(len(differences))


def rank_correlation(a: list[float], b: list[float]) -> float | None:
    """Return Spearman's correlation of two lists without ties; None when there are fewer than three or all equal."""
    if len(a) < 3 or len(set(a)) < 2 or len(set(b)) < 2:
        return None
    ranks = np.array([np.argsort(np.argsort(values)) for values in (a, b)], dtype=float)
    return float(np.corrcoef(ranks)[0, 1])


def decision_accuracy(a: list[float], b: list[float]) -> float | None:
    """Return the share of pairs that both lists put in the same order; None without a pair (DataDecide's measure)."""
    pairs = list(combinations(range(len(a)), 2))
    return mean(float((a[i] > a[j]) == (b[i] > b[j])) for i, j in pairs) if pairs else None


def report(answers: Answers, done: list[dict[str, Any]], scales: list[str]) -> None:
    """Write the tables of everything that was found."""
    by_setting: dict[tuple[int, float, str], dict[str, dict[int, dict[str, Any]]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for cell in done:
        by_setting[cell["tokens"], cell["learning_rate"], cell["scale"]][cell["arm"]][cell["seed"]] = cell
    for outcome in OUTCOMES:
        rows = []
        means: dict[tuple[int, float], dict[str, dict[str, float]]] = defaultdict(dict)
        for (tokens, rate, scale), arms in sorted(by_setting.items(), key=lambda item: _order(item[0], scales)):
            own = {}
            for arm, seeds in arms.items():
                both = sorted(seeds.keys() & arms.get(CONTROL, {}).keys())
                values = [seeds[seed][f"{outcome}_all"] - arms[CONTROL][seed][f"{outcome}_all"] for seed in both]
                if both:
                    own[arm] = mean(values)
                if both and arm != CONTROL:
                    centre, half = interval(values)
                    shown = None if math.isinf(half) else f"[{centre - half:.3g}, {centre + half:.3g}]"
                    level = mean(seeds[seed][f"{outcome}_all"] for seed in both)
                    rows.append([tokens, rate, scale, arm, level, centre, shown, len(both)])
            means[tokens, rate][scale] = own
        columns = ["tokens", "learning rate", "scale", "arm", outcome, f"against {CONTROL}", "95 % over seeds", "seeds"]
        answers.table(f"Effect of the arms on {outcome}", columns, rows)
        agreement = []
        for (tokens, rate), by_scale in sorted(means.items()):
            largest = max(by_scale, key=scales.index)
            for scale in sorted(by_scale, key=scales.index):
                arms_of_both = sorted(by_scale[scale].keys() & by_scale[largest].keys())
                if scale == largest or len(arms_of_both) < 2:
                    continue
                small, large = ([by_scale[s][arm] for arm in arms_of_both] for s in (scale, largest))
                agreement.append(
                    [tokens, rate, f"{scale} for {largest}", len(arms_of_both), rank_correlation(small, large),
                     decision_accuracy(small, large)]
                )  # fmt: skip
        columns = ["tokens", "learning rate", "proxy", "arms", "rank correlation", "decision accuracy"]
        answers.table(f"Do scales rank the arms alike? By {outcome}", columns, agreement)
    answers.note(
        f"{len(done)} trainings. Arms: original, random_multilingual and planted_truth as the marts select them; "
        "no_mixed leaves out documents of two languages, which the generator names. Arms that need counts or matches "
        "of the list (pivot_aware, word_density) need the warehouse and are not here."
    )


def _order(key: tuple[int, float, str], scales: list[str]) -> tuple[int, float, int]:
    tokens, rate, scale = key
    return tokens, -rate, scales.index(scale)
