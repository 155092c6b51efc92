"""An embedded warehouse in a shared lake: every row of it, once, whatever it is registered from."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from support.homes.handmade import CORPUS, make_marts, make_runs, write_rows
from support.homes.shared_homes import address_of, check_marts_equal, home_with_shards
from support.servers.databases import Postgres, S3Server
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.cli import app
from warehouse.engines.ducklake import register as registering
from warehouse.engines.ducklake import storage
from warehouse.engines.ducklake.address import Address
from warehouse.engines.ducklake.attach import open_reader
from warehouse.engines.ducklake.migrate import migrate, verify_raw
from warehouse.engines.ducklake.pull import Pulled, pull
from warehouse.engines.ducklake.snapshots import forget_until, list_snapshots
from warehouse.engines.ducklake.transactions import rows, shared_lake
from warehouse.lake.connections import open_writer
from warehouse.lake.files import point_to_count, read_table, write_table
from warehouse.lake.raw_views import refresh_raw_views
from warehouse.lake.schemas import SCHEMAS
from warehouse.lake.superseded_documents import update_superseded

pytestmark = pytest.mark.engines

N_STRATA = 30


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with shards, a document that two of them hold, a count, runs, and marts."""
    made = home_with_shards(tmp_path / "home", range(3))
    make_marts(made)
    make_runs(made)
    with open_writer(made) as connection:
        connection.execute("comment on table marts.dim_tokens is 'One row per token. It''s a test.'")
        connection.execute("comment on column marts.dim_tokens.token is 'Decoded text.'")
        connection.execute("alter table marts.dim_tokens alter column token set not null")
    write_rows(made, "corpora", [{"corpus": "shared", "tokenizer_hash": "t", "vocab_size": 9}], corpus="shared")
    [twin] = read_table(made, "documents").slice(7, 1).to_pylist()
    twin |= {"shard_id": "00000000000f", "content_hash": 0, "source_file": "other.jsonl", "line_number": 1}
    write_rows(made, "documents", [twin], name="00000000000f", corpus="shared")
    write_rows(
        made,
        "source_files",
        [{"corpus": "shared", "shard_id": twin["shard_id"]}],
        name=twin["shard_id"],
        corpus="shared",
    )
    write_count(made, "first", n_docs=4)
    assert update_superseded(made, "shared") == 1
    return made


def write_count(home: Home, count_id: str, *, n_docs: int) -> None:
    """Count the corpus anew: a stratum per length, each of N documents."""
    folder = home.lake / "counts" / "shared" / count_id
    count = {"corpus": "shared", "count_id": count_id, "unit": "document", "n_units": 15}
    strata = [{"corpus": "shared", "lang": "en", "length_bin": n, "n_docs": n_docs} for n in range(N_STRATA)]
    for table, counted in (("counts", [count]), ("strata", strata)):
        filled = [{name: row.get(name) for name in SCHEMAS[table].names} for row in counted]
        write_table(folder / f"{table}.parquet", table, pa.Table.from_pylist(filled, schema=SCHEMAS[table]))
    point_to_count(home, "shared", count_id)


def raw_of_home(home: Home) -> dict[str, list[Any]]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; create schema raw")
        refresh_raw_views(home, connection)
        return {table: sorted(map(str, rows(connection, f"from raw.{table}"))) for table in SCHEMAS}


def raw_of_lake(address: Address, as_of: str | None = None) -> dict[str, list[Any]]:
    with open_reader(address, as_of=as_of) as connection:
        return {table: sorted(map(str, rows(connection, f"from raw.{table}"))) for table in SCHEMAS}


