"""Spoil every change that a command makes to files, one at a time, and see that the same command fixes it.

    PYTHONPATH=.:tests python -m drills.every_write                      # all commands, all faults: hours
    PYTHONPATH=.:tests python -m drills.every_write --step ingest --fault kill --every 5

Each change (shim.c) of each command is spoilt in turn (of writes that follow each other in one file the first and the
last, unless --all-writes): by a kill before it, by EIO or ENOSPC instead of it, or by a cut
of the power before it (power.py). The command may then fail in one line, and must not show a traceback. Called again on
an undisturbed machine it must leave what an undisturbed call left, byte for byte. Prints a table of points and failures
as JSON; exit code 1 when there is a failure.
"""

import ctypes
import json
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from drills import power, shim
from drills.command_line import parser_of, write_out
from drills.steps import STEPS, Step, home_of, state

FAULTS = ("kill", "EIO", "ENOSPC", "power, bytes lost", "power, names lost")
_PROGRESS = re.compile(r"[a-z ]+: \S+ of \S+ |train: ")
_OF_DISK = {"kill": shim.KILL, "EIO": shim.EIO, "ENOSPC": shim.ENOSPC}


@dataclass
class Outcome:
    """What came of one command under one fault."""

    step: str
    fault: str
    n_changes: int = 0
    n_tried: int = 0
    n_spoilt: int = 0
    failures: list[str] = field(default_factory=list)


def main() -> None:
    """Run the drill that the arguments ask for, in a process that has the library loaded."""
    parser = parser_of(__doc__)
    parser.add_argument("--step", action="append", choices=list(STEPS), help="only this command (may be repeated)")
    parser.add_argument("--fault", action="append", choices=FAULTS, help="only this fault (may be repeated)")
    parser.add_argument("--every", type=int, default=1, help="only every n-th of the changes to spoil")
    parser.add_argument("--all-writes", action="store_true", help="spoil each of the writes that follow each other")
    arguments = parser.parse_args()
    if shim.CONTROL_VARIABLE not in os.environ:
        _again_with_shim()
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="drill-") as scratch:
        for name in arguments.step or STEPS:
            options = (arguments.fault or FAULTS, arguments.every, arguments.all_writes)
            for outcome in drill(STEPS[name], *options, Path(scratch).resolve()):
                outcomes.append(outcome)
                print(
                    f"{outcome.step:16} {outcome.fault:18} {outcome.n_changes:5} changes, {outcome.n_spoilt:5} spoilt,"
                    f" {len(outcome.failures):3} failures",
                    flush=True,
                )
                for failure in outcome.failures[:3]:
                    print("   ", failure, flush=True)
    write_out(arguments.out, [asdict(outcome) for outcome in outcomes])
    sys.exit(any(outcome.failures for outcome in outcomes))


