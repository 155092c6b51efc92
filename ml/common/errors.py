"""How the ml programs report a user's mistake: everything that is wrong, once, in one line, before any work."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from warehouse.contract.lifeline import watch_launcher

REFUSAL_FILE = "PIVOTS_REFUSAL_FILE"


class UsageProblem(Exception):
    """The request cannot be served as it stands. `problems` lists all that was found wrong."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class RunFailed(Exception):
    """The run cannot go on, through nobody's mistake in the request: one line, exit code 1."""


def raise_all(problems: list[str]) -> None:
    """Raise one UsageProblem that names every problem, or return when there is none."""
    if problems:
        raise UsageProblem(*problems)


def run_program(main: Callable[[], None]) -> None:
    """Run a program's main: a user's mistake becomes one line and exit code 2, a failed run or a full disk one line
    and exit code 1.

    Launchers of several processes turn every exit code into 1 and add a report of their own. A caller that starts a
    program through one names a file in the environment variable PIVOTS_REFUSAL_FILE: a refusal is then written there,
    and the program ends as if done, for the caller to report it.
    """
    watch_launcher()
    try:
        main()
    except UsageProblem as problem:
        if refusal := os.environ.get(REFUSAL_FILE):
            Path(refusal).write_text(str(problem))  # the same text from every process
            return
        print(f"error: {problem}", file=sys.stderr, flush=True)
        raise SystemExit(2) from None
    except (OSError, RunFailed) as problem:
        advice = "; what was committed before is intact, run the same command again to go on"
        print(f"error: {problem}{advice if isinstance(problem, OSError) else ''}", file=sys.stderr, flush=True)
        raise SystemExit(1) from None
