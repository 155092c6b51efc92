"""Checkpoints: weights, optimiser state, step and log rows in one folder, committed by one rename.

They are torch's distributed checkpoints: every process writes its part, and what is written says nothing of how many
there were, so that any number of processes goes on from it. Data order and random numbers are functions of the step
and need no state.
"""

import contextlib
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp
from accelerate import Accelerator
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
    set_state_dict,
)

from ml.common.result_files import read_json, write_json
from ml.program.run_folder import check_identity
from warehouse.contract.atomic import UNFINISHED_PREFIX, commit_folder

_PREFIX = "step-"
_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


@dataclass(frozen=True)
class Resumed:
    """Where a run goes on: the last finished step, and the log rows up to it."""

    step: int
    log: list[dict[str, Any]]


def save_checkpoint(
    accelerator: Accelerator,
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    folder: Path,
    *,
    step: int,
    identity: dict[str, Any],
    log: list[dict[str, Any]],
    keep: int,
) -> None:
    """Write `folder/step-<n>` and drop all but the newest `keep`. A failed write (disk full) leaves older ones intact.

    Every process must call it, and all must see the same `folder`.

    Raises:
        OSError: a process could not write its part; raised in every process.
    """
    final = folder / f"{_PREFIX}{step:08d}"
    unfinished = folder / f"{UNFINISHED_PREFIX}{final.name}"  # the same in every process
    if accelerator.is_main_process:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
    accelerator.wait_for_everyone()
    try:
        with _quiet():
            dcp.save(_state(model, optimizer), checkpoint_id=unfinished)
    except (CheckpointException, RuntimeError, OSError) as problem:  # a full disk shows in several ways
        free_mib = shutil.disk_usage(folder).free >> 20
        shutil.rmtree(unfinished, ignore_errors=True)
        raise OSError(
            f"checkpoint of step {step} could not be written to {folder} ({free_mib} MiB free): {_cause(problem)}"
        ) from problem
    if accelerator.is_main_process:
        write_json(unfinished / "state.json", {"step": step, "identity": identity, "log": log})
        commit_folder(unfinished, final, replace=True)
        for old in checkpoint_folders(folder)[:-keep]:
            shutil.rmtree(old)
    accelerator.wait_for_everyone()


def load_checkpoint(model: torch.nn.Module, optimizer: torch.optim.Optimizer, folder: Path) -> Resumed:
    """Put weights and optimiser back as they were after the step, however many processes wrote them."""
    state = _state(model, optimizer)
    with _quiet():
        dcp.load(state, checkpoint_id=folder)
    set_state_dict(model, optimizer, model_state_dict=state["model"], optim_state_dict=state["optimizer"])
    rest = read_json(folder / "state.json")
    return Resumed(step=rest["step"], log=rest["log"])


def checkpoint_folders(folder: Path) -> list[Path]:
    """Return the finished checkpoints, oldest first."""
    return sorted(folder.glob(f"{_PREFIX}*"))


def newest_step(folder: Path, identity: dict[str, Any]) -> Path | None:
    """Return the newest checkpoint, or None. Raises UsageError when it belongs to another run."""
    folders = checkpoint_folders(folder)
    if not folders:
        return None
    check_identity(read_json(folders[-1] / "state.json")["identity"], identity, folder)
    return folders[-1]


def whole_weights(model: torch.nn.Module) -> dict[str, Any]:
    """Return all weights by name, gathered on the main process (the others get an empty answer when sharded)."""
    return get_model_state_dict(model, options=_WHOLE)


def whole_optimizer(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Any:
    """Return the optimiser's state by the names of the parameters, gathered on the main process."""
    return get_optimizer_state_dict(model, optimizer, options=_WHOLE)


def read_optimizer(model: torch.nn.Module, optimizer: torch.optim.Optimizer, path: Path) -> None:
    """Take over the optimiser state that `whole_optimizer` gave and `torch.save` wrote."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    set_optimizer_state_dict(model, optimizer, state, options=StateDictOptions(full_state_dict=True))


def _state(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return what a checkpoint holds, every tensor under the parameter's name; shards where the model is sharded."""
    return {"model": get_model_state_dict(model), "optimizer": get_optimizer_state_dict(model, optimizer)}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence torch's remark that a single process saves alone."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        yield


def _cause(problem: BaseException) -> str:
    """Return what went wrong in one line; a distributed failure holds one exception per process."""
    if isinstance(problem, CheckpointException):
        problem = next(iter(problem.failures.values()))[0]
    return " ".join(str(problem).split())
