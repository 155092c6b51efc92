"""A disk without room, whoever notices it: Python, Arrow, DuckDB or torch."""

import errno
import os
import re
import shutil
from collections.abc import Iterator

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
# Arrow and DuckDB report the system's words, in exceptions of theirs
_WORDS = re.compile(
    r"No space left on device|Disk quota exceeded|\[errno (28|122)\]|PytorchStreamWriter failed writing", re.IGNORECASE
)
_FULL_BYTES = 1 << 20
_PATH = re.compile(r"""["'](/[^"']+)["']""")


def full_disk(failure: BaseException) -> str | None:
    """Return one line that names the disk when a failure means that there was no room on one; None for any other."""
    for error in _causes(failure):
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return _line(str(error.filename or ""))
        if _WORDS.search(str(error)):
            found = _PATH.search(str(error))
            return _line(found[1] if found else "")
    return None


def is_full(folder: str | os.PathLike[str]) -> bool:
    """Tell whether the disk of a folder has less than 1 MiB left: then a program that failed there had no room."""
    return shutil.disk_usage(folder).free < _FULL_BYTES


def no_room(folder: str | os.PathLike[str]) -> str:
    """Return one line that names the disk of a folder."""
    return _line(os.path.join(folder, "x"))


def _line(path: str) -> str:
    advice = "what was committed is intact; make room and run the same again"
    folder = os.path.dirname(os.path.abspath(path)) if path else ""
    while folder and not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    if not folder:
        return f"no space left on the disk: {advice}"
    return f"no space left on the disk of {folder} ({shutil.disk_usage(folder).free >> 20:,} MiB free): {advice}"


def _causes(failure: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    error: BaseException | None = failure
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
