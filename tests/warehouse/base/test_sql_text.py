"""Text inside SQL: whatever it holds, the engine reads it back as it was."""

from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.base.sql_text import identifier, literal, spark_identifier, spark_literal

ANY_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NASTY = ("it's", "''", 'a "b"', "back\\slash\\'", "'; drop table t; --", "new\nline", "水")


@given(ANY_TEXT)
def test_a_literal_is_read_back_as_it_was(text: str) -> None:
    assert duckdb.sql(f"select {literal(text)}").fetchall() == [(text,)]


@given(ANY_TEXT.filter(bool))
def test_an_identifier_names_a_column_whatever_it_holds(name: str) -> None:
    assert duckdb.sql(f"select 1 as {identifier(name)}").columns == [name]


def test_a_path_is_written_as_text() -> None:
    assert literal(Path("/a/it's")) == "'/a/it''s'"
    assert spark_literal(Path("/a/it's")) == "'/a/it\\'s'"


@pytest.mark.parametrize("text", NASTY)
def test_sparks_own_escapes_are_read_back_by_its_dialect(text: str) -> None:
    sqlglot = pytest.importorskip("sqlglot")
    read = sqlglot.parse_one(f"select {spark_literal(text)} as {spark_identifier(text)}", dialect="spark")
    (column,) = read.expressions
    assert (column.this.this, column.alias) == (text, text)
