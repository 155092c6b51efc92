"""Which items of a word list are scored."""

import duckdb
import pytest

from warehouse.experiments.evaluation_set import _SCORED_ITEMS


def _scored(limit: int | str, corpus: str) -> list[int]:
    connection = duckdb.connect()
    connection.execute("create schema raw")
    connection.execute("create table raw.translation_items as select unnest([1, 1, 2, 3, 4, 5]) as item_id")
    connection.execute(
        "create table raw.planted_concepts as "
        "select * from (values ('p', 1, 'train'), ('p', 2, 'test'), ('q', 3, 'train')) as v (corpus, item_id, role)"
    )
    connection.execute(_SCORED_ITEMS.format(limit=limit), [corpus])
    return [row[0] for row in connection.execute("select item_id from scored_items").fetchall()]


@pytest.mark.parametrize(("corpus", "items"), [("p", {2, 3, 4, 5}), ("q", {1, 2, 4, 5}), ("real", {1, 2, 3, 4, 5})])
def test_planted_training_concepts_of_the_corpus_are_not_scored(corpus: str, items: set[int]) -> None:
    assert set(_scored("all", corpus)) == items


def test_a_sample_is_a_prefix_of_a_larger_one() -> None:
    everything = _scored("all", "p")
    assert sorted(everything) == [2, 3, 4, 5]
    assert _scored(2, "p") == everything[:2]
