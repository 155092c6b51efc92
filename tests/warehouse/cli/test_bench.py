"""`pivots bench gpu` hands its options to the recipe and passes on how it ended."""

import subprocess
from typing import Any

import pytest
from typer.testing import CliRunner

from warehouse.base.errors import ReportedError
from warehouse.cli import app


def run(monkeypatch: pytest.MonkeyPatch, code: int, *options: str) -> tuple[list[str], BaseException | None]:
    """Return the command that was started, and how `pivots` ended."""
    started: list[list[str]] = []

    def start(command: list[str], **ignored: Any) -> subprocess.CompletedProcess[str]:
        started.append(command)
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(subprocess, "run", start)
    ended = CliRunner().invoke(app, ["bench", "gpu", *options])
    (command,) = started
    return command[1:], ended.exception


def test_options_are_those_of_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    options = ["--minutes", "7", "--out", "there", "--stage", "machine", "--stage", "train", "--rehearse"]
    command, problem = run(monkeypatch, 0, *options)
    assert command == ["-m", "ml.gpu", "--minutes", "7.0", "--out", "there", "--stage", "machine", "--stage", "train",
                       "--rehearse"]  # fmt: skip
    assert problem is None


@pytest.mark.parametrize("code", [1, 2])
def test_the_exit_code_is_passed_on(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    _, problem = run(monkeypatch, code)
    assert isinstance(problem, ReportedError)
    assert problem.exit_code == code


def test_a_mistake_is_named_by_the_recipe(capfd: pytest.CaptureFixture[str]) -> None:
    ended = CliRunner().invoke(app, ["bench", "gpu", "--stage", "nonsense"])
    assert isinstance(ended.exception, ReportedError)
    assert ended.exception.exit_code == 2
    assert "error: --stage: no stage nonsense: there are machine" in capfd.readouterr().err
