"""What wheel and sdist hold: every file that a command reads, as an ordinary file, and nothing else."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from support.installed import build_wheel
from support.places import PROJECT

pytestmark = pytest.mark.slow

RESOURCES = Path("warehouse", "resources")
PACKAGES = ("warehouse", "ml", "flows")


def expected() -> dict[str, Path]:
    """Return the files that a wheel must hold: name in the wheel -> file of the checkout."""
    files = {str(RESOURCES / "prefect.yaml"): PROJECT / "prefect.yaml"}
    for folder in ("dbt_project", "profiles"):
        for path in (PROJECT / folder).rglob("*"):
            inner = path.relative_to(PROJECT)
            if path.is_file() and path.suffix and not {"target", "logs"} & set(inner.parts):
                files[str(RESOURCES / inner)] = path
    for package in PACKAGES:
        for path in (PROJECT / package).rglob("*"):
            inner = path.relative_to(PROJECT)
            if path.is_file() and "__pycache__" not in inner.parts and RESOURCES not in inner.parents:
                files[str(inner)] = path
    return files | {str(RESOURCES / "__init__.py"): PROJECT / RESOURCES / "__init__.py"}


def test_the_wheel_holds_every_file_of_the_packages_and_their_resources(wheel: Path) -> None:
    files = expected()
    assert len(files) > 400, "the expectation itself found hardly anything"
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert held == files.keys()
        assert [name for name, path in files.items() if archive.read(name) != path.read_bytes()] == []
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    assert [name for name in held if (modes[name] & 0o170000) == 0o120000] == [], "links"


def test_an_sdist_holds_no_link_and_makes_the_same_wheel(sources: Path, wheel: Path, tmp_path: Path) -> None:
    program = "import setuptools.build_meta, sys; setuptools.build_meta.build_sdist(sys.argv[1])"
    command = [sys.executable, "-c", program, str(tmp_path)]
    subprocess.run(command, cwd=sources, check=True, capture_output=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        assert [entry.name for entry in archive if not (entry.isfile() or entry.isdir())] == []
    again = build_wheel(sdist, tmp_path / "wheel")
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert {entry.filename: entry.CRC for entry in first.infolist() if ".dist-info/" not in entry.filename} == {
            entry.filename: entry.CRC for entry in second.infolist() if ".dist-info/" not in entry.filename
        }
