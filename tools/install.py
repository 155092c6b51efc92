"""Install locked versions into this environment: `python -m tools.install LOCK...`.

uv downloads and unpacks in parallel what pip takes one by one. It asks the registries that pip is configured for: what
the machine's pip configuration and PIP_* variables say is handed on when uv starts, so that nothing of that stands in
the repository. Where uv does not get through, pip installs the same files. Only the standard library is needed.
"""

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

UV = Path(sys.executable).with_name("uv")
_SECTIONS = ("global", "install", ":env:")  # the later one wins


def main() -> None:
    """Install some lock files, every file by its hash."""
    parser = argparse.ArgumentParser(prog="python -m tools.install", description=__doc__)
    parser.add_argument("locks", nargs="+", type=Path, help="requirements with hashes, dependencies included")
    locks: list[Path] = parser.parse_args().locks
    requirements = ["--no-deps", "--require-hashes", *(word for lock in locks for word in ("--requirement", str(lock)))]
    if _has_uv(locks[0]) and _run([str(UV), "pip", "install", "--quiet", *_python(), *requirements], uv_environment()):
        return
    print("uv could not install the locked versions; pip tries, which takes longer", file=sys.stderr)
    if not _run([sys.executable, "-m", "pip", "install", "--quiet", *requirements]):
        sys.exit(1)


def uv_environment(*, with_extra: bool = True) -> dict[str, str]:
    """Return this process's environment with pip's configuration as uv reads it. What is set for uv already stays.

    Args:
        with_extra: also ask the registries beside the main one, and local folders of wheels.
    """
    pip = pip_settings()
    ours = {"UV_DEFAULT_INDEX": pip.get("index-url", "")}
    ours["SSL_CERT_FILE"] = pip.get("cert", "")
    ours["UV_HTTP_TIMEOUT"] = pip.get("default-timeout", pip.get("timeout", ""))
    ours["UV_INSECURE_HOST"] = pip.get("trusted-host", "")
    if with_extra:
        ours["UV_INDEX"] = " ".join(pip.get("extra-index-url", "").split())
        ours["UV_FIND_LINKS"] = ",".join(pip.get("find-links", "").split())
        # pip takes the best file of all registries; hashes say which files are the right ones
        ours["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {name: value for name, value in ours.items() if value} | os.environ


def pip_settings() -> dict[str, str]:
    """Return pip's settings for an installation, from its files and the environment: option -> value."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listed.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in found:
            found[section][option] = str(ast.literal_eval(value))
    return {option: value for section in _SECTIONS for option, value in found[section].items()}


def _has_uv(lock: Path) -> bool:
    """Return whether uv is in this environment, which pip sees to first."""
    if not UV.exists():
        pinned = re.search(r"^uv==\S+", lock.read_text(), re.MULTILINE)
        _run([sys.executable, "-m", "pip", "install", "--quiet", pinned.group() if pinned else "uv"])
    return UV.exists()


def _python() -> list[str]:
    return ["--python", sys.executable]


def _run(command: list[str], environment: dict[str, str] | None = None) -> bool:
    program = shutil.which(command[0])
    return program is not None and subprocess.run(command, env=environment, check=False).returncode == 0


if __name__ == "__main__":
    main()
