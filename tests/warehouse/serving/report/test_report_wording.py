"""What the intervals say, in words."""

import pytest
import yaml

from warehouse.build.dbt_runner import PROJECT_DIR
from warehouse.serving.report.wording import (
    VERDICTS,
    delta_sentence,
    outcome,
    power_sentence,
    signature_title,
    training_sentence,
    verdict,
)
from warehouse.serving.strategies import Strategies

STRATEGIES = Strategies(
    names=("base", "original", "random_multilingual", "pivot_aware", "word_density"),
    default="pivot_aware",
    baseline="random_multilingual",
    exposure_control="word_density",
)


def row(
    says: str, words: tuple[float, float] | None, seeds: tuple[float, float] | None, **more: object
) -> dict[str, object]:
    low, high = words or (None, None)
    seed_low, seed_high = seeds or (None, None)
    return {
        "strategy": "pivot_aware",
        "baseline": "random_multilingual",
        "score_delta": 0.005,
        "ci_low": low,
        "ci_high": high,
        "seed_ci_low": seed_low,
        "seed_ci_high": seed_high,
        "n_seeds": 2,
        "verdict": says,
        "is_beyond_exposure": None,
        **more,
    }


def test_every_verdict_of_the_mart_has_words() -> None:
    models = yaml.safe_load((PROJECT_DIR / "models/marts/comparisons/_comparisons__models.yml").read_text())["models"]
    [comparison] = [model for model in models if model["name"] == "fct_strategy_comparison"]
    [column] = [column for column in comparison["columns"] if column["name"] == "verdict"]
    assert set(VERDICTS) == set(column["data_tests"][0]["accepted_values"]["arguments"]["values"])
    assert outcome({"verdict": "leaning_better"}) == "leaning better"


def test_a_sentence_names_baseline_size_and_both_intervals() -> None:
    assert delta_sentence(row("leaning_better", (0.001, 0.009), (-0.01, 0.02))) == (
        "Against random multilingual: +0.0050 (words +0.0010 to +0.0090; 2 seeds -0.0100 to +0.0200), leaning better."
    )
    assert delta_sentence(row("not_tested", (0.001, 0.009), None, n_seeds=1)).endswith("one seed only), not tested.")


def test_what_a_run_could_have_seen_stands_first() -> None:
    seen = row("no_clear_difference", (-0.1, 0.1), (-0.1, 0.1), n_items=43, detectable_effect=0.0124, n_seeds_needed=17)
    assert power_sentence(seen) == (
        "This run could have seen 1.2 points (2 seeds, 43 words; four times of five); to find the smallest difference"
        " that matters, 17 seeds would do."
    )
    assert verdict(STRATEGIES, [seen])["sentences"][0] == power_sentence(seen)
    assert "too few" in str(power_sentence({**seen, "n_seeds_needed": None}))
    assert str(power_sentence({**seen, "is_equivalent": True})).endswith("a difference that matters is ruled out.")
    assert str(power_sentence({**seen, "verdict": "better"})).endswith("four times of five).")
    assert power_sentence(row("not_tested", (-0.1, 0.1), None, n_seeds=1)) is None


def test_the_interval_over_words_and_seeds_comes_first() -> None:
    both = row("better", (0.001, 0.009), (0.01, 0.02), crossed_ci_low=0.002, crossed_ci_high=0.008)
    assert "(words and seeds +0.0020 to +0.0080; words +0.0010 to +0.0090; 2 seeds" in delta_sentence(both)


def test_the_verdict_is_about_the_multilingual_baseline() -> None:
    won = verdict(STRATEGIES, [row("better", (0.1, 0.2), (0.1, 0.2))])
    assert (won["mood"], won["headline"]) == ("good", "Yes: +0.0050 over random multilingual data")
    lost = verdict(STRATEGIES, [row("worse", (-0.2, -0.1), (-0.2, -0.1), score_delta=-0.01)])
    assert (lost["mood"], lost["headline"]) == ("bad", "No: -0.0100 against random multilingual data")
    assert verdict(STRATEGIES, [row("no_clear_difference", (-0.2, 0.1), (-0.2, 0.1))])["headline"].startswith(
        "Not shown"
    )
    assert verdict(STRATEGIES, [])["mood"] == "none"
    assert verdict(STRATEGIES, [row("better", (0.1, 0.2), (0.1, 0.2), baseline="original")])["mood"] == "none"


def test_one_training_run_decides_nothing_and_the_levels_are_said() -> None:
    once = row("not_tested", (-0.2, -0.1), None, n_seeds=1, score_delta=-0.0092)
    means = [
        {"strategy": "pivot_aware", "score": 0.0638},
        {"strategy": "random_multilingual", "score": 0.0730},
    ]
    found = verdict(STRATEGIES, [once], means=means)
    assert (found["mood"], found["headline"]) == (
        "unclear",
        "Not known: behind by 0.0092, but in one training run only",
    )
    assert found["sentences"][0].startswith("Mean score 0.0638 with pivot aware data, 0.0730 with random")


@pytest.mark.parametrize("name", ["auc_near_half", "forgetting_en", "something_new"])
def test_a_signature_has_a_title_in_words(name: str) -> None:
    assert "_" not in signature_title(name)


def test_a_win_that_the_exposure_control_equals_is_qualified() -> None:
    equal = row("better", (0.1, 0.2), (0.1, 0.2), is_beyond_exposure=False)
    beyond = row("better", (0.1, 0.2), (0.1, 0.2), is_beyond_exposure=True)
    assert "exposure" in verdict(STRATEGIES, [equal])["sentences"][-1]
    assert "exposure" not in verdict(STRATEGIES, [beyond])["sentences"][-1]


def test_without_an_interval_nothing_is_said_about_zero() -> None:
    found = verdict(STRATEGIES, [row("not_tested", None, None, n_seeds=1)])
    assert (found["mood"], found["headline"].split(":")[0]) == ("unclear", "Not known")
    assert "hold" not in found["headline"]


def test_the_first_sentences_say_whether_training_hurt() -> None:
    fell = row("worse", (-0.2, -0.1), (-0.2, -0.1), baseline="base", score_delta=-0.01)
    assert training_sentence(fell) == "Training hurt: -0.0100 against the model before training (base)."
    won = row("better", (0.1, 0.2), (0.1, 0.2), detectable_effect=0.01, n_items=43, n_seeds_needed=17)
    means = [{"strategy": "pivot_aware", "score": 0.06}, {"strategy": "random_multilingual", "score": 0.05}]
    assert training_sentence(fell) in verdict(STRATEGIES, [won, fell], means=means)["sentences"][:3]
    once = row("not_tested", None, None, n_seeds=1, baseline="base", score_delta=-0.01)
    assert str(training_sentence(once)).startswith("Training hurt in this run: -0.0100")
    assert training_sentence(None) is None
    for says in VERDICTS:
        assert training_sentence(row(says, None, None, baseline="base"))


def test_scores_at_chance_take_the_meaning_away() -> None:
    assert (
        "mean nothing"
        in verdict(STRATEGIES, [row("better", (0.1, 0.2), (0.1, 0.2))], ["scores_at_chance"])["sentences"][-1]
    )
