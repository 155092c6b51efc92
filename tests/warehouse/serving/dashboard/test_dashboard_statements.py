"""Compiled questions: filled with any values they answer as the Ibis expression does."""

from typing import Any

import duckdb
import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.serving.dashboard.statements import Statements

WORDS = ["water", "it's", "'); drop table t; --", "水", "value 0 6f1c2a", "value 1 6f1c2a", "%", "\\", '"', "$1", ""]
NUMBERS = [0, -1, 5, 7_215_604_482_000_000_001, 2**62, -(2**62)]


@pytest.fixture(scope="module")
def backend() -> Any:
    connection = duckdb.connect()
    connection.execute("create table t (word varchar, number bigint)")
    connection.executemany("insert into t values (?, ?)", [(word, number) for word in WORDS for number in NUMBERS])
    return ibis.duckdb.from_connection(connection)


def either(backend: Any, word: str, other: str, number: int, *, least: int = 0) -> ibis.Table:
    table = backend.table("t")
    found = table.filter((table.word == word) | (table.word == other), table.number == number, table.number >= least)
    return found.mutate(is_other=table.word == other).order_by("word")


@settings(deadline=None, max_examples=20)
@given(
    st.lists(
        st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS), st.sampled_from(NUMBERS)), min_size=1, max_size=8
    )
)
def test_filled_statements_answer_as_the_expression_does(backend: Any, asked: list[tuple[str, str, int]]) -> None:
    statements = Statements()
    for values in asked:
        sql, parameters = statements.bind(backend, either, values, {"least": -(2**63)})
        assert (
            backend.con.execute(sql, parameters).to_arrow_table().to_pylist()
            == either(backend, *values, least=-(2**63)).to_pyarrow().to_pylist()
        )
    assert backend.table("t").count().to_pyarrow().as_py() == len(WORDS) * len(NUMBERS)


def test_a_question_is_built_once_for_each_of_its_options(backend: Any) -> None:
    built = []

    def counted(backend: Any, word: str, *, least: int) -> ibis.Table:
        built.append(least)
        return either(backend, word, word, 5, least=least)

    statements = Statements()
    bound = [statements.bind(backend, counted, (word,), {"least": least}) for least in (1, 9) for word in WORDS]
    assert built == [1, 9]
    assert len({sql for sql, _ in bound}) == 2
    assert [parameters for _, parameters in bound] == [{"value_0": word} for word in WORDS] * 2


def test_a_question_that_does_more_than_compare_a_value_is_refused(backend: Any) -> None:
    """Its value would be part of the compiled SQL, and every later answer the first one's."""

    def begins(backend: Any, start: str) -> ibis.Table:
        table = backend.table("t")
        return table.filter(table.word.startswith(start.upper()))

    with pytest.raises(ValueError, match="value_0 of a question is not compared"):
        Statements().bind(backend, begins, ("w",), {})
