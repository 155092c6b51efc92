"""How programs end: a refusal is one line and exit code 2, or a file for the caller; a failure exit code 1."""

from pathlib import Path

import pytest

from ml.common.errors import REFUSAL_FILE, run_program
from warehouse.contract.errors import StepFailed, UsageError, raise_all


def ends(problem: Exception) -> int:
    def main() -> None:
        raise problem

    with pytest.raises(SystemExit) as ended:
        run_program(main)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_exit_codes_and_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends(UsageError("one", "two")) == 2
    assert capsys.readouterr().err == "error: one; two\n"
    assert ends(StepFailed("another process ended")) == 1
    assert capsys.readouterr().err == "error: another process ended\n"
    assert ends(OSError("no space left")) == 1
    assert "no space left; what was committed before is intact" in capsys.readouterr().err


def test_a_launched_program_leaves_its_refusal_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REFUSAL_FILE, str(tmp_path / "refusal"))

    def main() -> None:
        raise UsageError("not this way")

    run_program(main)  # as if done: launchers would turn the exit code into 1
    assert (tmp_path / "refusal").read_text() == "not this way"


def test_all_problems_are_raised_together() -> None:
    raise_all([])
    with pytest.raises(UsageError) as refused:
        raise_all(["a", "b"])
    assert refused.value.problems == ("a", "b")
