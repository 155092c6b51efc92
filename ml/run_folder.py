"""A run's processes and its output folder: finished once, resumed by what it depends on, refused to another run."""

from pathlib import Path
from typing import Any

from accelerate import PartialState

from ml.checkpoints import check_identity
from ml.files import read_json, remove_unfinished
from ml.models import pick_device


def join_processes(device: str) -> PartialState:
    """Return this process's place among those that a launcher started, for a device as `--device` names it."""
    # without cpu=True processes on a CPU would not find each other, and each would do all the work
    return PartialState(cpu=pick_device(device).type == "cpu")


def is_finished(out: Path, identity: dict[str, Any], state: PartialState) -> bool:
    """Return whether `out` holds this very run, finished; else clear away what a killed run left unfinished there.

    Every process must call it. Raises UsageProblem when another run was finished in `out`.
    """
    if (out / "run.json").exists():
        check_identity(read_json(out / "run.json")["identity"], identity, out)
        state.print(f"{out}: this run is finished already")
        return True
    if state.is_main_process:
        remove_unfinished(out)
    state.wait_for_everyone()
    return False