@pytest.mark.parametrize("kind", ["postgres", "file"])
def test_a_migrated_warehouse_is_equal_row_for_row_and_once(
    home: Home, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    if kind == "postgres":
        catalog = request.getfixturevalue("postgres").new_catalog()
    else:
        catalog = f"ducklake:{tmp_path / 'lake.ducklake'}"
    address = address_of(catalog, tmp_path / "data")
    files_before = {p: p.read_bytes() for p in home.root.rglob("*") if p.is_file() and p.suffix == ".parquet"}
    made = migrate(home, address)
    assert raw_of_lake(address) == raw_of_home(home)
    assert len(raw_of_lake(address)["documents"]) == 15
    check_marts_equal(home, address)
    n_rows = {table.table: table.n_rows for table in made.tables}
    assert (n_rows["documents"], n_rows["strata"]) == (16, N_STRATA)
    assert [mart for mart in made.marts if not mart.is_new] == []
    with open_reader(address) as connection:
        assert rows(connection, "select comment from duckdb_tables() where table_name = 'dim_tokens'") == [
            ("One row per token. It's a test.",)
        ]
        n_snapshots = rows(connection, "from warehouse.current_snapshot()")
    again = migrate(home, address)
    assert (again.registered, again.marts) == ([], [])
    with open_reader(address) as connection:
        assert rows(connection, "from warehouse.current_snapshot()") == n_snapshots
    assert {p: p.read_bytes() for p in files_before} == files_before


def test_a_new_count_replaces_the_old_one_and_time_travel_brings_it_back(
    home: Home, postgres: Postgres, tmp_path: Path
) -> None:
    address = address_of(postgres.new_catalog(), tmp_path / "data")
    migrate(home, address)
    before = raw_of_lake(address)
    with open_reader(address) as connection:
        [(number,)] = rows(connection, "select id from warehouse.current_snapshot()")
        [(at,)] = rows(connection, "select max(snapshot_time) from warehouse.snapshots()")
    write_count(home, "second", n_docs=5)
    again = migrate(home, address)
    assert [shard.name for shard in again.registered] == ["second"]
    assert raw_of_lake(address) == raw_of_home(home) != before
    assert {row[-2:] for row in raw_of_lake(address)["strata"]} == {"5)"}
    assert raw_of_lake(address, as_of=str(number)) == before
    assert raw_of_lake(address, as_of=at.isoformat()) == before
    point_to_count(home, "shared", "first")  # another home that has not counted again
    assert migrate(home, address).registered == []
    assert {row[-2:] for row in raw_of_lake(address)["strata"]} == {"5)"}


def test_two_homes_with_files_of_one_corpus_agree_on_superseded_documents(postgres: Postgres, tmp_path: Path) -> None:
    address = address_of(postgres.new_catalog(), tmp_path / "data")
    first, second = home_with_shards(tmp_path / "a", range(2)), Home(tmp_path / "b")
    [twin] = read_table(first, "documents").slice(3, 1).to_pylist()
    twin |= {"shard_id": "00000000000f", "content_hash": 0, "source_file": "other.jsonl"}
    write_rows(second, "documents", [twin], name="00000000000f", corpus="shared")
    write_rows(second, "source_files", [{"corpus": "shared"}], name="00000000000f", corpus="shared")
    migrate(first, address)
    assert len(raw_of_lake(address)["documents"]) == 10
    migrate(second, address)
    found = raw_of_lake(address)
    assert (len(found["documents"]), len(found["superseded_documents"]), len(found["rejects"])) == (10, 1, 1)
    assert any("00000000000f" in row for row in found["documents"])


def test_another_home_pulls_what_it_lacks_and_is_the_same(home: Home, postgres: Postgres, tmp_path: Path) -> None:
    address = address_of(postgres.new_catalog(), tmp_path / "data")
    (home.lake / "tokenizers").mkdir()
    (home.lake / "tokenizers" / "abc.json").write_bytes('{"mots": "œuvre"}\r\n'.encode())
    migrate(home, address)
    other = Home(tmp_path / "other")
    made = pull(other, address)
    assert (made.n_files > 10, made.counts) == (True, ["shared"])
    assert raw_of_home(other) == raw_of_home(home)
    tokenizer = Path("tokenizers") / "abc.json"
    assert (other.lake / tokenizer).read_bytes() == (home.lake / tokenizer).read_bytes()
    assert pull(other, address) == Pulled(0, [])
    assert migrate(other, address).registered == []

    write_count(other, "second", n_docs=5)  # a count that was never registered stays the home's
    assert pull(other, address).counts == []
    migrate(other, address)
    assert pull(home, address).counts == ["shared"]
    assert raw_of_home(other) == raw_of_home(home)
    assert pull(Home(tmp_path / "none"), address, corpora=["no such corpus"]).counts == []
    assert read_table(Home(tmp_path / "none"), "documents").num_rows == 0


@pytest.mark.parametrize("where", ["folder", "s3"])
def test_forgetting_keeps_all_that_the_newest_snapshot_needs(
    home: Home, postgres: Postgres, tmp_path: Path, where: str, request: pytest.FixtureRequest
) -> None:
    data = str(tmp_path / "data")
    if where == "s3":
        server, data = request.getfixturevalue("s3"), "s3://lake/forgetting"
        for name, value in server.environment().items():
            request.getfixturevalue("monkeypatch").setenv(name, value)
    address = address_of(postgres.new_catalog(), data)
    migrate(home, address)
    write_count(home, "second", n_docs=5)
    migrate(home, address)
    n_snapshots = len(list_snapshots(address))
    gone = forget_until(address, datetime.now(UTC) + timedelta(days=2))
    assert gone.n_snapshots == n_snapshots - 1
    assert gone.n_files >= 4  # the first count's strata, and three files without rows
    assert raw_of_lake(address) == raw_of_home(home)
    check_marts_equal(home, address)
    with shared_lake(address) as shared:
        verify_raw(shared)
    other = Home(tmp_path / "other")
    pull(other, address)
    assert raw_of_home(other) == raw_of_home(home)
    assert migrate(home, address).registered == []
    with pytest.raises(UsageError, match="No snapshot found"), open_reader(address, as_of="3"):
        pass


def test_a_later_version_adds_a_column_and_finds_all_as_it_was(
    home: Home, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = address_of(postgres.new_catalog(), tmp_path / "data")
    migrate(home, address)
    fields = list(SCHEMAS["documents"])
    later = pa.schema([*fields[:5], ("n_pages", pa.int64()), *fields[5:]])
    monkeypatch.setitem(SCHEMAS, "documents", later)
    assert migrate(home, address).registered == []  # the small files are held to their hashes, the tables too
    write_rows(
        home, "documents", [{"corpus": "shared", "doc_id": 99, "n_pages": 7}], name="0000000000ff", corpus="shared"
    )
    write_rows(home, "source_files", [{"corpus": "shared"}], name="0000000000ff", corpus="shared")
    assert len(migrate(home, address).registered) == 1
    with open_reader(address) as connection:
        assert rows(connection, "select n_pages, count(*) from raw.documents group by all order by all") == [
            (7, 1),
            (None, 15),
        ]


def test_other_rows_under_a_registered_name_are_refused(home: Home, postgres: Postgres, tmp_path: Path) -> None:
    address = address_of(postgres.new_catalog(), tmp_path / "data")
    migrate(home, address)
    other = Home(tmp_path / "other")
    write_rows(other, "corpora", [{"corpus": "shared", "tokenizer_hash": "another"}], corpus="shared")
    with pytest.raises(UsageError, match="corpora of shared"):
        migrate(other, address)


def test_lost_and_doubled_rows_are_noticed(home: Home, postgres: Postgres, tmp_path: Path) -> None:
    address = address_of(postgres.new_catalog(), tmp_path / "data")
    migrate(home, address)
    with shared_lake(address) as shared:
        shared.connection.execute("insert into warehouse.shards.documents from warehouse.shards.documents limit 1")
        with pytest.raises(StepFailed, match="raw table documents holds 17 rows and its 4 registered files 16"):
            verify_raw(shared)
        shared.connection.execute("delete from warehouse.shards.documents where shard_id = '00000000000f'")
        with pytest.raises(StepFailed, match="raw table documents"):
            verify_raw(shared)


def test_an_interrupted_migration_goes_on(
    home: Home, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = address_of(postgres.new_catalog(), tmp_path / "data")
    put, n_put = registering.storage.put, [0]

    def failing(*arguments: Any) -> str:
        n_put[0] += 1
        if n_put[0] == 7:
            raise KeyboardInterrupt
        return put(*arguments)

    monkeypatch.setattr(registering.storage, "put", failing)
    with pytest.raises(KeyboardInterrupt):
        migrate(home, address)
    monkeypatch.undo()
    migrate(home, address)
    assert raw_of_lake(address) == raw_of_home(home)


def content(path: Path) -> bytes:
    """Return the bytes of a file, none of one that a running server has taken away."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def test_object_storage_holds_the_files_and_nothing_holds_the_key(
    home: Home, postgres: Postgres, s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = postgres.new_catalog()
    for name in s3.environment():
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="AWS_ACCESS_KEY_ID"):
        migrate(home, address_of(catalog, "s3://lake/pre fix"))
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    address = address_of(catalog, "s3://lake/pre fix")
    migrate(home, address)
    assert raw_of_lake(address) == raw_of_home(home)
    check_marts_equal(home, address)
    stored = s3.keys("pre fix/")
    assert any(key.startswith("pre fix/shards/documents/shared/") for key in stored)
    assert any(key.startswith("pre fix/marts/") for key in stored)
    pull(Home(tmp_path / "other"), address)
    assert raw_of_home(Home(tmp_path / "other")) == raw_of_home(home)
    kept = [p for p in [*tmp_path.rglob("*"), *postgres.folder.rglob("*")] if p.is_file()]
    assert not [p for p in kept if s3.secret.encode() in content(p)]
    for name in s3.environment():
        monkeypatch.delenv(name)
    with pytest.raises(UsageError, match="AWS_ACCESS_KEY_ID"), open_reader(address_of(catalog, "s3://lake/pre fix")):
        pass


def test_a_large_file_goes_to_object_storage_in_parts_and_once(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    content = random.Random(5).randbytes(25_000_000)
    (tmp_path / "large").write_bytes(content)
    assert storage.put(tmp_path / "large", "s3://lake/", "parts/large") == "s3://lake/parts/large"
    found = s3.keys("parts/")["parts/large"]
    assert int(found["ETag"].strip('"').split("-")[1]) > 1
    assert s3.client().get_object(Bucket="lake", Key="parts/large")["Body"].read() == content
    storage.put(tmp_path / "large", "s3://lake/", "parts/large")
    assert s3.keys("parts/")["parts/large"]["LastModified"] == found["LastModified"]
    with pytest.raises(StepFailed, match="nobucket/x cannot be written"):
        storage.put(tmp_path / "large", "s3://nobucket/", "x")


def test_the_command_prints_what_it_held_equal(home: Home, postgres: Postgres, tmp_path: Path) -> None:
    catalog = postgres.new_catalog()
    arguments = ["--catalog", catalog, "--home", str(home.root)]
    first = CliRunner().invoke(app, ["migrate", *arguments, "--data", str(tmp_path / "data")], catch_exceptions=False)
    assert "raw.documents" in first.stdout
    assert "16 rows" in first.stdout
    assert "marts.dim_tokens" in first.stdout
    assert CORPUS == "demo"
    again = CliRunner().invoke(app, ["migrate", *arguments, "--no-verify"], catch_exceptions=False)
    assert "registered 0 shards" in again.stdout
    listed = CliRunner().invoke(app, ["snapshots", "--catalog", catalog, "--limit", "1"], catch_exceptions=False)
    assert listed.stdout.strip().endswith("marts")
