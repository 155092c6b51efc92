"""How the ml programs report a user's mistake: everything that is wrong, once, in one line, before any work."""

import sys
from collections.abc import Callable


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
    """Run a program's main: a user's mistake becomes one line and exit code 2, a failed run or a
    full disk one line and exit code 1."""
    try:
        main()
    except UsageProblem as problem:
        print(f"error: {problem}", file=sys.stderr, flush=True)
        raise SystemExit(2) from None
    except (OSError, RunFailed) as problem:
        advice = "; what was committed before is intact, run the same command again to go on"
        print(f"error: {problem}{advice if isinstance(problem, OSError) else ''}", file=sys.stderr, flush=True)
        raise SystemExit(1) from None
