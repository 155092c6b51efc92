"""Macros whose results decide rankings give the same doubles on both engines, bit for bit."""

import math
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest

from support.homes.spark_homes import needs_spark
from support.naive.macros import render_macros
from warehouse.base.settings import Home

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.engines, needs_spark]

SCALES = [1e-12, 1e-6, 1e-3, 1.0, 30.0, 1e4, 1e8]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator["SparkSession"]:
    from warehouse.engines.spark.session import spark_session

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIVOTS_SPARK_MASTER", "local[1]")
        patch.setenv("PIVOTS_SPARK_MEMORY", "1g")
        with spark_session(Home(tmp_path_factory.mktemp("macros")), app_name="tests") as session:
            yield session


def on_both(session: "SparkSession", rows: list[dict[str, Any]], macro: str, *arguments: Any, by: str = "") -> Any:
    """Return a macro's values over some rows on DuckDB and on Spark, in the rows' (or the groups') order."""
    table = pa.Table.from_pylist(rows)
    session.createDataFrame(table).createOrReplaceTempView("drawn")
    found = []
    with duckdb.connect() as connection:
        connection.register("drawn", table)
        for target, run in (("duckdb", lambda q: connection.execute(q).to_arrow_table()), ("spark", _run(session))):
            value = render_macros(target)[macro](*arguments)
            query = f"select {by or 'n'} as place, {value} as v from drawn {f'group by {by}' if by else ''} order by 1"
            found.append(run(query)["v"].to_pylist())
    return found


def _run(session: "SparkSession") -> Any:
    return lambda query: session.sql(query).toArrow()


def doubles(seed: int, n_rows: int, *, positive: bool) -> list[dict[str, Any]]:
    """Draw doubles of many sizes; half of them have few decimals, whose sums and products lie near halves."""
    draw = random.Random(seed)
    rows = []
    for n in range(n_rows):
        x = (draw.random() - (0 if positive else 0.5)) * draw.choice(SCALES)
        rows.append({"n": n, "g": n // 7, "x": round(x, 9) if draw.random() < 0.5 else x})
    return rows


def test_sums_are_the_same_to_the_last_bit(session: "SparkSession") -> None:
    embedded, spark = on_both(session, doubles(1, 14_000, positive=True), "exact_sum", "x", by="g")
    assert spark == embedded
    assert len(spark) == 2_000


def test_sums_of_both_signs_differ_by_one_unit_in_the_last_place_at_most(session: "SparkSession") -> None:
    embedded, spark = on_both(session, doubles(2, 14_000, positive=False), "exact_sum", "x", by="g")
    assert all(abs(a - b) <= math.ulp(a) for a, b in zip(embedded, spark, strict=True))


@pytest.mark.parametrize("digits", [3, 9, 12])
def test_roundings_are_the_same_where_a_half_is_near(session: "SparkSession", digits: int) -> None:
    rows = doubles(digits, 3_000, positive=False)
    halves = [(n + 0.5) / 10**digits for n in range(3_000)]  # doubles just above, below and at a half
    rows += [{"n": 3_000 + n, "g": 0, "x": x} for n, x in enumerate(halves)]
    embedded, spark = on_both(session, rows, "rounded", "x", digits)
    assert spark == embedded


def test_hashes_are_the_same(session: "SparkSession") -> None:
    rows = [{"n": n, "g": 0, "x": 0.0} for n in range(-500, 500)]
    embedded, spark = on_both(session, rows, "hash_unit", "n", "salt")
    assert spark == embedded


def test_whole_sums_pass_the_largest_bigint(session: "SparkSession") -> None:
    rows = [{"n": n, "g": 0, "x": 0.0, "big": 2**62} for n in range(10)]
    embedded, spark = on_both(session, rows, "whole_sum", "big", by="g")
    assert [int(value) for value in spark] == [int(value) for value in embedded] == [10 * 2**62]
