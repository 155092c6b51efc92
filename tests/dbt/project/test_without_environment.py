"""dbt typed by hand in a clone, with no variable set: it works on the default home, from wherever one stands."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from support.corpora.random_rows import make_corpus, write_corpus, write_vocabulary
from support.places import PROJECT
from warehouse.base.programs import dbt_command
from warehouse.base.settings import Home
from warehouse.build.dbt_runner import point_raw_views

pytestmark = pytest.mark.slow

FROM_ROOT = ("--project-dir", "dbt_project", "--profiles-dir", "profiles")
MODELS = "+dim_documents"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the parts of a clone that dbt reads, and a default home whose data nobody has built yet."""
    root = tmp_path_factory.mktemp("clone")
    leftovers = shutil.ignore_patterns("target", "logs", ".user.yml")
    for folder in ("dbt_project", "profiles"):
        shutil.copytree(PROJECT / folder, root / folder, symlinks=True, ignore=leftovers)
    home = Home(root / "pivots-home")
    home.root.mkdir()
    write_vocabulary(home)
    write_corpus(home, make_corpus("balanced", 1, n_docs=100, languages=["en", "fr"], planted=True))
    point_raw_views(home)
    return root


def dbt(folder: Path, *arguments: str, **variables: str) -> str:
    """Return what dbt prints in this working directory, with none of our variables set but these."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PIVOTS_", "DBT_"))}
    done = subprocess.run(
        dbt_command(*arguments),
        cwd=folder,
        env=environment | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"} | variables,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def documents(file: Path) -> int:
    with duckdb.connect(str(file), read_only=True) as connection:
        (n,) = connection.execute("select count(*) from marts.dim_documents").fetchone() or (0,)
    return int(n)


def test_from_the_root(clone: Path) -> None:
    dbt(clone, "parse", *FROM_ROOT)  # later commands read what it has parsed
    dbt(clone, "build", "--indirect-selection", "cautious", "--select", MODELS, *FROM_ROOT)
    assert documents(clone / "pivots-home" / "warehouse.duckdb") == 100
    assert list(clone.rglob("*.duckdb")) == [clone / "pivots-home" / "warehouse.duckdb"]


def test_from_the_projects_folder(clone: Path) -> None:
    project = clone / "dbt_project"
    dbt(project, "parse")
    dbt(project, "build", "--indirect-selection", "cautious", "--select", MODELS)
    count = "select count(*) as n from {{ ref('dim_documents') }}"
    shown = dbt(project, "--quiet", "show", "--output", "json", "--inline", count)
    assert '"n": 100' in shown
    dbt(project, "docs", "generate", "--select", MODELS)
    assert '"n_tokens"' in (project / "target" / "catalog.json").read_text()
    assert list(clone.rglob("*.duckdb")) == [clone / "pivots-home" / "warehouse.duckdb"]


def test_another_home_by_its_variable(clone: Path, new_home: Callable[[str], Home]) -> None:
    home = new_home("another")
    write_vocabulary(home)
    write_corpus(home, make_corpus("other", 2, n_docs=30, languages=["en", "fr"]))
    point_raw_views(home)
    dbt(clone, "build", "--indirect-selection", "cautious", "--select", MODELS, *FROM_ROOT, PIVOTS_HOME=str(home.root))
    assert documents(home.warehouse_file) == 30
