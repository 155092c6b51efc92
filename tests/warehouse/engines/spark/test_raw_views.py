"""Schema `raw` on Spark holds the rows that it holds on DuckDB, whatever lies in the lake."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.corpora.random_rows import make_corpora, write_corpus, write_vocabulary
from support.homes.raw_home import write_raw
from support.homes.spark_homes import needs_spark
from warehouse.base.errors import StepFailed
from warehouse.base.settings import Home
from warehouse.lake.files import shard_path
from warehouse.lake.raw_views import refresh_raw_views
from warehouse.lake.schemas import SCHEMAS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.engines, needs_spark]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A lake with an older file, a shard that was never committed, a superseded document, and two corpora."""
    home = Home(tmp_path_factory.mktemp("it's a home"))
    write_vocabulary(home)
    corpora = make_corpora()[2:]
    for corpus in corpora:
        write_corpus(home, corpus)
    first = corpora[0].documents[0].doc_id
    superseded = [{"corpus": "single", "shard_id": "s", "doc_id": first, "reason": "twice"}]
    write_raw(home, "superseded_documents", superseded, corpus="single")
    older = SCHEMAS["training_steps"].remove(SCHEMAS["training_steps"].get_field_index("model_flops"))
    shard_path(home, "training_steps", "older").parent.mkdir(parents=True)
    steps = pa.Table.from_pylist([{"run_id": "old", "step": 1, "loss": 0.5}], schema=older)
    pq.write_table(steps, shard_path(home, "training_steps", "older"))
    write_raw(home, "training_steps", [{"run_id": "new", "step": 1, "model_flops": 2.0}])
    committed = shard_path(home, "documents", "hand-made", corpus="tiny")
    write_raw(home, "source_files", [{"corpus": "tiny", "shard_id": "hand"}], corpus="tiny")
    marker = shard_path(home, "source_files", "hand-made", corpus="tiny")
    marker.rename(marker.with_name("hand.parquet"))
    (committed.parent / "dead-1.parquet").write_bytes(committed.read_bytes())
    (committed.parent / ".unfinished-1.parquet").write_bytes(b"half of a")
    return home


@pytest.fixture(scope="module")
def session(home: Home) -> Iterator["SparkSession"]:
    from warehouse.engines.spark.raw_views import refresh_raw_views
    from warehouse.engines.spark.session import spark_session

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIVOTS_SPARK_MASTER", "local[1]")
        patch.setenv("PIVOTS_SPARK_MEMORY", "1g")
        with spark_session(home, app_name="tests") as session:
            refresh_raw_views(home, session)
            refresh_raw_views(home, session)  # again: as a second build does
            yield session


def rows(table: pa.Table) -> list[str]:
    return sorted(map(repr, table.to_pylist()))


def test_every_raw_table_holds_what_it_holds_on_duckdb(home: Home, session: "SparkSession") -> None:
    filled = set()
    with duckdb.connect() as connection:
        connection.execute("create schema raw; set TimeZone = 'UTC'")
        refresh_raw_views(home, connection)
        for table in SCHEMAS:
            expected = connection.execute(f"from raw.{table}").to_arrow_table()
            found = session.table(f"raw.{table}").toArrow()
            assert found.schema.names == expected.schema.names
            assert rows(found) == rows(expected), table
            filled |= {table} if found.num_rows else set()
    assert {"documents", "counts", "training_steps", "words"} <= filled


def test_uncommitted_and_superseded_rows_are_left_out(session: "SparkSession") -> None:
    counted: dict[str, Any] = {r["corpus"]: r["n"] for r in _counts(session)}
    assert counted == {"single": 119, "tiny": 3}


def _counts(session: "SparkSession") -> list[Any]:
    return session.sql("select corpus, count(*) as n from raw.documents group by corpus").collect()


def test_one_process_has_one_home(home: Home, session: "SparkSession", tmp_path: Path) -> None:
    from warehouse.engines.spark.session import spark_session

    with spark_session(home, app_name="again") as again:
        assert again is session
    assert session.sql("select 1").collect(), "the inner `with` must not stop the session"
    with pytest.raises(StepFailed, match="another home"), spark_session(Home(tmp_path), app_name="other"):
        pass
