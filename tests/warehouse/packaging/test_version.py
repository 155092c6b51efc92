"""One version, wherever it has to be said."""

import re

import yaml
from typer.testing import CliRunner

from support.places import PROJECT
from warehouse import __version__
from warehouse.cli import app


def test_the_command_says_it() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"pivots {__version__}\n"


def test_files_that_cannot_ask_for_it_say_the_same() -> None:
    for name in ("dbt_project/dbt_project.yml", "CITATION.cff"):
        assert yaml.safe_load((PROJECT / name).read_text())["version"] == __version__, name


def test_the_changelog_knows_it() -> None:
    versions = re.findall(r"^## \[(.+?)\]", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[:2] == ["Unreleased", __version__]
