"""The parameters `engine` and `catalog` of the nightly flow: where a night ingests, counts and builds."""

import shutil
from pathlib import Path

import pytest

from support.homes.planted_home import planted_home
from support.homes.spark_homes import cluster, counted_bytes, needs_spark
from support.places import PROJECT
from warehouse.base.settings import Home
from warehouse.build import build_record

pytestmark = [pytest.mark.engines, pytest.mark.usefixtures("prefect_server")]
TOKENIZER = str(PROJECT / "ml" / "base_model" / "tokenizer.json")


@needs_spark
def test_a_night_on_spark_ingests_and_counts_what_a_night_here_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its build is not run: that the models give the same rows there is held by the tests of the engine."""
    from flows import engines
    from flows.refresh import refresh
    from warehouse.engines.spark.engine import SparkEngine

    built = []

    def no_build(home: Home, *, engine: object = None) -> None:
        built.append((home.root.name, type(engine)))

    monkeypatch.setattr(engines, "build", no_build)
    planted = planted_home(tmp_path)
    with cluster(tmp_path) as twins:
        for home in (twins.spark, twins.embedded):
            shutil.copytree(planted.root, home.root, dirs_exist_ok=True)  # the session has begun one
        assert refresh(tokenizer=TOKENIZER, engine="spark", home=str(twins.spark.root)) is True
        assert refresh(tokenizer=TOKENIZER, home=str(twins.embedded.root)) is True
        assert counted_bytes(twins.spark, "planted") == counted_bytes(twins.embedded, "planted")
    assert built == [("spark", SparkEngine), ("embedded", type(None))]


def test_a_night_on_a_shared_lake_builds_there_and_not_here(tmp_path: Path) -> None:
    pytest.importorskip("duckdb_extension_ducklake", reason="needs the extra `lake`: `make setup-engines`")
    from flows.refresh import refresh
    from warehouse.engines.ducklake.address import resolve
    from warehouse.engines.ducklake.attach import open_reader

    home = planted_home(tmp_path)
    catalog = f"ducklake:{tmp_path / 'catalog.ducklake'}"
    assert refresh(tokenizer=TOKENIZER, catalog=catalog, home=str(home.root)) is True
    with open_reader(resolve(catalog)) as connection:
        assert connection.execute("select count(*) from marts.dim_documents").fetchone() == (2000,)
        assert connection.execute("select count(*) > 0 from marts.fct_pivot_candidates").fetchone() == (True,)
    assert build_record.built_state(home) is None, "the home's own marts were not built"
