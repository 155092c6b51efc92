"""The twenty questions run, answer, and say what their first row says."""

import re
from typing import Any

import pytest

from support.homes.built import Built
from support.homes.evaluation_home import Evaluated
from tools.answer_questions import Answer, answer, page, parse

ON_CORPORA = range(1, 13)  # the others need results of models


@pytest.fixture(scope="module")
def of_results(evaluated: Evaluated) -> dict[int, Answer]:
    return by_number(answer(evaluated.home))


@pytest.fixture(scope="module")
def of_corpora(built: Built) -> dict[int, Answer]:
    word = built.rows(
        "select source_word from marts.fct_pivot_candidates where source_lang = 'en' and target_lang = 'fr'"
        " and score_method = 'adjusted' order by all limit 1"
    )[0]["source_word"]
    asked = {"ask_word": word, "ask_source_lang": "en", "ask_target_lang": "fr", "default_pivot_set": "bridge"}
    names = [name for name in _names() if int(name[1:3]) in ON_CORPORA]
    return by_number(answer(built.home, asked, only=names))


def _names() -> list[str]:
    from warehouse.build.dbt_runner import PROJECT_DIR

    return sorted(path.stem for path in (PROJECT_DIR / "analyses").glob("*.sql"))


def by_number(answers: list[Answer]) -> dict[int, Answer]:
    return {int(found.analysis.name[1:3]): found for found in answers}


def test_there_are_twenty_and_each_has_rows(of_results: dict[int, Answer], of_corpora: dict[int, Answer]) -> None:
    assert sorted(of_results) == list(range(1, 21))
    assert [n for n in ON_CORPORA if not of_corpora[n].rows] == []
    assert [n for n in range(13, 21) if not of_results[n].rows] == []


def test_the_sentence_is_about_the_first_row(of_results: dict[int, Answer], of_corpora: dict[int, Answer]) -> None:
    for found in (of_results | of_corpora).values():
        named = re.findall(r"\{(\w+)\}", found.analysis.summary)
        assert named, found.analysis.name
        assert set(named) <= set(found.columns), found.analysis.name
        assert "{" not in found.in_short


def test_bridges_of_a_word_are_the_mart_in_order(built: Built, of_corpora: dict[int, Answer]) -> None:
    found = of_corpora[1]
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    asked = rows[0]
    mart = built.rows(
        "select corpus, source_word, target_word, pivot_rank, token from marts.fct_pivot_candidates"
        " where score_method = 'specific' and pivot_rank <= 10 and source_lang = 'en' and target_lang = 'fr'"
        f" and source_word = '{asked['source_word']}' order by corpus, item_id, pivot_rank"
    )
    assert [{name: row[name] for name in mart[0]} for row in rows] == mart


def test_agreement_of_scores_is_a_share_of_common_tokens(built: Built, of_corpora: dict[int, Answer]) -> None:
    best: dict[tuple[Any, ...], dict[str, set[int]]] = {}
    for row in built.rows("from marts.fct_pivot_candidates where pivot_rank <= 10 and source_lang < target_lang"):
        pair = (row["corpus"], row["source_lang"], row["target_lang"], row["item_id"])
        best.setdefault(pair, {}).setdefault(row["score_method"], set()).add(row["token_id"])
    found = of_corpora[2]
    for row in (dict(zip(found.columns, values, strict=True)) for values in found.rows):
        shares = [
            len(sets["adjusted"] & sets.get("paper", set())) / len(sets["adjusted"])
            for pair, sets in best.items()
            if pair[:3] == (row["corpus"], row["source_lang"], row["target_lang"]) and "adjusted" in sets
        ]
        assert row["n_pairs"] == len(shares)
        assert row["shared_share"] == pytest.approx(sum(shares) / len(shares), abs=6e-4)


def test_exposure_cuts_hold_every_compared_word_once(evaluated: Evaluated, of_results: dict[int, Answer]) -> None:
    for number in (17, 18):
        found = of_results[number]
        rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        split = "and a.word_split = 'judge'" if number == 17 else ""
        expected = evaluated.rows(
            "select strategy, count(*) as n from (select distinct a.strategy, a.item_id, a.source_lang, a.target_lang"
            " from marts.fct_item_scores a"
            " join marts.fct_item_scores b using (experiment, item_id, source_lang, target_lang)"
            " where b.strategy = 'random_multilingual' and a.strategy not in ('base', 'random_multilingual')"
            f" and a.score is not null and b.score is not null {split}) group by strategy"
        )
        for row in expected:
            assert sum(r["n_scored"] for r in rows if r["strategy"] == row["strategy"]) == row["n"]


def test_the_page_shows_question_answer_and_rows(of_results: dict[int, Answer]) -> None:
    text = page(list(of_results.values()))
    for found in of_results.values():
        assert found.analysis.question in text
        assert found.in_short in text
    assert max(len(table.splitlines()) for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)) <= 14


def test_a_heading_without_its_parts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"q99\.sql must begin with a question"):
        parse("q99", "-- What?\n-- Read: this.\nselect 1")
