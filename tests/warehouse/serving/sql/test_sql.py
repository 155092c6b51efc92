"""SQL on the published copy: answers, and nothing but answers."""

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from support.corpora.statements import HOSTILE, QUERIES
from support.homes.handmade import published_home
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.cli import app
from warehouse.lake.connections import open_published
from warehouse.serving.sql import query_table


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return published_home(tmp_path_factory.mktemp("sql"))


@pytest.mark.parametrize("sql", QUERIES)
def test_queries_answer(home: Home, sql: str) -> None:
    assert query_table(home, sql).num_columns > 0


@pytest.mark.parametrize("sql", HOSTILE)
def test_hostile_sql_is_refused_in_one_line_and_leaves_no_trace(home: Home, tmp_path: Path, sql: str) -> None:
    before = sorted(home.root.rglob("*"))
    with pytest.raises(UsageError) as refused:
        query_table(home, sql.format(out=tmp_path / "out"))
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []
    assert sorted(home.root.rglob("*")) == before
    assert query_table(home, "select count(*) as n from marts.dim_tokens")["n"].to_pylist() == [12]


@pytest.mark.parametrize(
    "sql",
    [
        "create table marts.x as select 1",
        "delete from marts.dim_tokens",
        "copy marts.dim_tokens to '{out}'",
        "attach '{out}' as other",
        "select * from read_text('/etc/passwd')",
        "select * from glob('/etc/*')",
        "load httpfs",
        "install httpfs",
        "set threads = 64",
        "set enable_external_access = true",
        "pragma enable_profiling = 'json'",
        "select * from python_variable",
    ],
)
def test_the_connection_itself_refuses_too(home: Home, tmp_path: Path, sql: str) -> None:
    python_variable = query_table(home, "select 1 as one")
    assert python_variable.num_rows == 1
    with open_published(home) as connection, pytest.raises(duckdb.Error):
        connection.execute(sql.format(out=tmp_path / "out")).fetchall()
    assert list(tmp_path.iterdir()) == []


def test_a_query_stops_at_its_time_limit(home: Home) -> None:
    with pytest.raises(StepFailed, match=r"stopped after 0\.2 s"):
        query_table(home, "select count(*) from range(100000000000) t(i) where md5(i::varchar) = 'x'", time_limit_s=0.2)


def test_a_query_stops_at_its_row_limit(home: Home) -> None:
    rows = query_table(home, "select i from range(1000000000) t(i)", max_rows=25_000)
    assert rows["i"].to_pylist() == list(range(25_000))


def test_a_query_beyond_memory_fails_alone(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIVOTS_MEMORY", "40MiB")
    with pytest.raises(StepFailed, match="PIVOTS_MEMORY"):
        query_table(home, "select count(*) from (select distinct md5(i::varchar) from range(5000000) t(i))")


def run(home: Home, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["sql", *arguments, "--home", str(home.root)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


SMALL = "select 1 as a, '図書館' as word, null as nothing, [1, 2] as list, timestamptz '2026-01-02 03:04:05+00' as at"


def test_formats(home: Home, tmp_path: Path) -> None:
    assert run(home, SMALL, "--format", "csv") == (
        'a,word,nothing,list,at\n1,図書館,,"[1, 2]",2026-01-02T03:04:05+00:00\n'
    )
    assert run(home, SMALL, "--format", "json") == (
        '[\n {"a": 1, "word": "図書館", "nothing": null, "list": [1, 2], "at": "2026-01-02T03:04:05+00:00"}\n]\n'
    )
    assert run(home, "select 1 as a where false", "--format", "json") == "[]\n"
    run(home, SMALL, "--format", "parquet", "--out", str(tmp_path / "x.parquet"))
    assert pq.read_table(tmp_path / "x.parquet")["word"].to_pylist() == ["図書館"]
    run(home, SMALL, "--format", "csv", "--out", str(tmp_path / "x.csv"))
    assert (tmp_path / "x.csv").read_text(encoding="utf-8").startswith("a,word")


def test_a_table_keeps_its_columns_aligned_with_wide_characters(home: Home) -> None:
    from rich.cells import cell_len

    lines = run(home, "select * from (values ('図書館', 1), ('bread', 20)) t(word, n)").splitlines()
    assert len({cell_len(line) for line in lines}) == 1
    assert all(len(line) > 0 for line in lines)


def test_a_wide_result_is_not_cut(home: Home) -> None:
    columns = ", ".join(f"'value number {i}' as column_number_{i}" for i in range(30))
    assert "value number 29" in run(home, f"select {columns}")


def test_a_table_is_cut_at_the_limit_and_says_so(home: Home) -> None:
    result = CliRunner().invoke(app, ["sql", "select * from range(500)", "--home", str(home.root)])
    assert " 99 │" in result.stdout
    assert " 100 │" not in result.stdout
    assert "first 100 rows" in result.stderr
    assert "499" in run(home, "select * from range(500)", "--limit", "0")


def test_a_query_from_a_file(home: Home, tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text("-- how many\nselect count(*) as n from marts.dim_tokens;\n", encoding="utf-8")
    assert run(home, "-f", str(tmp_path / "q.sql"), "--format", "csv") == "n\n12\n"


@pytest.mark.parametrize("arguments", [[], ["select 1", "-f", "x.sql"], ["-f", "missing.sql"]])
def test_a_request_without_one_query_is_a_usage_error(home: Home, arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["sql", *arguments, "--home", str(home.root)])
    assert isinstance(result.exception, UsageError)


def test_parquet_needs_a_file(home: Home) -> None:
    assert CliRunner().invoke(app, ["sql", "select 1", "--format", "parquet", "--home", str(home.root)]).exit_code == 2
