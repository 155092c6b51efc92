"""The ways a command or a program can end badly, the same on both sides."""

FAILED, REFUSED = 1, 2  # exit codes


class UsageError(Exception):
    """The request cannot be served as it stands: found before any work, one line, exit code 2.

    The message names the thing, the place and the way out. `problems` lists all mistakes that were found at once.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class StepFailed(Exception):
    """A step could not finish: one line, exit code 1. What was committed before stays; run it again to go on."""


def raise_all(problems: list[str]) -> None:
    """Raise one UsageError that names every problem, or return when there is none."""
    if problems:
        raise UsageError(*problems)
