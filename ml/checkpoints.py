"""Checkpoints: model, optimiser, random state, step and log rows in one folder, committed by one rename."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from ml.errors import UsageProblem
from ml.files import read_json, write_json

_PREFIX = "step-"


@dataclass(frozen=True)
class Resumed:
    """Where a run goes on: the last finished step, and the log rows up to it."""

    step: int
    log: list[dict[str, Any]]


def save_checkpoint(
    accelerator: Accelerator, folder: Path, *, step: int, identity: dict[str, Any], log: list[dict[str, Any]], keep: int
) -> None:
    """Write `folder/step-<n>` and drop all but the newest `keep`. A failed write (disk full) leaves older ones intact.

    Every rank must call it: sharded optimisers are gathered.
    """
    final = folder / f"{_PREFIX}{step:08d}"
    unfinished = folder / f".unfinished-{final.name}"
    if accelerator.is_main_process:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
    accelerator.wait_for_everyone()
    try:
        accelerator.save_state(str(unfinished))
    except (RuntimeError, OSError) as problem:  # torch and safetensors report a full disk in their own ways
        free_mib = shutil.disk_usage(folder).free >> 20
        shutil.rmtree(unfinished, ignore_errors=True)
        raise OSError(
            f"checkpoint of step {step} could not be written to {folder} ({free_mib} MiB free): {problem}"
        ) from problem
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        write_json(unfinished / "state.json", {"step": step, "identity": identity, "log": log})
        for path in unfinished.rglob("*"):
            if path.is_file():
                with path.open("rb") as stream:
                    os.fsync(stream.fileno())
        shutil.rmtree(final, ignore_errors=True)
        os.rename(unfinished, final)
        for old in checkpoint_folders(folder)[:-keep]:
            shutil.rmtree(old)
    accelerator.wait_for_everyone()


def checkpoint_folders(folder: Path) -> list[Path]:
    """Return the finished checkpoints, oldest first."""
    return sorted(folder.glob(f"{_PREFIX}*"))


def newest_step(folder: Path, identity: dict[str, Any]) -> Path | None:
    """Return the newest checkpoint, or None. Raises UsageProblem when it belongs to another run."""
    folders = checkpoint_folders(folder)
    if not folders:
        return None
    check_identity(read_json(folders[-1] / "state.json")["identity"], identity, folder)
    return folders[-1]


def check_identity(found: dict[str, Any], wanted: dict[str, Any], place: Path) -> None:
    """Raise UsageProblem naming every value in which an earlier run at `place` differs from this one."""
    different = [
        f"{name} ({found.get(name)!r} there, {wanted.get(name)!r} now)"
        for name in sorted({*found, *wanted})
        if found.get(name) != wanted.get(name)
    ]
    if different:
        raise UsageProblem(
            f"{place} belongs to another run, which differs in {', '.join(different)}; choose another --out"
        )


def load_checkpoint(accelerator: Accelerator, folder: Path) -> Resumed:
    """Put model, optimiser and random state back as they were after the checkpoint's step."""
    accelerator.load_state(str(folder))
    state = read_json(folder / "state.json")
    return Resumed(step=state["step"], log=state["log"])
