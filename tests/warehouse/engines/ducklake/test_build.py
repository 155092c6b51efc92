"""`pivots build --catalog`: the marts of an embedded build, whole, in one snapshot; raw tables as of one snapshot."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from support.corpora.evaluation_results import write_results
from support.homes.shared_homes import address_of, check_marts_equal, home_with_shards
from support.servers.databases import Postgres
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.build.build import build as build_here
from warehouse.cli import app
from warehouse.engines.ducklake.attach import open_reader
from warehouse.engines.ducklake.engine import SNAPSHOT_VARIABLE, attach_for_dbt
from warehouse.engines.ducklake.marts import read_variables
from warehouse.engines.ducklake.migrate import migrate
from warehouse.engines.ducklake.snapshots import list_snapshots
from warehouse.engines.ducklake.transactions import rows

pytestmark = pytest.mark.engines

VARIABLES = {"bootstrap_resamples": 40, "selection_budget_tokens": 300}


def test_marts_of_a_lake_equal_embedded_ones_and_come_whole(postgres: Postgres, tmp_path: Path) -> None:
    embedded, elsewhere = Home(tmp_path / "embedded"), Home(tmp_path / "elsewhere")
    write_results(embedded, seed=1)
    address = address_of(postgres.new_catalog(), tmp_path / "data")
    assert migrate(embedded, address).marts == []  # nothing is built yet
    build_here(embedded, variables=VARIABLES)

    def build(*options: str, exit_code: int = 0) -> str:
        command = [str(Path(sys.executable).with_name("pivots")), "build", "--home", str(elsewhere.root), *options]
        done = subprocess.run(
            [*command, "--catalog", address.catalog], capture_output=True, text=True, check=False, timeout=400
        )
        assert done.returncode == exit_code, done.stderr
        return done.stdout if exit_code == 0 else done.stderr.splitlines()[-1]

    n_before = list_snapshots(address, limit=1)[0].number
    made = build("--vars", '{"bootstrap_resamples": 40}', "--budget-tokens", "300")
    assert "0 as they were" in made
    check_marts_equal(embedded, address)
    newest = list_snapshots(address, limit=1)[0]
    assert (newest.number, newest.message) == (n_before + 1, "marts")

    # variables are the lake's: a part is built with them again, is nothing new, and leaves no snapshot
    assert "marts in the lake: 0 new" in build("--select", "+dim_tokens", "--select", "+fct_training_curves")
    with open_reader(address) as connection:
        assert read_variables(connection) == VARIABLES
    assert list_snapshots(address, limit=1)[0] == newest

    # a build that fails leaves the lake's marts as they were
    broken = '{"held_out_share": "no number"}'
    assert "dbt build failed: " in build("--vars", broken, "--select", "+dim_documents", exit_code=1)
    assert "matches no model" in build("--select", "no_such_model", exit_code=2)
    assert list_snapshots(address, limit=1)[0] == newest
    check_marts_equal(embedded, address)


def test_a_build_reads_raw_tables_as_of_its_start(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = address_of(postgres.new_catalog(), tmp_path / "data")
    migrate(home_with_shards(tmp_path / "a", range(2)), address)
    number = list_snapshots(address, limit=1)[0].number
    migrate(home_with_shards(tmp_path / "a", range(5)), address)
    monkeypatch.setenv("PIVOTS_CATALOG", address.catalog)
    with duckdb.connect() as connection:
        attach_for_dbt(connection, {SNAPSHOT_VARIABLE: str(number)})
        assert rows(connection, "select count(*) from lake.raw.documents") == [(10,)]
        with pytest.raises(duckdb.Error, match="read-only"):
            connection.execute("delete from lake.shards.documents")
    with duckdb.connect() as connection, pytest.raises(UsageError, match="print-env"):
        attach_for_dbt(connection, {})


def test_dbt_by_hand_gets_its_environment(postgres: Postgres, tmp_path: Path) -> None:
    address = address_of(postgres.new_catalog(), tmp_path / "data")
    migrate(home_with_shards(tmp_path / "a", range(1)), address)
    command = ["build", "--print-env", "--catalog", address.catalog, "--home", str(tmp_path / "b")]
    printed = CliRunner().invoke(app, command, catch_exceptions=False).stdout
    assert "export DBT_TARGET=ducklake" in printed
    assert f"export {SNAPSHOT_VARIABLE}=" in printed
    with duckdb.connect(str(address.working_home(Home(tmp_path / "b")).warehouse_file)) as connection:
        assert rows(connection, "select count(*) > 20 from duckdb_views() where schema_name = 'raw'") == [(True,)]
