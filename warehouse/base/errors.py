"""The ways a command can end badly."""


class UsageError(Exception):
    """The request cannot be served as it stands: found before any work, one line, exit code 2.

    The message names the thing, the place and the way out.
    """


class StepFailed(Exception):
    """A step could not finish: one line, exit code 1. What was committed before stays; run it again to go on."""


class ReportedError(Exception):
    """A program that we started ended badly and has said why; only its exit code is left to pass on."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code
