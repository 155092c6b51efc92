"""Which items of a word list are scored."""

import duckdb
import pytest

from warehouse.experiments.evaluation_set import _SCORED_ITEMS, _TOPICS


def _select_items(limit: int | str, corpus: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("create schema raw")
    connection.execute("create table raw.translation_items as select unnest([1, 1, 2, 3, 4, 5]) as item_id")
    connection.execute(
        "create table raw.planted_concepts as "
        "select * from (values ('p', 1, 'train', 'sea'), ('p', 2, 'test', 'sea'), ('p', 3, 'test', null), "
        "('q', 2, 'test', 'sky'), ('q', 3, 'train', 'sky')) as v (corpus, item_id, role, topic)"
    )
    connection.execute(_SCORED_ITEMS.format(limit=limit), [corpus])
    return connection


def _scored(limit: int | str, corpus: str) -> list[int]:
    connection = _select_items(limit, corpus)
    return [row[0] for row in connection.execute("select item_id from scored_items").fetchall()]


@pytest.mark.parametrize(("corpus", "items"), [("p", {2, 3, 4, 5}), ("q", {1, 2, 4, 5}), ("real", {1, 2, 3, 4, 5})])
def test_planted_training_concepts_of_the_corpus_are_not_scored(corpus: str, items: set[int]) -> None:
    assert set(_scored("all", corpus)) == items


def test_a_sample_is_a_prefix_of_a_larger_one() -> None:
    everything = _scored("all", "p")
    assert sorted(everything) == [2, 3, 4, 5]
    assert _scored(2, "p") == everything[:2]


@pytest.mark.parametrize(("corpus", "topics"), [("p", [(2, "sea")]), ("q", [(2, "sky")]), ("real", [])])
def test_topics_are_those_of_scored_items_in_the_corpus(corpus: str, topics: list[tuple[int, str]]) -> None:
    assert _select_items("all", corpus).execute(_TOPICS, [corpus]).fetchall() == topics
