"""The recipe of docs/verified-models.md: what it measures of a family, and what it says of one that is refused."""

import torch

from tools.verified_models import Verdict, page, random_model, verify


def test_a_family_that_is_read_right_has_small_differences() -> None:
    verdict = verify("gemma2", random_model("gemma2"))
    for difference in (verdict.scores, verdict.last_layer, verdict.loss):
        assert isinstance(difference, float)
        assert 0 <= difference < 1e-4
    assert verdict.writing == "yes"


def test_a_difference_would_show() -> None:
    """A model whose mask is ignored in one layer is refused, not verified."""
    model = random_model("llama")
    inner = model.base_model.forward
    model.base_model.forward = lambda attention_mask=None, **inputs: inner(**inputs)  # type: ignore[method-assign]
    verdict = verify("deaf", model)
    assert isinstance(verdict.scores, str)
    assert verdict.scores.startswith("refused: ")


def test_the_page_counts_what_it_shows() -> None:
    found = [Verdict("a", 1e-6, 0.0, 1e-7, "yes"), Verdict("b", 2e-6, "refused: no norm", 0.0, "yes")]
    text = page([], found, {"c": "ValueError: no"})
    assert "3 were tried" in text
    assert "2 built; 2 of those are scored, 1 of them traced" in text
    assert "| b | 2.0e-06 | refused: no norm | 0.0e+00 | yes |" in text
    assert "- `c`: ValueError: no" in text
    assert torch.__version__ in text
