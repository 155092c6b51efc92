"""The ladder's outcomes, by hand."""

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml.gpu.ladder_report import decision_accuracy, interval, outcomes, rank_correlation, report
from ml.gpu.sizes import FULL_SIZES
from ml.gpu.stages.ladder import cells_of
from warehouse.contract.stage_answers import Answers


def row(item: int, source: str, target: str, candidate: int, nll: float) -> dict[str, object]:
    return {"item_id": item, "source_lang": source, "target_lang": target, "candidate": candidate, "nll_mean": nll}


def test_outcomes_average_draws_then_items_then_directions(tmp_path: Path) -> None:
    rows = [
        # en -> fr, item 1: two draws, mean NLLs 1 and 2
        *(row(1, "en", "fr", 0, nll) for nll in (0.5, 1.5)),
        *(row(1, "en", "fr", 1, nll) for nll in (1.0, 3.0)),
        row(2, "en", "fr", 0, 2.0),
        row(2, "en", "fr", 1, 2.0),
        row(1, "fr", "en", 0, 1.0),
        row(1, "fr", "en", 1, 3.0),
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "word_scores.parquet")
    found = outcomes(tmp_path / "word_scores.parquet", {"1": "direct", "2": "unlinked"})
    first, third = math.exp(-1) - math.exp(-2), math.exp(-1) - math.exp(-3)
    assert found["score_all"] == pytest.approx(100 * ((first + 0) / 2 + third) / 2)
    assert found["score_direct"] == pytest.approx(100 * (first + third) / 2)
    assert found["score_unlinked"] == pytest.approx(0)
    assert found["log_share_unlinked"] == pytest.approx(-math.log(2))
    assert found["log_share_direct"] == pytest.approx(-(math.log1p(math.exp(-1)) + math.log1p(math.exp(-2))) / 2)


def test_interval_is_students() -> None:
    centre, half = interval([1.0, 2.0, 3.0, 4.0])
    assert centre == 2.5
    assert half == pytest.approx(3.182 * math.sqrt(5 / 3) / 2)
    assert math.isinf(interval([1.0])[1])


def test_quantiles_agree_with_scipy() -> None:
    from scipy.stats import t

    from ml.gpu.ladder_report import _T

    for degrees, quantile in enumerate(_T[1:], start=1):
        assert quantile == pytest.approx(t.ppf(0.975, degrees), abs=1e-3)


def test_agreement_of_two_orders() -> None:
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([1, 2], [1, 2]) is None
    assert decision_accuracy([1, 2, 3], [1, 3, 2]) == pytest.approx(2 / 3)
    assert decision_accuracy([1], [1]) is None


def cell(scale: str, arm: str, seed: int, value: float) -> dict[str, object]:
    both = {"score_all": value, "log_share_all": -value}
    return {"tokens": 100, "learning_rate": 1e-3, "scale": scale, "arm": arm, "seed": seed} | both


def test_effects_are_paired_by_seed(tmp_path: Path) -> None:
    done = [
        cell("small", "random_multilingual", 1, 1.0),
        cell("small", "random_multilingual", 2, 5.0),
        cell("small", "original", 1, 2.0),
        cell("small", "original", 2, 6.0),
        cell("small", "original", 3, 99.0),  # its control was not done
        cell("large", "random_multilingual", 1, 0.0),
        cell("large", "original", 1, -1.0),
    ]
    answers = Answers(tmp_path / "answers.json", seconds=10)
    report(answers, done, ["small", "large"])
    tables = answers._content["tables"]
    rows = tables["Effect of the arms on score"]["rows"]
    assert rows == [
        [100, 1e-3, "small", "original", 4.0, 1.0, "[1, 1]", 2],
        [100, 1e-3, "large", "original", -1.0, -1.0, None, 1],
    ]
    (agreement,) = tables["Do scales rank the arms alike? By score"]["rows"]
    assert agreement == [100, 1e-3, "small for large", 2, None, 0.0]


def test_every_cell_once_and_all_scales_of_the_first_seeds_before_other_budgets() -> None:
    cells = cells_of(FULL_SIZES)
    n_all = len(FULL_SIZES.scales) * len(FULL_SIZES.budgets) * len(FULL_SIZES.learning_rates)
    assert len(cells) == len(set(cells)) == n_all * FULL_SIZES.seeds * len(FULL_SIZES.arms)
    first = cells[: 2 * len(FULL_SIZES.scales) * len(FULL_SIZES.arms)]
    assert {c.tokens for c in first} == {FULL_SIZES.budgets[0].tokens}
    assert {c.scale for c in first} == set(FULL_SIZES.scales)
    assert len({c.seed for c in first}) == 2
