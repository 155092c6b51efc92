"""The change point of scores by exposure against least squares with a column per checkpoint."""

from collections import defaultdict
from typing import Any

import numpy as np

from support.homes.evaluation_home import Evaluated, close
from support.naive import evaluation as naive

TRAINING = "train-original-1"
CHECKPOINTS = {"score-original-1-step2": 2, "score-original-1": 4}  # score run -> step; the training has four


def observations(evaluated: Evaluated, scores: dict[str, Any]) -> list[tuple[str, int, int, float]]:
    """Return score run, item, times read together by its step, and score, of every scored word."""
    together: dict[tuple[int, str, str], dict[int, int]] = defaultdict(dict)
    for row in evaluated.rows(f"from marts.fct_exposure_by_step where run_id = '{TRAINING}'"):
        together[row["item_id"], row["lang_a"], row["lang_b"]][row["step"]] = row["n_together"]
    found = []
    for run, last in CHECKPOINTS.items():
        for key, word in scores[run].items():
            if word["score"] is not None:
                a, b = sorted(key.direction)
                by_step = together[key.item, a, b]
                read = [n for step, n in sorted(by_step.items()) if step <= last]
                found.append((run, key.item, read[-1] if read else 0, word["score"]))
    return found


def changes(words: list[tuple[str, int, int, float]], weights: np.ndarray) -> dict[int, tuple[float, float]]:
    """Return point -> squared error and coefficient of a weighted fit with one mean per checkpoint."""
    runs, exposure = np.array([word[0] for word in words]), np.array([word[2] for word in words])
    score = np.array([word[3] for word in words])
    fits, point = {}, 1
    while point <= exposure.max():
        above = exposure >= point
        sides = [{bool(a) for a in above[(runs == run) & (weights > 0)]} for run in CHECKPOINTS]
        if point in _points(exposure) and any(len(both) == 2 for both in sides):
            design = np.column_stack([*(runs == run for run in CHECKPOINTS), above]).astype(float)
            root = np.sqrt(weights)
            solution, *_ = np.linalg.lstsq(design * root[:, None], score * root, rcond=None)
            error = float((weights * (score - design @ solution) ** 2).sum())
            fits[point] = (error, float(solution[-1]))
        point *= 2
    return fits


def _points(exposure: np.ndarray) -> set[int]:
    """Return the powers of two that are the largest up to some word's exposure."""
    return {1 << (int(x).bit_length() - 1) for x in exposure if x > 0}


def best(fits: dict[int, tuple[float, float]]) -> int:
    return min(fits, key=lambda point: (round(fits[point][0], 9), point))


def test_change_point_of_scores_by_exposure(evaluated: Evaluated, scores: dict[str, Any]) -> None:
    words = observations(evaluated, scores)
    fits = changes(words, np.ones(len(words)))
    assert len(fits) > 1
    point = best(fits)
    drawn = naive.bootstrap_weights({item for _, item, _, _ in words})
    resampled = [
        changes(words, np.array([drawn[item][b] for _, item, _, _ in words])) for b in range(naive.N_RESAMPLES)
    ]
    points = [best(of_resample) for of_resample in resampled if of_resample]
    assert len(set(points)) > 1
    at_point = [of_resample[point][1] for of_resample in resampled if point in of_resample]
    [row] = evaluated.rows("from marts.fct_exposure_change_points")
    assert row["run_id"] == TRAINING
    assert row["n_checkpoints"] == 2
    assert row["n_words"] == len(words)
    assert row["n_words_together"] == sum(exposure > 0 for _, _, exposure, _ in words)
    assert row["n_items"] == len({item for _, item, _, _ in words})
    assert row["change_point"] == point
    low, high = np.quantile(points, (0.025, 0.975), method="inverted_cdf")
    assert (row["ci_low"], row["ci_high"]) == (low, high)
    assert row["same_point_share"] == close(points.count(point) / len(points))
    assert row["score_change"] == close(fits[point][1])
    assert row["score_change_ci_low"] == close(float(np.quantile(at_point, 0.025)))
    assert row["score_change_ci_high"] == close(float(np.quantile(at_point, 0.975)))
