"""Where `--out` writes: a regular file appears whole, anything else is written into and stays what it is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from warehouse.base.errors import UsageError
from warehouse.contract.atomic import atomic_file


@contextmanager
def open_output(
    path: Path, *, binary: bool = False, begun: Callable[[Path], Any] = lambda _: None
) -> Iterator[IO[Any]]:
    """Yield a stream to a file. A device or a pipe is written to; a link leads to what it names.

    Args:
        begun: is told which temporary file is being written, if any.

    Raises:
        UsageError: the path is a folder, or cannot be written.
    """
    how: dict[str, Any] = {"mode": "wb"} if binary else {"mode": "w", "encoding": "utf-8", "newline": ""}
    try:
        target = path.resolve()
        if target.is_dir():
            raise UsageError(f"--out {path}: a folder; name a file in it")
        is_special = target.exists() and not target.is_file()
        if not is_special and not target.parent.is_dir():
            target.parent.mkdir(parents=True)
    except (OSError, RuntimeError) as problem:
        raise _unwritable(path, problem) from None
    if is_special:
        try:
            stream = target.open(**how)
        except OSError as problem:
            raise _unwritable(path, problem) from None
        with stream:
            yield stream
        return
    with atomic_file(target) as unfinished:
        begun(unfinished)
        try:
            stream = unfinished.open(**how)
        except OSError as problem:
            raise _unwritable(path, problem) from None
        with stream:
            yield stream


def _unwritable(path: Path, problem: Exception) -> UsageError:
    return UsageError(f"--out {path} cannot be written: {getattr(problem, 'strerror', None) or problem}")
