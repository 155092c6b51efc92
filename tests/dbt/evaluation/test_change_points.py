"""The change point of scores by exposure against least squares with a column per checkpoint."""

from collections import defaultdict
from typing import Any

import numpy as np

from support.homes.evaluation_home import Evaluated, close
from support.naive import evaluation as naive

TRAINING, START = "train-original-1", "score-start"
CHECKPOINTS = {"score-original-1-step2": 2, "score-original-1": 4}  # score run -> step; the training has four


Word = tuple[str, int, int, float, float]


def observations(evaluated: Evaluated, scores: dict[str, Any]) -> list[Word]:
    """Return score run, item, times read together by its step, score, and score at the start, of every scored word."""
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
                found.append((run, key.item, read[-1] if read else 0, word["score"], scores[START][key]["score"]))
    return found


def changes(words: list[Word], weights: np.ndarray) -> dict[int, tuple[float, float, float]]:
    """Return point -> squared error, coefficient and that of the starts' scores, fitted with a mean per checkpoint."""
    runs, exposure = np.array([word[0] for word in words]), np.array([word[2] for word in words])
    score = np.array([word[3:] for word in words])
    fits, point = {}, 1
    while point <= exposure.max():
        above = exposure >= point
        sides = [{bool(a) for a in above[(runs == run) & (weights > 0)]} for run in CHECKPOINTS]
        if point in _points(exposure) and any(len(both) == 2 for both in sides):
            design = np.column_stack([*(runs == run for run in CHECKPOINTS), above]).astype(float)
            root = np.sqrt(weights)
            solution, *_ = np.linalg.lstsq(design * root[:, None], score * root[:, None], rcond=None)
            error = float((weights * (score - design @ solution)[:, 0] ** 2).sum())
            fits[point] = (error, float(solution[-1, 0]), float(solution[-1, 1]))
        point *= 2
    return fits


def _points(exposure: np.ndarray) -> set[int]:
    """Return the powers of two that are the largest up to some word's exposure."""
    return {1 << (int(x).bit_length() - 1) for x in exposure if x > 0}


def best(fits: dict[int, tuple[float, float, float]]) -> int:
    return min(fits, key=lambda point: (round(fits[point][0], 9), point))


def test_change_point_of_scores_by_exposure(evaluated: Evaluated, scores: dict[str, Any]) -> None:
    words = observations(evaluated, scores)
    fits = changes(words, np.ones(len(words)))
    assert len(fits) > 1
    point = best(fits)
    drawn = naive.bootstrap_weights({word[1] for word in words})
    weights = np.array([drawn[word[1]] for word in words])
    resampled = [changes(words, weights[:, resample]) for resample in range(naive.N_RESAMPLES)]
    points = [best(of_resample) for of_resample in resampled if of_resample]
    assert len(set(points)) > 1
    at_point = np.array([of_resample[point][1:] for of_resample in resampled if point in of_resample])
    [row] = evaluated.rows("from marts.fct_exposure_change_points")
    assert row["run_id"] == TRAINING
    assert row["n_checkpoints"] == 2
    assert row["n_words"] == len(words)
    assert row["n_words_together"] == sum(word[2] > 0 for word in words)
    assert row["n_items"] == len({word[1] for word in words})
    assert row["change_point"] == point
    low, high = np.quantile(points, (0.025, 0.975), method="inverted_cdf")
    assert (row["ci_low"], row["ci_high"]) == (low, high)
    assert row["same_point_share"] == close(points.count(point) / len(points))
    assert row["score_change"] == close(fits[point][1])
    assert row["start_score_change"] == close(fits[point][2])
    assert row["gain_change"] == close(fits[point][1] - fits[point][2])
    for name, values in (("score_change", at_point[:, 0]), ("gain_change", at_point[:, 0] - at_point[:, 1])):
        low, high = np.quantile(values, (0.025, 0.975))
        assert (row[f"{name}_ci_low"], row[f"{name}_ci_high"]) == (close(low), close(high))
