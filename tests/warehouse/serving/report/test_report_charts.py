"""What charts of several panels and several pages have in common: colours, scales, and room for every dot."""

from typing import Any

import pytest

from warehouse.serving.report import charts
from warehouse.serving.strategies import Strategies

STRATEGIES = Strategies(names=("original", "pivot_aware"), default="pivot_aware", baseline="original")


def values(specification: Any, name: str) -> list[Any]:
    """Return all values of a name, wherever it stands in a specification."""
    if isinstance(specification, list):
        return [found for inner in specification for found in values(inner, name)]
    if not isinstance(specification, dict):
        return []
    own = [specification[name]] if name in specification else []
    return own + [found for inner in specification.values() for found in values(inner, name)]


@pytest.mark.parametrize("company", [["en"], ["fr", "en"], ["zz", "ja", "en", "fr"], ["de", "en", "es", "sw"]])
def test_a_language_has_its_colour_in_any_company(company: list[str]) -> None:
    legend = charts.language_legend(company)
    assert [lang for lang, _ in legend] == company
    assert dict(legend)["en"] == dict(charts.language_legend(["en"]))["en"]
    assert len({colour for _, colour in legend}) == len(company)


def test_fourteen_languages_have_fourteen_colours_and_more_still_have_one() -> None:
    langs = ["en", "fr", "ja", "zh", "de", "es", *"abcdefgh"]
    assert len({colour for _, colour in charts.language_legend(langs)}) == 14
    assert len(charts.language_legend([*langs, "i", "j"])) == 16


def test_panels_that_are_compared_are_given_one_scale() -> None:
    rows = [
        {"strategy": "original", "seed": 0, "score": 0.2, "low": 0.1, "high": 0.3},
        {"strategy": "pivot_aware", "seed": 0, "score": 0.9, "low": None, "high": None},
    ]
    domain = charts.domain_of(rows, "score", "low", "high")
    assert domain == (0.1, 0.9)
    for row in rows:
        panel = charts.intervals(
            [row], y="strategy", value="score", low="low", high="high", title="score", domain=domain
        )
        assert [0.1, 0.9] in values(panel, "domain")
    assert charts.domain_of([{"score": None}], "score", "not_there") is None


def test_dots_of_a_name_stand_on_lines_of_their_own() -> None:
    rows = [{"strategy": "original", "lang": lang, "x": 0.0} for lang in ("en", "fr", "ja")]
    legend = charts.language_legend(["en", "fr", "ja"])
    chart = charts.dots(rows, y="strategy", x="x", colour="lang", legend=legend, title="x", strategies=STRATEGIES)
    [offset] = values(chart, "yOffset")
    assert offset["scale"]["domain"] == ["en", "fr", "ja"]
    assert values(chart, "x")[0]["scale"]["padding"] > 0
