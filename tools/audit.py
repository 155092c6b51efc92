"""Look the locked packages up among known vulnerabilities: `python -m tools.audit`, or `make audit`.

pip-audit asks the Python Package Index. A machine that cannot reach its advisories audits nothing, says so, and does
not fail: that a mirror answers no such question is no news about the packages.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.lock import AUDIT_LOCK, ENGINES_LOCK, LOCK


def main() -> None:
    """Audit the lock files; exit code 1 when a package has a known vulnerability."""
    found = [package for lock in (LOCK, ENGINES_LOCK, AUDIT_LOCK) for package in _audited(lock)]
    vulnerable, n_audited = summarise(found)
    for line in vulnerable:
        print(line)
    if n_audited == 0:
        print(f"no advisories could be reached: none of {len(found)} packages was audited")
    else:
        print(f"{n_audited} of {len(found)} packages audited, {len(vulnerable)} known vulnerabilities")
    sys.exit(bool(vulnerable))


def summarise(found: Sequence[dict[str, Any]]) -> tuple[list[str], int]:
    """Return a line for each vulnerability, and how many packages could be looked up."""
    audited = [package for package in found if "vulns" in package]
    vulnerable = [
        f"{package['name']} {package['version']}: {vulnerability['id']},"
        f" fixed in {', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for package in audited
        for vulnerability in package["vulns"]
    ]
    return vulnerable, len(audited)


def _audited(lock: Path) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--disable-pip", "--format", "json"]
    done = subprocess.run([*command, "--progress-spinner", "off"], capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout)
    except json.JSONDecodeError:
        print(f"pip-audit of {lock.name}: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return []
    dependencies: list[dict[str, Any]] = answer["dependencies"]
    return dependencies


if __name__ == "__main__":
    main()
