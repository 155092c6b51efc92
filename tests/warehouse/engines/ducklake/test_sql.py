"""SQL on a shared lake: the same answers and the same limits as on a published copy, as of any snapshot."""

from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from support.corpora.statements import HOSTILE, QUERIES
from support.homes.handmade import make_marts
from support.homes.shared_homes import address_of, home_with_shards
from support.servers.databases import Postgres
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.cli import app
from warehouse.engines.ducklake.address import Address
from warehouse.engines.ducklake.attach import open_reader
from warehouse.engines.ducklake.marts import publish_marts
from warehouse.engines.ducklake.migrate import migrate
from warehouse.engines.ducklake.snapshots import forget_snapshots, list_snapshots
from warehouse.engines.ducklake.transactions import rows, shared_lake
from warehouse.lake.connections import open_writer
from warehouse.serving.sql import query_opened

pytestmark = pytest.mark.engines

# What only a lake has: its functions, its catalogue, the server behind it.
HOSTILE_HERE = [
    "insert into raw.runs select * from raw.runs",
    "insert into shards.registered select * from shards.registered",
    "drop schema marts cascade",
    "create schema mine",
    "call ducklake_expire_snapshots('warehouse', older_than => now())",
    "select * from ducklake_expire_snapshots('warehouse', older_than => now())",
    "select * from ducklake_cleanup_old_files('warehouse', cleanup_all => true)",
    "select * from ducklake_delete_orphaned_files('warehouse', cleanup_all => true)",
    "select * from ducklake_merge_adjacent_files('warehouse')",
    "select * from ducklake_flush_inlined_data('warehouse')",
    "select * from ducklake_add_data_files('warehouse', 'documents', '/etc/passwd', schema => 'shards')",
    "call warehouse.set_option('target_file_size', '1MB')",
    "call warehouse.set_commit_message('a', 'b')",
    "select * from postgres_query('__ducklake_metadata_warehouse', 'select 1')",
    "select * from postgres_execute('__ducklake_metadata_warehouse', 'create table x (i int)')",
    "call postgres_execute('__ducklake_metadata_warehouse', 'drop table ducklake_snapshot')",
    "select * from postgres_scan('{connection}', 'public', 'ducklake_snapshot')",
    "select * from postgres_scan_pushdown('{connection}', 'public', 'ducklake_snapshot')",
    "attach '{connection}' as other (type postgres)",
    "attach 'ducklake:postgres:{connection}' as other",
    "insert into __ducklake_metadata_warehouse.public.ducklake_snapshot values (99, now(), 1, 1, 1)",
    "delete from __ducklake_metadata_warehouse.public.ducklake_snapshot",
    "copy (select 1) to '{data}x.parquet'",
    "select * from read_parquet('{data}**')",
    "select * from glob('{data}**')",
    "detach warehouse",
]


@pytest.fixture(scope="module")
def address(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Address:
    root = tmp_path_factory.mktemp("lake-sql")
    home = home_with_shards(root / "home", range(2))
    make_marts(home)
    address = address_of(postgres.new_catalog(), root / "data")
    migrate(home, address)
    return address


@pytest.mark.parametrize("sql", QUERIES)
def test_queries_answer(address: Address, sql: str) -> None:
    with query_opened(open_reader(address), sql) as reader:
        assert reader.read_all().num_columns > 0


@pytest.mark.parametrize("sql", [*HOSTILE, *HOSTILE_HERE])
def test_hostile_sql_is_refused_in_one_line_and_leaves_no_trace(address: Address, tmp_path: Path, sql: str) -> None:
    connection = address.catalog.removeprefix("ducklake:postgres:")
    text = sql.format(out=tmp_path / "out", connection=connection, data=address.data)
    before = state(address)
    with pytest.raises(UsageError) as refused, query_opened(open_reader(address), text) as reader:
        reader.read_all()
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []
    assert state(address) == before


def state(address: Address) -> tuple[object, ...]:
    with open_reader(address) as connection:
        snapshot = rows(connection, "from warehouse.current_snapshot()")
        tables = rows(connection, "select count(*) from duckdb_tables()")
    return snapshot, tables, sorted(Path(str(address.data)).rglob("*"))


@pytest.mark.parametrize("sql", [HOSTILE_HERE[1], "create table marts.x as select 1", "create schema mine"])
def test_the_connection_itself_refuses_to_write(address: Address, sql: str) -> None:
    with pytest.raises(duckdb.Error, match="read-only"), open_reader(address) as connection:
        connection.execute(sql)


def test_as_of_shows_earlier_marts_and_forgetting_keeps_the_newest(postgres: Postgres, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    make_marts(home)
    address = address_of(postgres.new_catalog(), tmp_path / "data")
    migrate(home, address)
    then = list_snapshots(address, limit=1)[0]
    assert then.message == "marts"
    with open_writer(home) as connection:
        connection.execute("update marts.dim_tokens set n_docs = n_docs + 1000")
    with shared_lake(address) as shared:
        written = publish_marts(shared, home.warehouse_file, {"x": 1})
    assert [mart.name for mart in written if mart.is_new] == ["dim_tokens"]

    def ask(*arguments: str) -> str:
        command = ["sql", "select max(n_docs) > 1000 as is_new from dim_tokens", "--format", "csv"]
        asked = CliRunner().invoke(app, [*command, "--catalog", address.catalog, *arguments], catch_exceptions=False)
        return asked.stdout.split()[-1]

    assert ask() == "True"
    assert ask("--as-of", str(then.number)) == "False"
    assert ask("--as-of", then.at.isoformat()) == "False"
    assert ask("--as-of", "2100-01-01") == "True"
    for wrong, says in (("9999", "9999"), ("1999-01-01", "1999"), ("yesterday", "timestamp")):
        with pytest.raises(UsageError, match=says), open_reader(address, as_of=wrong):
            pass
    assert forget_snapshots(address, older_than_days=1).n_snapshots == 0
    with pytest.raises(UsageError, match="at least 1"):
        forget_snapshots(address, older_than_days=0.5)
    assert ask() == "True"


@pytest.mark.parametrize(
    "command", [["sql", "select 1"], ["build"], ["snapshots"], ["migrate", "--data", "{tmp}/data"]]
)
def test_a_catalogue_that_cannot_be_reached_is_said_before_any_work(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "home").mkdir()
    arguments = [part.format(tmp=tmp_path) for part in command]
    home = [] if command[0] == "snapshots" else ["--home", str(tmp_path / "home")]
    nowhere = "ducklake:postgres:dbname=lake host=127.0.0.1 port=1 user=pivots"
    asked = CliRunner().invoke(app, [*arguments, "--catalog", nowhere, *home])
    assert isinstance(asked.exception, UsageError)
    assert "\n" not in str(asked.exception)
    assert "cannot be opened" in str(asked.exception)
    assert [p for p in tmp_path.rglob("*") if p.is_file() and p.name != "writer.lock"] == []


@pytest.mark.parametrize("command", [["sql", "select 1"], ["build"], ["snapshots"]])
def test_an_empty_database_is_no_lake_and_stays_empty(postgres: Postgres, tmp_path: Path, command: list[str]) -> None:
    catalog = postgres.new_catalog()
    home = [] if command[0] == "snapshots" else ["--home", str(tmp_path)]
    asked = CliRunner().invoke(app, [*command, "--catalog", catalog, *home])
    assert isinstance(asked.exception, UsageError)
    assert "pivots migrate" in str(asked.exception)
