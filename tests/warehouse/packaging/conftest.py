"""One wheel and one environment for all tests of the package."""

from pathlib import Path

import pytest

from support.installed import Installed, build_wheel, copy_sources, install


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout, with what dbt leaves there when it is typed by hand."""
    copy = copy_sources(tmp_path_factory.mktemp("sources") / "semantic-pivots")
    for leftover in ("target/manifest.json", "target/compiled/model.sql", "logs/dbt.log"):
        file = copy / "dbt_project" / leftover
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
    return copy


@pytest.fixture(scope="session")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel of the checkout."""
    return build_wheel(sources, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Return an environment that the wheel is installed in."""
    return install(wheel, tmp_path_factory.mktemp("installed") / "venv")
