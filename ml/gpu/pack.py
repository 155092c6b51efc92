"""The folder that a machine with a GPU is given: code, tokenizer and base model, tests, and the wheels it may lack.

    python -m ml.gpu.pack --out build/gpu-pack [--wheel pyarrow --wheel accelerate]

Corpora are planted from their seeds over there. The folder is checked to be at most 60 MB.
"""

import argparse
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ml.gpu.runner import ROOT
from warehouse.contract.atomic import atomic_folder

LIMIT_BYTES = 60_000_000
PYTHON, PLATFORM = "3.12", "manylinux_2_28_x86_64"
_PLATFORMS = (PLATFORM, "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64")
# What is copied: rooms that the stages import, and the tests of `ml` with what they stand on.
_FOLDERS = (
    "ml",
    "profiles",
    "warehouse/base",
    "warehouse/contract",
    "warehouse/counting",
    "warehouse/engines/gpu",
    "warehouse/lake",
    "warehouse/planted",
    "tests/ml",
    "tests/support/ml_runs",
)
_FILES = ("LICENSE", "pyproject.toml", "warehouse/__init__.py", "warehouse/engines/__init__.py",
          "tests/support/__init__.py", "tests/support/places.py")  # fmt: skip
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".pytest_cache")
# Small, or missing on machines that have torch and transformers only.
WHEELS = ("pydantic", "pydantic-core", "annotated-types", "typing-inspection", "typing-extensions", "filelock",
          "accelerate", "pyarrow", "pyyaml", "safetensors", "tqdm", "rich", "pygments", "markdown-it-py",
          "mdurl")  # fmt: skip
# Other versions than those installed here: of pyarrow the newest whose wheel leaves room for everything else.
_VERSIONS = {"pyarrow": "21.0.0"}

_READ_ME = """# A recipe for a machine with a GPU

    sh run.sh 25            # minutes; again to go on where it stopped

Needs Python 3.11 or newer with torch (CUDA), transformers, tokenizers and numba; what else it lacks is in `wheels/`.
Answers: `results/results.json` and `results/gpu.md`, written again after every stage.
"""
_RUN = """#!/bin/sh
# usage: sh run.sh [minutes] [more options of `python -m ml.gpu`]
cd "$(dirname "$0")" || exit 2
minutes=${1:-25}
[ $# -gt 0 ] && shift
exec "${PYTHON:-python3}" -m ml.gpu --minutes "$minutes" --out "${OUT:-results}" "$@"
"""


class TooLarge(Exception):
    """The folder is above its limit; the message names the largest files."""


def make_pack(out: Path, wheels: tuple[str, ...] = WHEELS, *, fetch: bool = True) -> list[str]:
    """Write the folder `out`, which must not exist; return the wheels that could not be fetched.

    Raises:
        TooLarge: it would be above 60 MB.
    """
    with atomic_folder(out.absolute()) as folder:
        for name in _FOLDERS:
            shutil.copytree(ROOT / name, folder / name, ignore=_LEFT_OUT)
        for name in _FILES:
            if (ROOT / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, folder / name)
        (folder / "README.md").write_text(_READ_ME)
        (folder / "run.sh").write_text(_RUN)
        missing = [name for name in wheels if not _fetch(name, folder / "wheels")] if fetch else []
        sizes = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
        if (total := sum(sizes.values())) > LIMIT_BYTES:
            largest = sorted(sizes, key=lambda path: -sizes[path])[:5]
            named = ", ".join(f"{path.relative_to(folder)} {sizes[path] / 1e6:.1f} MB" for path in largest)
            raise TooLarge(f"{total / 1e6:.1f} MB, at most {LIMIT_BYTES / 1e6:.0f}: leave wheels out ({named})")
    return missing


def _fetch(name: str, folder: Path) -> bool:
    """Fetch a wheel, of `_VERSIONS` or at the version that is installed here; return whether it is there now."""
    folder.mkdir(exist_ok=True)
    try:
        wanted = f"{name}=={_VERSIONS.get(name) or version(name)}"
    except PackageNotFoundError:
        wanted = name
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    command += ["--python-version", PYTHON, "--implementation", "cp", "--dest", str(folder)]
    for platform in _PLATFORMS:
        command += ["--platform", platform]
    return subprocess.run([*command, wanted], check=False, capture_output=True).returncode == 0


def main(argv: list[str] | None = None) -> int:
    """Make the folder."""
    parser = argparse.ArgumentParser(prog="ml.gpu.pack", description="What a machine with a GPU is given.")
    parser.add_argument("--out", type=Path, default=Path("build/gpu-pack"))
    parser.add_argument("--wheel", action="append", help=f"instead of {', '.join(WHEELS)}; repeatable, '' for none")
    given = parser.parse_args(argv)
    if given.out.exists():
        shutil.rmtree(given.out)
    wheels = WHEELS if given.wheel is None else tuple(name for name in given.wheel if name)
    try:
        missing = make_pack(given.out, wheels)
    except TooLarge as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in given.out.rglob("*") if path.is_file())
    print(f"{given.out}: {size / 1e6:.1f} MB; copy it and run `sh run.sh 25` there")
    if missing:
        print(f"not fetched (no registry in reach, or none for Python {PYTHON}): {', '.join(missing)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
