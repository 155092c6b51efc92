"""The ways a command can end badly."""

from warehouse.contract.errors import StepFailed as StepFailed
from warehouse.contract.errors import UsageError as UsageError


class ReportedError(Exception):
    """A program that we started ended badly and has said why; only its exit code is left to pass on."""

    def __init__(self, exit_code: int) -> None:
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code
