"""The product as a wheel, installed in an environment of its own outside the checkout."""

import os
import shutil
import site
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.places import PROJECT

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "target", "logs")
_SOURCES = ("warehouse", "ml", "flows", "dbt_project", "profiles")
_ROOT_FILES = ("pyproject.toml", "prefect.yaml", "README.md", "LICENSE")


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel, and sees the packages of this one but not its checkout."""

    folder: Path
    wheel: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def pivots(self) -> Path:
        return self.folder / "bin" / "pivots"

    @property
    def packages(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))

    def run(self, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `pivots` in a working directory; its default home is pivots-home there."""
        return subprocess.run(
            [str(self.pivots), *arguments],
            cwd=cwd,
            env=plain_environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def files(self) -> set[str]:
        """Return the installed files, without what Python and numba cache beside modules."""
        installed = (path.relative_to(self.packages) for path in self.packages.rglob("*") if path.is_file())
        return {str(path) for path in installed if "__pycache__" not in path.parts}


def plain_environment() -> dict[str, str]:
    """Return the environment of somebody who has set nothing for us, nor for Python."""
    ours = ("PIVOTS_", "DBT_", "PYTHON", "PREFECT_", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {"PIVOTS_THREADS": "2"}


def copy_sources(target: Path) -> Path:
    """Copy what a wheel is made of, links as links, without what builds and runs leave there; return it."""
    target.mkdir()
    for folder in _SOURCES:
        shutil.copytree(PROJECT / folder, target / folder, symlinks=True, ignore=_LEFT_OUT)
    for file in _ROOT_FILES:
        shutil.copy(PROJECT / file, target / file)
    return target


def build_wheel(source: Path, target: Path) -> Path:
    """Build the wheel of a source folder or sdist offline; return its file in `target`."""
    _pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(target), str(source))
    (wheel,) = target.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path) -> Installed:
    """Install a wheel in a new environment, beside nothing but a path to this environment's packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    installed = Installed(folder, wheel)
    _pip("--python", str(installed.python), "install", "--no-deps", "--no-index", str(wheel))
    # a path, as opposed to a site folder: the .pth file of an editable installation there is not read
    dependencies = [path for path in site.getsitepackages() if Path(path).is_dir()]
    (installed.packages / "dependencies.pth").write_text("\n".join(dependencies) + "\n")
    return installed


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, env=plain_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
