"""Translation scores and comparisons of strategies against naive Python."""

from collections import defaultdict
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from scipy import stats

from support.corpora.evaluation_results import DIRECTIONS, ITEMS
from support.homes.evaluation_home import Evaluated, classes, close
from support.naive import evaluation as naive

SPLITS = ("find", "judge", "all")
BASELINES = ("base", "original", "random_multilingual", "word_density")


@pytest.fixture(scope="module")
def weights() -> dict[int, np.ndarray]:
    return naive.bootstrap_weights(ITEMS)


@pytest.fixture(scope="module")
def arms(evaluated: Evaluated, scores: dict[str, Any]) -> dict[str, dict[int | None, Any]]:
    """Return strategy -> seed -> word -> score, of each arm's last run."""
    latest: dict[str, dict[int | None, Any]] = defaultdict(dict)
    for run in sorted(evaluated.written["runs"], key=lambda run: run["finished_at"]):
        if run["kind"] == "score" and run["experiment"]:
            latest[run["strategy"]][run["seed"]] = scores[run["run_id"]]
    return latest


def test_item_scores(evaluated: Evaluated, scores: dict[str, Any]) -> None:
    without_space = naive.item_scores(evaluated.written["word_scores"], "nll_mean_without_space")
    found = evaluated.by("from marts.fct_item_scores", "run_id", "item_id", "source_lang", "target_lang")
    assert sum(row["score"] is not None for row in found.values()) == sum(len(words) for words in scores.values())
    assert any(row["score"] is None and row["n_distractors"] == 0 for row in found.values())
    for run, words in scores.items():
        for key, expected in words.items():
            row = found[run, *key]
            assert row["score"] == close(expected["score"])
            assert row["score_without_space"] == close(without_space[run][key]["score"])
            assert (row["right_rank"], row["chance_rate"]) == (expected["rank"], close(expected["chance"]))
            assert row["word_split"] == naive.word_split(key.item)
            assert row["source_word"] == f"{key.source}{key.item}"


def test_translation_scores_and_their_intervals(evaluated: Evaluated, scores: dict[str, Any], weights: Any) -> None:
    found = evaluated.by("from marts.fct_translation_scores", "run_id", "source_lang", "target_lang", "word_split")
    n_expected = 0
    for run, words in scores.items():
        score = {key: word["score"] for key, word in words.items()}
        first = {key: float(word["rank"] == 1) for key, word in words.items()}
        for split in SPLITS:
            first_rates = naive.mean_over_directions(first, split)
            resampled = naive.resampled(score, split, weights)
            for direction, mean in naive.mean_over_directions(score, split).items():
                row = found[run, *direction, split]
                members = [k for k in score if naive.in_split(k.item, split) and direction in (naive.ALL, k.direction)]
                low, high = naive.percentile_interval(resampled[direction])
                assert row["n_items"] == len({key.item for key in members})
                assert row["n_pairs"] == (len(DIRECTIONS) if direction == naive.ALL else 1)
                assert (row["score"], row["first_rank_rate"]) == (close(mean), close(first_rates[direction]))
                assert (row["ci_low"], row["ci_high"]) == (close(low), close(high))
                n_expected += 1
    assert len(found) == n_expected


def test_bootstrap_interval_agrees_with_scipy(evaluated: Evaluated, scores: dict[str, Any]) -> None:
    row = evaluated.rows(
        "from marts.fct_translation_scores where run_id = 'score-base' and word_split = 'all'"
        " and source_lang = 'en' and target_lang = 'fr'"
    )[0]
    values = [word["score"] for key, word in scores["score-base"].items() if key.direction == ("en", "fr")]
    drawn = stats.bootstrap((values,), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(1))
    width = drawn.confidence_interval.high - drawn.confidence_interval.low
    assert row["ci_low"] == pytest.approx(drawn.confidence_interval.low, abs=0.2 * width)
    assert row["ci_high"] == pytest.approx(drawn.confidence_interval.high, abs=0.2 * width)


