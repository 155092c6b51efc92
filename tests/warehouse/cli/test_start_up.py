"""What a command does not need it does not import: the heavy libraries take seconds to load."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from warehouse.base.settings import Home
from warehouse.lake.runs import Run

HEAVY = {"torch", "duckdb", "ibis", "numba", "prefect", "transformers", "pandas", "pyarrow", "numpy", "dbt", "marimo"}
PROGRAM = """
import sys
sys.argv = ["pivots", *sys.argv[1:]]
from warehouse.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""


def imported(*arguments: str, home: Path) -> set[str]:
    """Return which heavy libraries a command imports."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=os.environ | {"PIVOTS_HOME": str(home)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout
    modules = done.stderr.splitlines()[-1].split()
    assert "warehouse.cli" in modules
    return HEAVY & set(modules)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["sql", "--help"], ["demo", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    assert imported(*arguments, home=tmp_path) == set()


def test_status_needs_tables_and_no_kernels(tmp_path: Path) -> None:
    assert imported("status", home=tmp_path) <= {"pyarrow", "numpy", "duckdb"}
    Run(kind="words", config={}, inputs={"file": "hash"}).record(Home(tmp_path))
    assert imported("status", home=tmp_path) <= {"pyarrow", "numpy", "duckdb"}


def test_a_query_needs_the_database(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.published_file.parent.mkdir(parents=True)
    with duckdb.connect(str(home.published_file)) as connection:
        connection.execute("create schema marts")
    assert imported("sql", "select 1 as one", home=tmp_path) <= {"pyarrow", "numpy", "duckdb"}
    assert imported("sql", "--format", "csv", "select 1 as one", home=tmp_path) <= {"pyarrow", "numpy", "duckdb"}
