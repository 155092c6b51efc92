"""Live progress of a long loop: a bar on a terminal, else a plain line every ten seconds; a file for who watches."""

import sys
import time
from pathlib import Path
from types import TracebackType

from tqdm import tqdm

from ml.common.result_files import write_json

_PLAIN_INTERVAL_S = 10.0
_FILE_INTERVAL_S = 2.0


class Progress:
    """Counts units of work and shows them on standard error. Silent when `shown` is false (all ranks but the first).

    Args:
        file: also kept up to date, with done, total, unit and note.
    """

    def __init__(
        self, what: str, *, total: int, unit: str, done: int = 0, shown: bool = True, file: Path | None = None
    ) -> None:
        self._what, self._total, self._unit, self._done, self._shown = what, total, unit, done, shown
        self._file = file if shown else None
        self._first, self._start = done, time.monotonic()
        self._last_line, self._last_file = self._start, 0.0
        self._bar = (
            tqdm(total=total, initial=done, desc=what, unit=unit, file=sys.stderr, dynamic_ncols=True)
            if shown and sys.stderr.isatty()
            else None
        )

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._shown and kind is None:
            self._print_line("")

    def advance(self, units: int, note: str = "") -> None:
        """Add finished units; `note` is shown behind the counts (loss, rate ...)."""
        self._done += units
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(units)
        elif self._shown and time.monotonic() - self._last_line >= _PLAIN_INTERVAL_S:
            self._print_line(note)
        if self._file and (time.monotonic() - self._last_file >= _FILE_INTERVAL_S or self._done >= self._total):
            self._last_file = time.monotonic()
            write_json(self._file, {"done": self._done, "total": self._total, "unit": self._unit, "note": note})

    def _print_line(self, note: str) -> None:
        self._last_line = time.monotonic()
        rate = (self._done - self._first) / max(self._last_line - self._start, 1e-9)
        text = f"{self._what}: {self._done:,} of {self._total:,} {self._unit}, {rate:,.1f} {self._unit}/s"
        print(f"{text}, {note}" if note else text, file=sys.stderr, flush=True)
