"""Run the commands that hold most inside little memory: done, or one clear line, and nothing broken.

    PYTHONPATH=.:tests python -m drills.memory --mib 3072 --scale 14

Plants a corpus, then calls `ingest`, `words import`, `count`, `build` and `publish`, each in a control group of Linux
that may hold so much (of itself and of what it starts, caches of files included until they are given back). A command
that the system kills, or that ends with a traceback, is a failure; one that ends in one line is not, and the same
command without the bound must then finish. Needs the right to make control groups (root, in most containers).

Prints the peak of every command; exit code 1 when one failed.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from drills.command_line import parser_of, write_out
from warehouse.base import shipped
from warehouse.planted.plant import plant_corpus

_CGROUPS = Path("/sys/fs/cgroup")
_LEAVING_S = 20
_CALL = "from warehouse.cli import main; main()"


@dataclass(frozen=True)
class Group:
    """A control group, and the names of its files in the version that this system has."""

    folder: Path
    bound: str
    peak: str
    members: str = "cgroup.procs"


@dataclass
class Outcome:
    """What came of one command."""

    command: str
    exit_code: int
    peak_mib: int
    seconds: float
    said: str
    failure: str = ""


def main() -> None:
    """Run the drill that the arguments ask for."""
    parser = parser_of(__doc__)
    parser.add_argument("--mib", type=int, default=3072)
    parser.add_argument("--scale", type=float, default=14, help="of the planted corpus: 1 is about a million tokens")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="memory-") as scratch:
        outcomes = drill(Path(scratch), arguments.mib, arguments.scale)
    for one in outcomes:
        print(
            f"{one.command:8} exit code {one.exit_code:3} {one.peak_mib:6,} MiB {one.seconds:6.0f} s"
            f"  {one.failure or one.said}"
        )
    write_out(arguments.out, [asdict(outcome) for outcome in outcomes])
    sys.exit(any(outcome.failure for outcome in outcomes))


def drill(scratch: Path, mib: int, scale: float) -> list[Outcome]:
    """Call each command in `mib` MiB; return what came of them, in order."""
    corpus, home = scratch / "corpus", scratch / "home"
    plant_corpus(corpus, scale=scale, seed=1)
    tokenizer = shipped.base_model() / "tokenizer.json"
    commands: dict[str, tuple[str | Path, ...]] = {
        "ingest": ("ingest", corpus / "documents", "--corpus", "c", "--tokenizer", tokenizer),
        "words": ("words", "import", corpus / "words.jsonl"),
        "count": ("count", "--corpus", "c"),
        "build": ("build", "--no-publish"),
        "publish": ("publish",),
    }
    outcomes = []
    for name, arguments in commands.items():
        call = [sys.executable, "-c", _CALL, *map(str, arguments), "--home", str(home)]
        with control_group(mib) as group:
            outcomes.append(bounded(name, call, group))
        if outcomes[-1].exit_code:
            again = subprocess.run(call, capture_output=True, text=True, check=False)
            if again.returncode:
                outcomes[-1].failure += f" and without the bound: {again.stderr.strip()[-300:]}"
    return outcomes


def bounded(name: str, call: list[str], group: Group) -> Outcome:
    """Call a command in a group."""
    began = time.monotonic()

    def join() -> None:
        (group.folder / group.members).write_text(str(os.getpid()))

    done = subprocess.run(call, capture_output=True, text=True, check=False, preexec_fn=join)
    said = [line for line in done.stderr.strip().splitlines() if line.startswith("pivots: ")] or [""]
    peak = int((group.folder / group.peak).read_text()) >> 20
    outcome = Outcome(name, done.returncode, peak, time.monotonic() - began, said[-1])
    if done.returncode < 0 or "Traceback" in done.stderr or (done.returncode and not outcome.said):
        outcome.failure = f"exit code {done.returncode}: {done.stderr.strip()[-300:]}"
    return outcome


@contextmanager
def control_group(mib: int) -> Iterator[Group]:
    """Make a control group that may hold `mib` MiB, without swap, and remove it.

    Raises:
        OSError: this user may make none.
    """
    if (_CGROUPS / "memory").is_dir():
        group = Group(_CGROUPS / "memory" / "pivots-drill", "memory.limit_in_bytes", "memory.max_usage_in_bytes")
    else:
        group = Group(_CGROUPS / "pivots-drill", "memory.max", "memory.peak")
    group.folder.mkdir()
    try:
        (group.folder / group.bound).write_text(str(mib << 20))
        yield group
    finally:
        end = time.monotonic() + _LEAVING_S
        while (group.folder / group.members).read_text() and time.monotonic() < end:
            time.sleep(0.05)  # what the command started ends a moment after it
        group.folder.rmdir()


if __name__ == "__main__":
    main()
