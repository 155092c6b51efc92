"""The two ways a command can end badly."""


class UsageError(Exception):
    """The request cannot be served as it stands: found before any work, one line, exit code 2.

    The message names the thing, the place and the way out.
    """


class StepFailed(Exception):
    """A step could not finish: one line, exit code 1. What was committed before stays; run it again to go on."""
