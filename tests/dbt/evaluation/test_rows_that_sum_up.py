"""Rows that sum up others are flagged wherever there are any, and nothing else is."""

import pytest

from support.homes.evaluation_home import Evaluated

# words of the corpus may be `all`; these columns hold words
NOT_NAMES = {
    "token",
    "neighbour",
    "word",
    "words",
    "source_word",
    "target_word",
    "top_token",
    "final_token",
    "explanation",
}


@pytest.fixture(scope="module")
def texts(evaluated: Evaluated) -> dict[str, list[str]]:
    rows = evaluated.rows(
        "select table_name, column_name from duckdb_columns()"
        " where schema_name = 'marts' and database_name = 'warehouse' and data_type = 'VARCHAR'"
    )
    marts: dict[str, list[str]] = {}
    for row in rows:
        if row["column_name"] not in NOT_NAMES:
            marts.setdefault(row["table_name"], []).append(row["column_name"])
    return marts


def test_all_stands_in_no_row_that_is_not_flagged(evaluated: Evaluated, texts: dict[str, list[str]]) -> None:
    flagged = {
        row["table_name"]
        for row in evaluated.rows("select table_name from duckdb_columns() where column_name = 'is_summary'")
    }
    assert len(flagged) > 10
    for mart, columns in texts.items():
        any_is_all = " or ".join(f"coalesce({column} = 'all', false)" for column in columns)
        if mart in flagged:
            wrong = evaluated.rows(f"select * from marts.{mart} where is_summary <> ({any_is_all}) limit 3")
        else:
            wrong = evaluated.rows(f"select * from marts.{mart} where {any_is_all} limit 3")
        assert wrong == [], mart


def test_without_mirrors_two_strategies_are_compared_once(evaluated: Evaluated) -> None:
    for mart, cut in (
        ("fct_strategy_comparison", "source_lang, target_lang, word_split"),
        ("fct_strategy_comparison_by_class", "word_class, class_value, word_split"),
    ):
        pairs = f"""
            select experiment, {cut}, least(strategy, baseline) as a, greatest(strategy, baseline) as b,
                count(*) as n, count(*) filter (not is_mirrored) as n_once
            from marts.{mart} group by all
        """
        rows = evaluated.rows(pairs)
        assert {row["n"] for row in rows} == {1, 2}, mart
        assert {row["n_once"] for row in rows} == {1}, mart
