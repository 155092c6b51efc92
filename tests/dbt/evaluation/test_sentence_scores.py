"""Sentence scores against sacrebleu's own corpus score and numpy, from raw rows as the translator writes them."""

from collections.abc import Callable
from math import sqrt
from statistics import mean, stdev
from typing import Any

import pytest
from sacrebleu.metrics import CHRF

from support.corpora.sentence_rows import DIRECTIONS, RUNS, write_sentences
from support.homes.raw_home import build, query
from warehouse.base.settings import Home


@pytest.fixture(scope="module")
def scored(new_home: Callable[[str], Home]) -> tuple[list[dict[str, Any]], dict[Any, tuple[str, str]]]:
    home = new_home("sentences")
    written = write_sentences(home, 5)
    # the other two are read by tests of stg_runs
    build(home, "+fct_sentence_scores", "stg_word_scores", "stg_layer_traces")
    return query(home, "select * from marts.fct_sentence_scores"), written


@pytest.mark.slow
def test_every_direction_has_sacrebleus_corpus_score(scored: Any) -> None:
    rows, written = scored
    directions = [row for row in rows if row["source_lang"] != "all"]
    assert len(directions) == len(RUNS) * len(DIRECTIONS)
    for row in directions:
        key = (row["run_id"], row["source_lang"], row["target_lang"])
        pairs = [pair for place, pair in written.items() if place[:3] == key]
        translations, references = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        assert row["n_sentences"] == len(pairs)
        for column, metric in (("chrf", CHRF()), ("chrf_pp", CHRF(word_order=2))):
            assert row[column] == pytest.approx(metric.corpus_score(translations, [references]).score, abs=1e-9)


@pytest.mark.slow
def test_changes_are_those_of_the_sentences_that_both_runs_have(scored: Any) -> None:
    rows, written = scored
    metric = CHRF()
    for row in rows:
        if row["run_id"] == "before":
            assert row["baseline_run_id"] is None
            assert row["chrf_delta"] is None
        elif row["source_lang"] != "all":
            direction = (row["source_lang"], row["target_lang"])
            scores = {
                run: {n: metric.sentence_score(*_pair(written[run, *direction, n])).score for n in range(12)
                      if (run, *direction, n) in written} for run in RUNS
            }  # fmt: skip
            deltas = [scores["after"][n] - score for n, score in scores["before"].items()]
            assert len(deltas) == 11
            half = 1.96 * stdev(deltas) / sqrt(len(deltas))
            assert row["mean_sentence_chrf_delta"] == pytest.approx(mean(deltas))
            assert (row["delta_ci_low"], row["delta_ci_high"]) == pytest.approx(
                (mean(deltas) - half, mean(deltas) + half)
            )
            assert row["mean_sentence_chrf"] == pytest.approx(mean(scores["after"].values()))


def _pair(texts: tuple[str, str]) -> tuple[str, list[str]]:
    return texts[0], [texts[1]]


@pytest.mark.slow
def test_all_is_the_mean_of_the_directions(scored: Any) -> None:
    rows, _ = scored
    for run in RUNS:
        own = [row["chrf"] for row in rows if row["run_id"] == run and row["source_lang"] != "all"]
        (over,) = (row for row in rows if row["run_id"] == run and row["source_lang"] == "all")
        assert over["chrf"] == pytest.approx(mean(own))
        assert over["ci_low"] is None
