"""A disk that is full, fails or is not ours, whoever notices it: Python, Arrow, DuckDB or torch."""

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
_FAILED = re.compile(r"Input/output error|\[errno 5\]|fsync failed", re.IGNORECASE)
_DENIED_BY = (errno.EACCES, errno.EPERM, errno.EROFS)
_DENIED = re.compile(r"Permission denied|Read-only file system|\[errno (13|30)\]", re.IGNORECASE)
_FULL_BYTES = 1 << 20
_INTACT = "what was committed is intact"
_PATH = re.compile(r"""["'](/[^"']+)["']""")


def disk_failure(failure: BaseException) -> str | None:
    """Return one line that names the disk when a failure means that it is full, broken or not ours; None otherwise."""
    causes = list(_causes(failure))
    for is_it, line in ((_is_full, _line), (_is_broken, _broken), (_is_denied, _denied)):
        for error in causes:
            if is_it(error):
                found = _PATH.search(str(error))
                return line(str(getattr(error, "filename", None) or (found[1] if found else "")))
    return None


def _is_full(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno in NO_ROOM) or bool(_WORDS.search(str(error)))


def _is_broken(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno == errno.EIO) or bool(_FAILED.search(str(error)))


def _is_denied(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno in _DENIED_BY) or bool(_DENIED.search(str(error)))


def is_full(folder: str | os.PathLike[str]) -> bool:
    """Tell whether the disk of a folder has less than 1 MiB left: then a program that failed there had no room."""
    return shutil.disk_usage(folder).free < _FULL_BYTES


def no_room(folder: str | os.PathLike[str]) -> str:
    """Return one line that names the disk of a folder."""
    return _line(os.path.join(folder, "x"))


def _line(path: str) -> str:
    advice = f"{_INTACT}; make room and run the same again"
    folder = os.path.dirname(os.path.abspath(path)) if path else ""
    while folder and not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    if not folder:
        return f"no space left on the disk: {advice}"
    return f"no space left on the disk of {folder} ({shutil.disk_usage(folder).free >> 20:,} MiB free): {advice}"


def _broken(path: str) -> str:
    where = f" at {path}" if path else ""
    return f"the disk failed{where} (input/output error): {_INTACT}; run the same again on a disk that works"


def _denied(path: str) -> str:
    what = f"{path} may not be read or written" if path else "a file may not be read or written"
    return f"{what} by this user, or stands on a disk that is read only: `ls -ld` shows whose it is"


def _causes(failure: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    error: BaseException | None = failure
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
