"""Outcomes beside the score against naive Python."""

from typing import Any, get_args

import pytest

from support.corpora.evaluation_results import ITEMS, LANGUAGES, has_word
from support.homes.evaluation_home import Evaluated, close
from support.naive import evaluation as naive
from support.naive import outcomes as naive_outcomes
from warehouse.contract.presets import ExperimentPreset


@pytest.fixture(scope="module")
def outcomes(evaluated: Evaluated) -> dict[str, naive_outcomes.Outcomes]:
    words = {(item, lang): f"{lang}{item}" for item in ITEMS for lang in LANGUAGES if has_word(item, lang)}
    return naive_outcomes.item_outcomes(evaluated.written["word_scores"], words)


def test_a_preset_may_declare_each_of_them(evaluated: Evaluated) -> None:
    (choices, _) = get_args(ExperimentPreset.model_fields["primary_outcome"].annotation)
    listed = evaluated.rows("select outcome from marts.dim_outcomes order by display_order")
    assert list(get_args(choices)) == [row["outcome"] for row in listed]


def test_outcomes_of_items(evaluated: Evaluated, outcomes: dict[str, Any]) -> None:
    found = evaluated.by("from marts.fct_item_scores", "run_id", "item_id", "source_lang", "target_lang")
    assert len(found) == sum(len(values["bits_per_byte"]) for values in outcomes.values()) > 1000
    for (run, *word), row in found.items():
        for outcome in ("normalised_log_p", "margin", "bits_per_byte"):
            expected = outcomes[run][outcome].get(naive.Key(*word))
            assert row[outcome] == (None if expected is None else close(expected))


def test_outcomes_of_runs(evaluated: Evaluated, outcomes: dict[str, Any]) -> None:
    found = evaluated.by("from marts.fct_outcome_scores", "run_id", "outcome", "word_split")
    assert len(found) == len(outcomes) * 5 * 3
    for (run, outcome, split), row in found.items():
        values = outcomes[run][outcome]
        assert row["value"] == close(naive.mean_over_directions(values, split)[naive.ALL])
        assert row["n_items"] == len({key.item for key in values if naive.in_split(key.item, split)})


def test_the_score_is_the_same_beside_the_others(evaluated: Evaluated) -> None:
    rows = evaluated.rows(
        "from marts.fct_outcome_scores as o join marts.fct_translation_scores as s using (run_id, word_split)"
        " where source_lang = 'all' and outcome in ('score', 'first_rank')"
    )
    assert rows
    for row in rows:
        assert row["value"] == close(row["score"] if row["outcome"] == "score" else row["first_rank_rate"])
