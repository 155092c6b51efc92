"""dbt as people type it, against dbt as `pivots build` runs it; and a slim build against a whole one."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from support.corpora.random_rows import VARIABLES, make_corpus, write_corpus, write_vocabulary
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.build import dbt_runner
from warehouse.build.build import build
from warehouse.build.changed_models import slim_build
from warehouse.serving.publish import publish

pytestmark = pytest.mark.slow

README_COMMAND = 'eval "$(pivots build --print-env)" && dbt build --vars "$PIVOTS_VARS"'


@pytest.fixture(scope="module")
def home(new_home: Callable[[str], Home]) -> Home:
    """A home with a small corpus, built with variables of its own, and published."""
    home = new_home("by-hand")
    write_vocabulary(home)
    write_corpus(home, make_corpus("balanced", 1, n_docs=200, languages=["en", "fr", "ja", "zh"], planted=True))
    build(home, variables=VARIABLES | {"selection_budget_tokens": 500})
    publish(home)
    return home


def marts(file: Path, catalog: str) -> dict[str, str]:
    """Return a content hash of every mart of a file, whatever the order of its rows."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{file}' as {catalog} (read_only)")
        names = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts' and database_name = ?", [catalog]
        ).fetchall()
        contents = {}
        for (name,) in names:
            rows = connection.execute(f"select r::varchar from {catalog}.marts.{name} r order by 1").fetchall()
            contents[name] = hashlib.sha256(repr(rows).encode()).hexdigest()
        return contents


def test_dbt_build_by_hand_does_what_pivots_build_does(home: Home) -> None:
    expected = marts(home.warehouse_file, "warehouse")
    with duckdb.connect(str(home.warehouse_file)) as connection:
        connection.execute("drop schema marts cascade; drop schema intermediate cascade")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIVOTS_", "DBT_"))}
    environment |= {"PIVOTS_HOME": str(home.root), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-c", README_COMMAND], env=environment, check=True, capture_output=True, cwd=home.root)
    assert marts(home.warehouse_file, "warehouse") == expected


def test_nothing_changed_builds_nothing(home: Home) -> None:
    built = slim_build(home)
    assert (built.changed, built.rebuilt, built.statuses) == ([], [], {})


def test_a_changed_mart_is_built_on_the_published_copy(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The overlap reads int_summary_documents__selected, which is not published; that reads the selection, which is.

    int_strategy_documents__budgeted itself is not published, but fct_selected_documents shows it as it is.
    """
    before = marts(home.warehouse_file, "warehouse")
    project = tmp_path / "dbt_project"
    shutil.copytree(dbt_runner.PROJECT_DIR, project, ignore=shutil.ignore_patterns("target", "logs"))
    model = project / "models" / "marts" / "selection" / "fct_selection_overlap.sql"
    text = model.read_text()
    assert text.count("coalesce(shared.n_docs, 0) as n_docs_both") == 1
    model.write_text(text.replace("coalesce(shared.n_docs, 0)", "0 + coalesce(shared.n_docs, 0)"))
    monkeypatch.setattr(dbt_runner, "PROJECT_DIR", project)
    built = slim_build(home)
    assert built.changed == ["fct_selection_overlap"]
    assert "int_summary_documents__selected" in built.rebuilt
    assert not {name for name in built.rebuilt if name.startswith(("fct_", "dim_", "int_strategy", "int_pivot"))}
    assert built.statuses["pass"] > 0
    assert marts(home.warehouse_file, "warehouse") == before
    of_copy = marts(home.published_file.resolve(), "warehouse")
    assert marts(built.file, "slim") == {"fct_selection_overlap": of_copy["fct_selection_overlap"]}


def test_without_a_published_copy_there_is_nothing_to_build_on(new_home: Callable[[str], Home]) -> None:
    with pytest.raises(UsageError, match="run `pivots build`, `pivots publish`"):
        slim_build(new_home("unpublished"))
