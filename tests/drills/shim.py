"""The library that sees and spoils a process's changes to files (shim.c), and its control."""

import mmap
import os
import shutil
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
NOTHING, KILL, EIO, ENOSPC = range(4)
CONTROL_VARIABLE = "DRILL_CONTROL"
_NUMBERS = struct.Struct("6q")
_NAME_BYTES = 1024


def can_compile() -> bool:
    """Tell whether there is a C compiler, and a system whose loader takes libraries by LD_PRELOAD."""
    return os.name == "posix" and Path("/proc/self/fd").exists() and shutil.which("cc") is not None


def compile_shim(folder: Path) -> Path:
    """Compile the library into a folder."""
    library = folder / "shim.so"
    command = ["cc", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return library


@dataclass(frozen=True)
class Seen:
    """What a process did while it was watched: the number of its changes, and whether the wanted one was spoilt."""

    n_changes: int
    is_spoilt: bool


class Control:
    """The page of memory that the library reads; processes forked from this one share it."""

    def __init__(self, path: Path) -> None:
        if not path.exists():  # else other processes have it in their memory, and must not lose it
            path.write_bytes(b"\0" * mmap.PAGESIZE)
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), mmap.PAGESIZE)

    def arm(
        self, root: Path, *, fault: int = NOTHING, at: int = 0, log: Path | None = None, kept: Path | None = None
    ) -> None:
        """Watch the changes below `root`, and spoil number `at` (from 1).

        Args:
            log: every change that happened becomes a line of it: what, path, other path, kept file.
            kept: what a rename or an unlink takes away stays there under a number.
        """
        self.disarm()
        for place, text in enumerate((root, log, kept)):
            name = os.fsencode(str(text)) if text else b""
            begin = _NUMBERS.size + place * _NAME_BYTES
            self._page[begin : begin + _NAME_BYTES] = name.ljust(_NAME_BYTES, b"\0")
        self._page[: _NUMBERS.size] = _NUMBERS.pack(1, fault, at, 0, 0, 0)

    def disarm(self) -> Seen:
        """Stop watching, and say what was seen."""
        _, _, _, count, fired, _ = _NUMBERS.unpack(self._page[: _NUMBERS.size])
        self._page[: _NUMBERS.size] = bytes(_NUMBERS.size)
        return Seen(count, bool(fired))
