"""What `pivots build --print-env` says for typing dbt by hand, and what the documentation's first page holds."""

import re
import shlex
from pathlib import Path

import pytest

from support.places import PROJECT
from warehouse.base.settings import Home
from warehouse.build.dbt_runner import PROJECT_DIR, project_around, shell_exports


def checkout(folder: Path, name: str = "semantic_pivots") -> Path:
    (folder / "dbt_project" / "models").mkdir(parents=True)
    (folder / "dbt_project" / "dbt_project.yml").write_text(f"# a project\nname: {name}\n")
    return folder / "dbt_project"


def project_of(exports: str) -> str:
    [line] = [line for line in exports.splitlines() if line.startswith("export DBT_PROJECT_DIR=")]
    [assignment] = shlex.split(line.removeprefix("export "))
    return assignment.partition("=")[2]


def test_the_project_is_that_of_the_checkout_one_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = checkout(tmp_path / "my clone")
    for folder in (tmp_path / "my clone", mine, mine / "models"):
        monkeypatch.chdir(folder)
        assert project_of(shell_exports(Home(tmp_path / "home"))) == str(mine)


def test_elsewhere_it_is_the_installed_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout(tmp_path / "other", name="jaffle_shop")
    for folder in (tmp_path, tmp_path / "other"):
        monkeypatch.chdir(folder)
        assert project_around(folder) is None
        assert project_of(shell_exports(Home(tmp_path / "home"))) == str(PROJECT_DIR)


def test_the_first_page_of_the_documentation_shows_the_map_and_names_marts_that_there_are() -> None:
    overview = (PROJECT / "dbt_project" / "models" / "_overview.md").read_text()
    assert overview.startswith("{% docs __overview__ %}")
    assert "![Map of the marts](marts.svg)" in overview, "`pivots docs` puts the picture into its place"
    known = {path.stem for path in (PROJECT / "dbt_project" / "models" / "marts").rglob("*.sql")}
    named = set(re.findall(r"`((?:fct|dim)_\w+)", overview))
    assert len(named) > 8
    assert named <= known
