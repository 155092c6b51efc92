"""What a stage found, in a file that is written again after every answer, so that a stopped stage loses one at most.

Standard library only: stages of `ml` and of the warehouse write it, and the runner of `ml.gpu` reads it.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.contract.atomic import atomic_file
from warehouse.contract.lifeline import watch_launcher

FULL, REHEARSAL = "full", "rehearsal"
REFUSED = 3  # exit code of a stage that cannot run here; its notes say why


@dataclass(frozen=True)
class StageArguments:
    """What the runner asks of a stage."""

    results: Path
    work: Path
    seconds: float
    sizes: str  # full or rehearsal

    @property
    def is_rehearsal(self) -> bool:
        return self.sizes == REHEARSAL


class Answers:
    """The answers of one stage, and the time it has left.

    checks: name -> value, the bound it is held to, and whether it is within. tables: title -> columns and rows.
    items: everything measured, by name; an item that is there is not measured again. profiles: name -> text.
    """

    def __init__(self, path: Path, *, seconds: float) -> None:
        self._path = path
        self._deadline = time.monotonic() + seconds
        self._content: dict[str, Any] = {"checks": {}, "tables": {}, "items": {}, "profiles": {}, "notes": []}
        if path.exists():
            self._content |= json.loads(path.read_text())
        self._content["notes"] = []
        self.is_complete = True

    @property
    def left(self) -> float:
        """Seconds until the stage must stop."""
        return self._deadline - time.monotonic()

    def item(self, name: str, measure: Callable[[], Any], *, needs_s: float = 0.0) -> Any:
        """Return what `measure` gives (JSON values), kept from an earlier start if it is there.

        With less than `needs_s` seconds left nothing is measured, the stage stays incomplete, and None is returned.
        A measurement that fails does not end the stage: its error is the answer ({"error": ...}).
        """
        items = self._content["items"]
        if name in items and "error" not in (items[name] if isinstance(items[name], dict) else {}):
            return items[name]
        if self.left < needs_s:
            self.is_complete = False
            self.note(f"{name}: not measured, {max(self.left, 0):.0f} s were left and it needs {needs_s:.0f} s")
            return None
        started = time.monotonic()
        try:
            value = measure()
        except (RuntimeError, ValueError, TypeError, AttributeError, ImportError, OSError, AssertionError) as problem:
            text = " ".join(f"{type(problem).__name__}: {problem}".split())
            value = {"error": text[:600]}
        items[name] = value
        self._content.setdefault("item_s", {})[name] = round(time.monotonic() - started, 2)
        self.save()
        return value

    def check(self, name: str, value: float | str | bool | None, bound: str, *, is_within: bool | None) -> None:
        """State a figure beside the bound or target it is held to; `is_within` None: not decided here."""
        self._content["checks"][name] = {"value": value, "bound": bound, "is_within": is_within}
        self.save()

    def table(self, title: str, columns: list[str], rows: list[list[Any]]) -> None:
        """Set a table of the page."""
        self._content["tables"][title] = {"columns": columns, "rows": rows}
        self.save()

    def note(self, text: str) -> None:
        """Add a sentence to the page."""
        self._content["notes"].append(text)
        self.save()

    def profile(self, name: str, text: str) -> None:
        """Keep a profile, where a target was missed."""
        self._content["profiles"][name] = text
        self.save()

    def save(self) -> None:
        """Write everything, atomically."""
        with atomic_file(self._path) as unfinished:
            unfinished.write_text(json.dumps(self._content | {"is_complete": self.is_complete}, indent=1) + "\n")


def failed(value: Any) -> bool:
    """Return whether an item was not measured, or could not be."""
    return value is None or (isinstance(value, dict) and "error" in value)


def start_stage(argv: list[str] | None = None) -> tuple[StageArguments, Answers]:
    """Parse a stage's arguments, open its answers. When the runner is killed, the stage and its children end, too."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--sizes", choices=[FULL, REHEARSAL], required=True)
    given = parser.parse_args(argv)
    arguments = StageArguments(given.results, given.work, given.seconds, given.sizes)
    arguments.work.mkdir(parents=True, exist_ok=True)
    watch_launcher()
    answers = Answers(arguments.results, seconds=arguments.seconds)
    answers.save()
    return arguments, answers
