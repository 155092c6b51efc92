"""The drill of every write, on a few of its points; `make drills` takes all."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from drills import shim
from drills.every_write import FAULTS, places

REPOSITORY = Path(__file__).parents[2]


def test_writes_in_a_row_are_spoilt_first_and_last() -> None:
    log = ["create\ta", "write\ta", "write\ta", "write\ta", "write\ta", "sync\ta", "write\tb", "write\tb"]
    assert places(log, all_writes=False) == [1, 2, 5, 6, 7, 8]
    assert places(log, all_writes=True) == list(range(1, 9))


@pytest.mark.slow
@pytest.mark.skipif(not shim.can_compile(), reason="needs a C compiler and LD_PRELOAD")
@pytest.mark.parametrize(("step", "every"), [("words", 19), ("ingest more", 15), ("count", 19), ("publish again", 19)])
def test_a_command_called_again_mends_what_a_fault_left(step: str, every: int, tmp_path: Path) -> None:
    out = tmp_path / "outcomes.json"
    command = [sys.executable, "-m", "drills.every_write", "--step", step, "--every", str(every), "--out", str(out)]
    done = subprocess.run(command, cwd=REPOSITORY, env=_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = json.loads(out.read_text())
    assert [outcome["fault"] for outcome in outcomes] == list(FAULTS)
    assert all(outcome["n_spoilt"] > 2 for outcome in outcomes)


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'tests'}"}
