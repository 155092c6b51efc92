"""Tutorials: Markdown whose commands are run in order, in an empty folder, and whose outputs are held to what comes.

A block of language `console` holds commands, each after `$ `, and what they print to stdout. A block with
`title="NAME"` is a file of the reader: it is written before the next command. In an output a line `...` stands for any
number of lines, and figures of time are not compared. `python -m tools.site --write-outputs` writes what came instead.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.site.problems import Stale

COLUMNS = 110
_BLOCK = re.compile(r'^```(\w+)?(?: title="([^"]+)")?[^\n]*\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_TIMES = re.compile(r"\b\d[\d,.]*(?= (?:ms|s|min)\b)")
_ANY_LINES = "..."


@dataclass(frozen=True)
class Step:
    """One command of a tutorial.

    Attributes:
        command: as it is typed, its lines joined as the shell has them.
        expected: what the page says that it prints, without the last line's end.
        start, end: where the expected output stands in the page.
    """

    command: str
    expected: str
    start: int
    end: int


def run_tutorial(page: Path, folder: Path, *, write: bool = False) -> list[str]:
    """Run a tutorial in an empty folder and return what differs from the page: a line for each command.

    Args:
        write: put what came into the page, and return only commands that failed.
    """
    text, differences, outputs = page.read_text(encoding="utf-8"), [], []
    for part in _parts(text):
        if isinstance(part, tuple):
            name, content = part
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            continue
        done = subprocess.run(
            ["/bin/bash", "-c", part.command],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = " ".join(done.stderr.split())[-400:]
            differences.append(f"{page.name}: `{part.command}` ended with {done.returncode}: {said}")
            break
        came = _plain(done.stdout, folder)
        outputs.append((part, came))
        if not write and not matches(part.expected, came):
            differences.append(f"{page.name}: `{part.command}` prints otherwise:\n{_indented(came)}")
    if write and not differences:
        for step, came in reversed(outputs):
            if not matches(step.expected, came):
                text = text[: step.start] + came + ("\n" if came else "") + text[step.end :]
        page.write_text(text, encoding="utf-8")
    return differences


def run_all(pages: Sequence[Path], *, write: bool = False) -> None:
    """Run tutorials, each in an empty folder of its own.

    Raises:
        Stale: a command failed, or printed something else than its page says.
    """
    differences = []
    for page in pages:
        with tempfile.TemporaryDirectory(prefix="tutorial-") as folder:
            differences += run_tutorial(page, Path(folder), write=write)
    if differences:
        raise Stale([*differences, "`python -m tools.site --write-outputs` writes the new outputs into the pages"])


def matches(expected: str, came: str) -> bool:
    """Return whether an output is the expected one, but for figures of time and for what `...` leaves open."""
    wanted, lines = _comparable(expected), _comparable(came)
    pattern = "".join("(?:.*\n)*?" if line == _ANY_LINES else re.escape(line) + "\n" for line in wanted)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


def _comparable(text: str) -> list[str]:
    return [_TIMES.sub("N", line.rstrip()) for line in text.strip("\n").splitlines()]


def _parts(text: str) -> list[Step | tuple[str, str]]:
    """Return the commands and files of a page, in order; a file is its name and its content."""
    parts: list[Step | tuple[str, str]] = []
    for block in _BLOCK.finditer(text):
        if block[2]:
            parts.append((block[2], block[3]))
        elif block[1] == "console":
            parts += _steps(block[3], block.start(3))
    return parts


def _steps(block: str, offset: int) -> list[Step]:
    """Return the commands of a console block that begins at an offset of the page."""
    steps, command, start, position = [], "", offset, offset
    goes_on = False
    for line in block.splitlines(keepends=True):
        if goes_on or line.startswith("$ "):
            if not goes_on:
                if command:
                    steps.append(Step(command, block[start - offset : position - offset], start, position))
                command = ""
            command += line if goes_on else line.removeprefix("$ ")
            goes_on = _goes_on(command)
            start = position + len(line)
        position += len(line)
    if command:
        steps.append(Step(command.strip(), block[start - offset :], start, position))
    return [Step(step.command.strip(), step.expected, step.start, step.end) for step in steps]


def _goes_on(command: str) -> bool:
    """Return whether a shell would wait for another line: after a backslash, or within quotes."""
    if command.rstrip("\n").endswith("\\"):
        return True
    try:
        shlex.split(command)
    except ValueError:
        return True
    return False


def _environment() -> dict[str, str]:
    """Return the environment of a reader who has set nothing: the product's own variables are left out."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PIVOTS_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**inherited, "PATH": path, "COLUMNS": str(COLUMNS), "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}


def _plain(output: str, folder: Path) -> str:
    """Return an output as the page shows it: in a folder that is called `~/try`."""
    lines = output.replace(str(folder.resolve()), "~/try").replace(str(folder), "~/try").splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()) or "    (nothing)"