def _again_with_shim() -> None:
    """Start this program again with the library loaded; it compiles into a folder that the system cleans up."""
    folder = Path(tempfile.mkdtemp(prefix="drill-shim-"))
    library, control = shim.compile_shim(folder), folder / "control"
    shim.Control(control)
    os.environ |= {
        "LD_PRELOAD": str(library),
        shim.CONTROL_VARIABLE: str(control),
        "PIVOTS_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    os.execv(sys.executable, [sys.executable, "-m", "drills.every_write", *sys.argv[1:]])


def places(log: Sequence[str], *, all_writes: bool) -> list[int]:
    """Return which changes to spoil, from 1: all but those in the middle of a row of writes to one file."""
    found = []
    for number, line in enumerate(log):
        is_inside = line.startswith("write\t") and log[number - 1 : number + 2] == [line] * 3
        if all_writes or not is_inside:
            found.append(number + 1)
    return found


def drill(step: Step, faults: Sequence[str], every: int, all_writes: bool, scratch: Path) -> Iterator[Outcome]:
    """Yield what came of a command under each fault."""
    control = shim.Control(Path(os.environ[shim.CONTROL_VARIABLE]))
    before, clean = scratch / "before", scratch / "clean"
    for folder in (before, clean):
        shutil.rmtree(folder, ignore_errors=True)
    before.mkdir()
    for prepare in step.before:
        _must(call_in_child(prepare, before, scratch))
    # what a command leaves may name the folder it was called in: all calls are in one of the same name
    with _folder(before, scratch) as folder:
        log = scratch / "log"
        log.unlink(missing_ok=True)
        control.arm(home_of(folder).root, log=log)
        _must(call_in_child(step.act, folder, scratch))
        n_changes = control.disarm().n_changes
        wanted = _what_came_out(step, folder, scratch)
    changes = log.read_text().splitlines()
    if len(changes) != n_changes:
        raise RuntimeError(f"{step.name}: {n_changes} changes, of which {len(changes)} succeeded")
    for fault in faults:
        outcome = Outcome(step.name, fault, n_changes)
        for at in places(changes, all_writes=all_writes)[::every]:
            outcome.n_tried += 1
            with _folder(before, scratch) as folder:
                failure, is_spoilt = _spoil(step, fault, at, folder, control, scratch, wanted)
            outcome.n_spoilt += is_spoilt
            if failure:
                outcome.failures.append(f"change {at}: {failure}")
        yield outcome


def _spoil(
    step: Step, fault: str, at: int, folder: Path, control: shim.Control, scratch: Path, wanted: dict[str, str]
) -> tuple[str | None, bool]:
    """Return what went wrong (None: nothing) and whether the fault struck."""
    log, kept = scratch / "log", scratch / "kept"
    log.unlink(missing_ok=True)
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir()
    is_power = fault.startswith("power")
    control.arm(
        home_of(folder).root,
        fault=_OF_DISK.get(fault, shim.KILL),
        at=at,
        log=log if is_power else None,
        kept=kept if is_power else None,
    )
    code, said = call_in_child(step.act, folder, scratch)
    is_spoilt = control.disarm().is_spoilt
    if "Traceback" in said:
        return f"traceback: {said.strip().splitlines()[-1]}", is_spoilt
    if code > 0 and sum(not _PROGRESS.match(line) for line in said.strip().splitlines()) != 1:
        return f"exit code {code}, said {said!r}", is_spoilt
    if is_power:
        lines = log.read_text().splitlines() if log.exists() else []
        if fault.endswith("bytes lost"):
            power.lose_bytes(lines)
        else:
            power.lose_names(lines, spared="warehouse.duckdb")
    code, said = call_in_child(step.act, folder, scratch)
    if code != 0:
        return f"called again: exit code {code}, said {said.strip()[-300:]!r}", is_spoilt
    found = _what_came_out(step, folder, scratch)
    if found != wanted:
        names = sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))
        kinds = ["too many" if n not in wanted else "missing" if n not in found else "other bytes" for n in names]
        listed = ", ".join(f"{name} ({kind})" for name, kind in zip(names[:4], kinds, strict=False))
        return f"called again, {len(names)} files differ: {listed}", is_spoilt
    return None, is_spoilt


def _what_came_out(step: Step, folder: Path, scratch: Path) -> dict[str, str]:
    if step.after is not None:
        _must(call_in_child(step.after, folder, scratch))
    files = state(folder)
    if step.content is None:
        return files
    content, answer = step.content, scratch / "content"
    _must(call_in_child(lambda there: _write_json(answer, content(there)), folder, scratch))
    return files | json.loads(answer.read_text())


def _write_json(path: Path, value: dict[str, str]) -> None:
    path.write_text(json.dumps(value))


@contextmanager
def _folder(before: Path, scratch: Path) -> Iterator[Path]:
    """A copy of what was there before, always under the same name."""
    folder = scratch / "now"
    shutil.copytree(before, folder, symlinks=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def call_in_child(
    act: Callable[[Path], None], folder: Path, scratch: Path, *, kill: Callable[[int], None] | None = None
) -> tuple[int, str]:
    """Call in a forked process; return its exit code (negative: a signal) and what it said on stderr.

    Args:
        kill: is given the process, and may wait and kill it.
    """
    said = scratch / "said"
    child = os.fork()
    if child == 0:
        ctypes.CDLL(None).prctl(1, 9)  # it dies with us
        with said.open("w") as stream:
            os.dup2(stream.fileno(), 2)
        os._exit(_call(act, folder))
    if kill is not None:
        kill(child)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), said.read_text(errors="replace")


def _call(act: Callable[[Path], None], folder: Path) -> int:
    from warehouse.base.errors import end_in_one_line

    try:
        end_in_one_line(lambda: act(folder))
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        return 70
    finally:
        sys.stderr.flush()
    return 0


def _must(result: tuple[int, str]) -> None:
    code, said = result
    if code != 0:
        raise RuntimeError(f"undisturbed, and exit code {code}: {said}")


if __name__ == "__main__":
    began = time.monotonic()
    try:
        main()
    finally:
        print(f"{time.monotonic() - began:.0f} s")
