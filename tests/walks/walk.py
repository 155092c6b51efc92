"""A walk: the commands that somebody types to get what they came for, each held to what it has to show."""

import os
import re
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

_STEP_S = 1800
_TAIL = 15  # lines of what a step said, when it did not show what it should
_OURS = ("PIVOTS_", "DBT_", "PREFECT_")


class WalkFailed(Exception):
    """A step did not show what the person needs."""


@dataclass(frozen=True)
class Step:
    """One command that was typed: what it was, and the seconds until its prompt was back."""

    command: str
    seconds: float


@dataclass
class Walk:
    """One person in a shell: where they stand, and what they have typed.

    Attributes:
        name: who walks.
        folder: the working directory; the default home is `pivots-home` in it.
        steps: what was typed so far.
    """

    name: str
    folder: Path
    steps: list[Step] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return sum(step.seconds for step in self.steps)

    @property
    def environment(self) -> dict[str, str]:
        """A shell in which nothing is set for us, and `pivots`, `dbt` and `prefect` are found as after activation."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        path = [str(_commands(self.folder)), str(Path(sys.executable).parent), os.environ["PATH"]]
        return plain | {"PATH": os.pathsep.join(path), "COLUMNS": "160", "NO_COLOR": "1"}

    def types(
        self, command: str, *, shows: tuple[str, ...] = (), refused: bool = False, cwd: Path | None = None
    ) -> str:
        """Run a line in a shell; return what it printed on both streams.

        Args:
            shows: patterns of what the person has to find in it.
            refused: the command ends with exit code 2, and one line that says what to do.
            cwd: another folder to stand in.

        Raises:
            WalkFailed: it ended otherwise, or shows something else.
        """
        print(f"  $ {command}", flush=True)
        start = time.monotonic()
        done = subprocess.run(
            command,
            shell=True,  # as it is typed
            cwd=cwd or self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_STEP_S,
            check=False,
        )
        self.note(command, time.monotonic() - start)
        if done.returncode != (2 if refused else 0):
            raise self._failed(command, f"it ended with exit code {done.returncode}", done.stdout)
        if refused and len(done.stdout.strip().splitlines()) != 1:
            raise self._failed(command, "it was refused in more than one line", done.stdout)
        for pattern in shows:
            if not re.search(pattern, done.stdout):
                raise self._failed(command, f"it does not show {pattern!r}", done.stdout)
        return done.stdout

    def note(self, command: str, seconds: float) -> None:
        """Count a command that was typed; `types` does."""
        self.steps.append(Step(command, seconds))
        print(f"    {seconds:.1f} s", flush=True)

    def needs(self, is_so: bool, what: str, said: str = "") -> None:
        """Hold something that is no command's output to what the person needs.

        Raises:
            WalkFailed: it is not so.
        """
        if not is_so:
            raise self._failed(self.steps[-1].command if self.steps else "", what, said)

    def _failed(self, command: str, why: str, said: str) -> WalkFailed:
        tail = "\n".join(f"    | {line}" for line in said.splitlines()[-_TAIL:])
        return WalkFailed(f"{self.name}: {command}\n    {why}\n{tail}")


def _commands(folder: Path) -> Path:
    """Return a folder with `pivots` as the installed command is, but of this checkout."""
    place = folder.parent / "commands"
    place.mkdir(exist_ok=True)
    script = place / "pivots"
    if not script.exists():
        code = 'import sys; sys.argv[0] = "pivots"; from warehouse.cli import main; main()'
        script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(code)} "$@"\n')
        script.chmod(0o755)
    return place
