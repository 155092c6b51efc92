"""The marts of one home, built by DuckDB and on a Spark cluster of two workers: equal, all of them."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from support.corpora.random_rows import VARIABLES
from support.homes.parity_home import SHARED_DATA, write_everything
from support.homes.spark_homes import cluster, needs_spark
from support.naive.marts import Mart, differences, duckdb_rows, marts
from warehouse.base.settings import Home
from warehouse.build import dbt_runner
from warehouse.build.build import build
from warehouse.build.build_record import changed_since_build
from warehouse.serving.publish import publish

pytestmark = [pytest.mark.engines, needs_spark]


@dataclass(frozen=True)
class Built:
    """Both builds of the same raw tables: every mart's rows, and what became of dbt's nodes."""

    home: Home
    marts: list[Mart]
    embedded: dict[str, pa.Table]
    spark: dict[str, pa.Table]
    statuses: dict[str, dict[str, int]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    from warehouse.engines.spark.engine import SparkEngine
    from warehouse.engines.spark.session import spark_session

    root = tmp_path_factory.mktemp("parity")
    with cluster(root) as twins:
        write_everything(twins.embedded, root)
        shutil.copytree(twins.embedded.lake, twins.spark.lake)
        embedded = build(twins.embedded, variables=VARIABLES, unit_tests=True)
        on_cluster = build(twins.spark, engine=SparkEngine(twins.spark), variables=VARIABLES, unit_tests=True)
        known = marts(twins.embedded.dbt_target / "manifest.json")
        with spark_session(twins.spark, app_name="tests") as spark:
            rows = {str(mart): spark.table(str(mart)).toArrow() for mart in known}
        yield Built(
            twins.spark,
            known,
            duckdb_rows(twins.embedded.warehouse_file, known),
            rows,
            {"embedded": embedded, "spark": on_cluster},
        )


def test_every_mart_is_equal(built: Built) -> None:
    problems = [p for m in built.marts for p in differences(m, built.embedded[str(m)], built.spark[str(m)])]
    assert not problems, "\n".join(problems)


def test_no_mart_is_left_out_or_empty(built: Built) -> None:
    models = Path(dbt_runner.PROJECT_DIR / "models" / "marts").rglob("*.sql")
    assert sorted(mart.name for mart in built.marts) == sorted(path.stem for path in models)
    assert not [str(mart) for mart in built.marts if built.embedded[str(mart)].num_rows == 0]


def test_the_comparison_covers_what_rankings_are_made_of(built: Built) -> None:
    candidates = built.spark["marts.fct_pivot_candidates"]
    assert {"accepted", "rejected", "unreviewed"} <= set(candidates["review_status"].to_pylist())
    assert {"paper", "adjusted", "specific"} == set(candidates["score_method"].to_pylist())
    if SHARED_DATA.exists():
        assert "news" in set(built.spark["marts.fct_document_rankings"]["corpus"].to_pylist())


def test_all_tests_ran_on_both_engines(built: Built) -> None:
    assert built.statuses["spark"] == built.statuses["embedded"]
    assert built.statuses["spark"]["pass"] > 150  # unit tests and tests of the data
    assert not built.statuses["spark"].keys() & {"error", "fail", "skipped"}


def test_the_writers_file_shows_the_marts_that_spark_wrote(built: Built) -> None:
    shown = duckdb_rows(built.home.warehouse_file, built.marts)
    assert not [p for mart in built.marts for p in differences(mart, shown[str(mart)], built.spark[str(mart)])]
    nodes = json.loads((built.home.dbt_target / "manifest.json").read_text())["nodes"]
    described = nodes["model.semantic_pivots.dim_tokens"]
    with duckdb.connect(str(built.home.warehouse_file), read_only=True) as connection:
        (comment,) = connection.execute(
            "select comment from duckdb_views() where schema_name = 'marts' and view_name = 'dim_tokens'"
        ).fetchone() or (None,)
        columns = dict(
            connection.execute(
                "select column_name, comment from duckdb_columns() where schema_name = 'marts'"
                " and table_name = 'dim_tokens'"
            ).fetchall()
        )
    assert comment == described["description"]
    assert columns["doc_rate"] == described["columns"]["doc_rate"]["description"]


def test_a_build_on_spark_is_published_like_any_other(built: Built) -> None:
    published = publish(built.home).manifest["tables"]
    assert {m: published[m]["n_rows"] for m in built.embedded} == {m: t.num_rows for m, t in built.embedded.items()}
    assert not changed_since_build(built.home)


def test_duckdb_builds_over_what_spark_shows(built: Built) -> None:
    build(built.home, select=["+dim_documents", "stg_document_tokens"])  # which a test of documents reads
    with duckdb.connect(str(built.home.warehouse_file), read_only=True) as connection:
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
    assert tables == [("dim_documents",)]
    assert not differences(
        next(mart for mart in built.marts if mart.name == "dim_documents"),
        built.embedded["marts.dim_documents"],
        duckdb_rows(built.home.warehouse_file, built.marts)["marts.dim_documents"],
    )
