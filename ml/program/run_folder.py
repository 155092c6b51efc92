"""A run's processes and its output folder: finished once, resumed by what it depends on, refused to another run."""

import contextlib
import fcntl
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from accelerate import PartialState
from accelerate.utils import broadcast_object_list, gather_object

from ml.common.result_files import read_json
from ml.models.load import pick_device
from warehouse.contract.atomic import remove_unfinished
from warehouse.contract.errors import UsageError
from warehouse.contract.folders import RUN_RECORD


def join_processes(device: str) -> PartialState:
    """Return this process's place among those that a launcher started, for a device as `--device` names it."""
    # without cpu=True processes on a CPU would not find each other, and each would do all the work
    return PartialState(cpu=pick_device(device).type == "cpu")


@contextlib.contextmanager
def only_run_in(out: Path) -> Iterator[None]:
    """Hold an output folder for this run's processes, until the context or the main process ends.

    A trainer whose launcher was killed may still be at work there: two would write into each other's checkpoints.

    Raises:
        UsageError: in every process, when another run holds the folder or not all processes see the same one.
    """
    state = PartialState()
    place = out / ".running"
    with contextlib.ExitStack() as held:
        mark: list[str | None] = [secrets.token_hex(8)]
        if state.is_main_process:
            out.mkdir(parents=True, exist_ok=True)
            stream = held.enter_context(place.open("a+"))
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stream.truncate(0)
                stream.write(str(mark[0]))
                stream.flush()
            except BlockingIOError:
                mark = [None]
        broadcast_object_list(mark)
        if mark[0] is None:
            raise UsageError(f"--out {out}: another process is training there; wait for it, or end it")
        if not all(gather_object([place.exists() and place.read_text() == mark[0]])):
            raise UsageError(f"--out {out}: not all processes see it; it must be on a file system that they share")
        yield
        state.wait_for_everyone()
        if state.is_main_process:
            place.unlink()


def is_finished(out: Path, identity: dict[str, Any], state: PartialState) -> bool:
    """Return whether `out` holds this very run, finished; else clear away what a killed run left unfinished there.

    Every process must call it. Raises UsageError when another run was finished in `out`.
    """
    if (out / RUN_RECORD).exists():
        check_identity(read_json(out / RUN_RECORD)["identity"], identity, out)
        state.print(f"{out}: this run is finished already")
        return True
    if state.is_main_process:
        remove_unfinished(out)
    state.wait_for_everyone()
    return False


def check_identity(found: dict[str, Any], wanted: dict[str, Any], place: Path) -> None:
    """Raise UsageError naming every value in which an earlier run at `place` differs from this one."""
    different = [
        f"{name} ({found.get(name)!r} there, {wanted.get(name)!r} now)"
        for name in sorted({*found, *wanted})
        if found.get(name) != wanted.get(name)
    ]
    if different:
        raise UsageError(
            f"{place} belongs to another run, which differs in {', '.join(different)}; choose another --out"
        )
