"""How programs end: an exit code, and one line for whoever started them; on both sides alike."""

from collections.abc import Callable

import pytest

from ml.common.errors import run_program
from warehouse.base.errors import ReportedError, StepFailed, UsageError, end_in_one_line


def ends(run: Callable[[Callable[[], None]], None], problem: Exception | None) -> int:
    """Return the exit code of a program that ends with a problem."""

    def main() -> None:
        if problem:
            raise problem

    try:
        run(main)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize("run", [end_in_one_line, run_program])
@pytest.mark.parametrize(("problem", "code"), [(None, 0), (StepFailed("no disk"), 1), (UsageError("no file"), 2)])
def test_exit_codes_and_lines_are_the_same_in_warehouse_and_ml(
    run: Callable[[Callable[[], None]], None],
    problem: Exception | None,
    code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ends(run, problem) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == (problem is not None)
    assert str(problem or "") in printed.err


def test_a_failure_that_was_reported_is_not_reported_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends(end_in_one_line, ReportedError(7)) == 7
    assert capsys.readouterr().err == ""


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        ends(end_in_one_line, ZeroDivisionError())
