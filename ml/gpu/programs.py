"""The product's programs as users start them: in a process of their own, or here; on the GPU, or without it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml.score
import ml.trace
import ml.train
from ml.common.result_files import read_json
from ml.gpu.runner import ROOT

_SETTLE_S = 0.05


class ProgramFailed(RuntimeError):
    """A program of the product ended with an error; the message is the end of what it said."""


def train_arguments(*, export: Path, model: Path, preset: Path, seed: int, run_id: str, out: Path) -> list[str]:
    """Return the arguments of `ml.train`."""
    return ["--export", str(export), "--model", str(model), "--preset", str(preset), "--seed", str(seed),
            "--run-id", run_id, "--out", str(out)]  # fmt: skip


def score_arguments(*, eval_set: Path, model: Path, run_id: str, out: Path, batch_tokens: int) -> list[str]:
    """Return the arguments of `ml.score` and `ml.trace`."""
    return ["--eval-set", str(eval_set), "--model", str(model), "--run-id", run_id, "--out", str(out),
            "--batch-tokens", str(batch_tokens)]  # fmt: skip


MAINS: dict[str, Callable[[list[str]], None]] = {"train": ml.train.main, "score": ml.score.main, "trace": ml.trace.main}


def run_here(program: str, arguments: list[str], out: Path) -> dict[str, Any]:
    """Run a program in this process; return its run.json. What it prints goes to this process's log."""
    MAINS[program](arguments)
    return read_json(out / "run.json")


def start(program: str, arguments: list[str], *, without_gpu: bool = False) -> subprocess.Popen[str]:
    """Start a program in a process of its own."""
    environment = os.environ | ({"CUDA_VISIBLE_DEVICES": ""} if without_gpu else {})
    command = [sys.executable, "-m", f"ml.{program}", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def run_apart(program: str, arguments: list[str], out: Path, *, without_gpu: bool = False) -> dict[str, Any]:
    """Run a program in a process of its own; return its run.json.

    Raises:
        ProgramFailed: it ended with an error.
    """
    process = start(program, arguments, without_gpu=without_gpu)
    said, _ = process.communicate()
    if process.returncode:
        raise ProgramFailed(f"ml.{program} ended with {process.returncode}: {said[-500:]}")
    return read_json(out / "run.json")
