"""Resolve what pyproject.toml asks for into lock files with hashes: `python -m tools.lock`, or `make lock`.

Versions that are locked stay, unless `--upgrade` names them (or is given alone: all). The locks hold for every platform
and for Python from 3.11 on: hashes are of all files of a version. torch is left out: its file differs by machine, so
the Makefile names its version, and pip takes the file that the machine's registries have.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import REPOSITORY
from tools.install import UV, uv_environment

PYPROJECT = REPOSITORY / "pyproject.toml"
LOCK = REPOSITORY / "requirements.lock"
ENGINES_LOCK = REPOSITORY / "requirements-engines.lock"
AUDIT_LOCK = REPOSITORY / "requirements-audit.lock"
_EXTRAS = ("dev", "dashboard", "gguf", "site")
_ENGINE_EXTRAS = ("spark", "lake")
_TORCH_NEEDS = "sympy"  # what no other package brings, so that installing torch installs torch alone
_HEADER = """# Exact versions of {what}, each file by its hash; made by `make lock`.
# Without torch, whose file differs by machine: see TORCH in the Makefile.
"""


def main() -> None:
    """Write the lock files."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description=__doc__)
    parser.add_argument("--upgrade", nargs="*", metavar="PACKAGE", help="packages to lock anew; all when none is named")
    upgrade: list[str] | None = parser.parse_args().upgrade
    locked = {} if upgrade == [] else {**_versions(AUDIT_LOCK), **_versions(ENGINES_LOCK), **_versions(LOCK)}
    for package in upgrade or ():
        locked.pop(_normal(package), None)
    base = _resolve(_EXTRAS, locked)
    LOCK.write_text(_HEADER.format(what="what `make setup` installs") + "".join(base.values()))
    everything = _resolve((*_EXTRAS, *_ENGINE_EXTRAS), locked | _versions(LOCK))
    added = {name: entry for name, entry in everything.items() if name not in base}
    ENGINES_LOCK.write_text(_HEADER.format(what="what `make setup-engines` adds") + "".join(added.values()))
    audit = _compile(["--group", f"{PYPROJECT}:audit"], locked | _versions(LOCK))
    AUDIT_LOCK.write_text(
        _HEADER.format(what="what `make audit` and `make sbom` install apart") + "".join(audit.values())
    )
    print(f"{len(base)} packages in {LOCK.name}, {len(added)} more in {ENGINES_LOCK.name}, {len(audit)} to audit them")


def _resolve(extras: tuple[str, ...], locked: dict[str, str]) -> dict[str, str]:
    """Return the entries of a lock of the project with some of its extras."""
    with tempfile.TemporaryDirectory() as folder:
        more = Path(folder) / "more.in"
        more.write_text(_TORCH_NEEDS + "\n")
        words = [word for extra in extras for word in ("--extra", extra)]
        return _compile([*words, str(PYPROJECT), str(more)], locked)


def _compile(sources: list[str], locked: dict[str, str]) -> dict[str, str]:
    """Return the entries of a lock: normalised name -> version, marker and hashes."""
    with tempfile.TemporaryDirectory() as folder:
        constraints, overrides = (Path(folder) / name for name in ("constraints.txt", "overrides.txt"))
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in locked.items()))
        overrides.write_text("torch ; python_version < '3'\n")
        command = [str(UV), "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
        command += ["--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links"]
        command += ["--constraint", str(constraints), "--override", str(overrides), *sources]
        # only the main registry: it has the files of all platforms
        done = subprocess.run(
            command, env=uv_environment(with_extra=False), check=False, stdout=subprocess.PIPE, text=True
        )
    if done.returncode:
        sys.exit(done.returncode)
    entries = re.findall(r"^[^\s#][^\n]*\n(?:[ \t][^\n]*\n)*", done.stdout, re.MULTILINE)
    return {_normal(re.split(r"[=\s]", entry, maxsplit=1)[0]): entry for entry in entries}


def _versions(lock: Path) -> dict[str, str]:
    text = lock.read_text() if lock.exists() else ""
    return {_normal(name): version for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE)}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
