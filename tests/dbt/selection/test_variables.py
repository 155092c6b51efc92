"""The choices that dbt variables offer, on a second home built with the other answer to each."""

from collections.abc import Callable

import pytest

from support.corpora.random_rows import BLANK, VARIABLES, make_corpus, write_corpus, write_vocabulary
from support.homes.built import Built
from support.homes.raw_home import build
from warehouse.base.settings import Home

BUDGET = 1500
OTHER = {
    "exclude_flagged_tokens": False,
    "pivot_items": "all",
    "pivot_ranking": "density",
    "default_pivot_set": "pairs_top3",
    "selection_budget_tokens": BUDGET,
}


@pytest.fixture(scope="module")
def other(new_home: Callable[[str], Home]) -> Built:
    home = new_home("other-variables")
    corpus = make_corpus("balanced", 1, n_docs=300, languages=["en", "fr", "ja"])
    write_vocabulary(home)
    write_corpus(home, corpus)
    read = ("fct_pivot_candidates", "dim_pivot_tokens", "fct_selected_documents", "fct_selection_summary")
    build(home, *(f"+{mart}" for mart in (*read, "fct_document_rankings", "dim_documents")), **(VARIABLES | OTHER))
    return Built(home, [corpus])


def test_flagged_tokens_can_be_kept(other: Built) -> None:
    rows = other.rows("from marts.fct_pivot_candidates")
    assert any(r["is_own_token"] for r in rows)
    assert any(r["is_blank"] for r in rows)
    assert all(r["is_blank"] == (r["token_id"] == BLANK) for r in rows)


def test_judge_items_can_take_part(other: Built) -> None:
    served = other.rows(
        """
        select token_id, count(*) as n from marts.fct_pivot_candidates
        where score_method = 'specific' and pivot_rank <= 3 and source_lang < target_lang group by all
        """
    )
    sets = other.rows("from marts.dim_pivot_tokens where pivot_set = 'pairs_top3'")
    assert sets
    assert {r["token_id"]: r["n_pairs"] for r in sets}.items() <= {r["token_id"]: r["n"] for r in served}.items()


def test_the_named_set_and_ranking_choose_the_documents(other: Built) -> None:
    rows = other.rows(
        """
        select selected.rank_in_lang, rankings.density_rank_in_lang
        from marts.fct_selected_documents as selected
        inner join marts.fct_document_rankings as rankings using (corpus, doc_id)
        where strategy = 'pivot_aware' and pivot_set = 'pairs_top3'
        """
    )
    assert rows
    assert all(r["rank_in_lang"] == r["density_rank_in_lang"] for r in rows)


def test_the_selection_ends_at_its_budget(other: Built) -> None:
    rows = other.rows(
        """
        select strategy, max(min_budget_tokens) as most, sum(n_tokens) as n
        from marts.fct_selected_documents group by strategy
        """
    )
    assert rows
    assert all(r["most"] <= BUDGET and r["n"] <= BUDGET for r in rows)
    assert {r["budget_tokens"] for r in other.rows("from marts.fct_selection_summary")} == {BUDGET}
