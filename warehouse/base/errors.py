"""The ways a command can end badly."""

import sys
from collections.abc import Callable

from warehouse.base.terminal import printable
from warehouse.contract.disk import disk_failure
from warehouse.contract.errors import FAILED, REFUSED
from warehouse.contract.errors import StepFailed as StepFailed
from warehouse.contract.errors import UsageError as UsageError


class ReportedError(Exception):
    """A program that we started ended badly and has said why; only its exit code is left to pass on."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code


def end_in_one_line(main: Callable[[], object]) -> None:
    """Run a program: exit code 0 done, 1 failed, 2 refused; a user's mistake or a full disk is one line."""
    try:
        main()
    except UsageError as mistake:
        print(printable(f"pivots: {mistake}"), file=sys.stderr)
        sys.exit(REFUSED)
    except StepFailed as failure:
        print(printable(f"pivots: {failure}"), file=sys.stderr)
        sys.exit(FAILED)
    except ReportedError as failure:
        sys.exit(failure.exit_code)
    except Exception as failure:
        if (line := disk_failure(failure)) is None:
            raise
        print(printable(f"pivots: {line}"), file=sys.stderr)
        sys.exit(FAILED)