def test_strategy_comparisons(evaluated: Evaluated, arms: dict[str, Any], weights: Any) -> None:
    keys = ("strategy", "baseline", "source_lang", "target_lang", "word_split")
    found = evaluated.by("from marts.fct_strategy_comparison", *keys)
    compared = [(s, b) for s in arms for b in BASELINES if s != "base" and b in arms and s != b]
    assert {key[:2] for key in found} == set(compared)
    for strategy, baseline in compared:
        deltas = naive.paired_deltas(arms[strategy], arms[baseline])
        for split in SPLITS:
            resampled = naive.resampled(deltas["mean"], split, weights)
            by_seed = [naive.mean_over_directions(seed, split) for seed in deltas["by_seed"].values()]
            for direction, delta in naive.mean_over_directions(deltas["mean"], split).items():
                row = found[strategy, baseline, *direction, split]
                low, high = naive.percentile_interval(resampled[direction])
                assert row["score_delta"] == close(delta)
                assert (row["ci_low"], row["ci_high"]) == (close(low), close(high))
                means = [seed[direction] for seed in by_seed if direction in seed]
                quantile = float(stats.t.ppf(0.975, len(means) - 1))
                assert row["n_seeds"] == len(means)
                assert (row["p_value"] is None) == (len(means) == 1 or row["n_items"] == 1)
                assert row["n_seeds_above"] == sum(mean > 0 for mean in means)
                assert (row["seed_ci_low"], row["seed_ci_high"]) == tuple(
                    map(close, naive.seed_interval(means, quantile))
                )


def test_paired_bootstrap_agrees_with_scipy(evaluated: Evaluated, arms: dict[str, Any]) -> None:
    """Both resample items; a strategy and its baseline keep the same ones, so that only their difference varies."""
    for direction in (("en", "fr"), ("zh", "en")):
        row = evaluated.rows(
            "from marts.fct_strategy_comparison where strategy = 'pivot_aware' and baseline = 'original'"
            f" and word_split = 'all' and source_lang = '{direction[0]}' and target_lang = '{direction[1]}'"
        )[0]
        deltas = naive.paired_deltas(arms["pivot_aware"], arms["original"])["mean"]
        values = [delta for key, delta in deltas.items() if key.direction == direction]
        drawn = stats.bootstrap(
            (values,), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(1)
        ).confidence_interval
        width = drawn.high - drawn.low
        assert row["ci_low"] == pytest.approx(drawn.low, abs=0.2 * width)
        assert row["ci_high"] == pytest.approx(drawn.high, abs=0.2 * width)


def test_a_baseline_without_seed_meets_every_seed(evaluated: Evaluated) -> None:
    rows = evaluated.rows(
        "select strategy, baseline, n_seeds from marts.fct_strategy_comparison"
        " where source_lang = 'all' and word_split = 'all'"
    )
    n_seeds = {(row["strategy"], row["baseline"]): row["n_seeds"] for row in rows}
    assert n_seeds["original", "base"] == 3
    assert n_seeds["pivot_aware", "original"] == n_seeds["original", "random_multilingual"] - 1 == 2


def pooled(values: dict[naive.Key, float], weights: dict[int, np.ndarray]) -> np.ndarray:
    """Return the weighted mean over all words per resample."""
    drawn = np.array([weights[key.item] for key in values])
    with np.errstate(invalid="ignore"):
        return np.array(list(values.values())) @ drawn / drawn.sum(axis=0)


def test_scores_and_comparisons_by_class(evaluated: Evaluated, arms: dict[str, Any], weights: Any) -> None:
    of_word = classes(evaluated)
    scores_found = evaluated.by(
        "from marts.fct_translation_scores_by_class where run_id = 'score-base'",
        "word_class",
        "class_value",
        "word_split",
    )
    deltas_found = evaluated.by(
        "from marts.fct_strategy_comparison_by_class where strategy = 'pivot_aware' and baseline = 'original'",
        *("word_class", "class_value", "word_split"),
    )
    score = {key: word["score"] for key, word in arms["base"][None].items()}
    delta = naive.paired_deltas(arms["pivot_aware"], arms["original"])["mean"]
    assert {key[0] for key in scores_found} == {"kind", "role", "shared_docs", "target_docs", "pair", "resource"}
    for found, values, column in ((scores_found, score, "score"), (deltas_found, delta, "score_delta")):
        expected = {
            (name, value, split)
            for key in values
            for name, value in of_word[key].items()
            for split in ("all", naive.word_split(key.item))
        }
        assert set(found) == expected
        for (name, value, split), row in found.items():
            members = {k: v for k, v in values.items() if of_word[k][name] == value and naive.in_split(k.item, split)}
            assert (row["n_scored"], row["n_items"]) == (len(members), len({key.item for key in members}))
            assert row[column] == close(fmean(members.values()))
            if row["n_items"] > 1:
                low, high = naive.percentile_interval(pooled(members, weights))
                assert (row["ci_low"], row["ci_high"]) == (close(low), close(high))
