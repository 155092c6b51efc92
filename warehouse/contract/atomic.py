"""Files and folders that appear whole or not at all, and survive a loss of power.

The order is always the same: write under a hidden name, force files and folders to the disk, rename, force the parent
folder to the disk. What points at a file or folder (`counts/<corpus>/current`, a run's row) is written after it.
"""

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from warehouse.contract.disk import NO_ROOM

UNFINISHED_PREFIX = ".unfinished-"  # readers pass over names that begin with it
_REPLACED = re.compile(re.escape(UNFINISHED_PREFIX) + r"replaced-[0-9a-f]{8}-(?P<name>.+)", re.DOTALL)
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP}


def unfinished_path(path: Path) -> Path:
    """Return a new hidden name beside `path`: what is there under it is unfinished work, or rubbish after a kill."""
    return path.parent / f"{UNFINISHED_PREFIX}{secrets.token_hex(4)}-{path.name}"


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path` in one rename, on failure it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_path(path)
    try:
        yield unfinished
        _sync(unfinished)
        os.replace(unfinished, path)
        _sync_folder(path.parent)
    except OSError as problem:
        _name_disk(problem, path)
        raise
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a temporary folder beside `path` that becomes `path` in one rename; on failure it is removed.

    Args:
        replace: an older folder at `path` makes way, as `commit_folder` says; else there must be none with files in it.

    Raises:
        OSError: `path` holds files and `replace` is false.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_path(path)
    unfinished.mkdir()
    try:
        yield unfinished
        commit_folder(unfinished, path, replace=replace)
    except OSError as problem:
        _name_disk(problem, path)
        raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def atomic_link(path: Path, target: str) -> None:
    """Make `path` a symbolic link to `target` in one rename, whatever it was before."""
    link = unfinished_path(path)
    try:
        link.symlink_to(target)
        link.replace(path)
        _sync_folder(path.parent)
    finally:
        link.unlink(missing_ok=True)


def commit_folder(unfinished: Path, path: Path, *, replace: bool = False) -> None:
    """Rename a complete folder to `path`, on the same file system, after everything in it is on the disk.

    An older folder steps aside and is removed last. A failure in between puts it back; after a kill in between, for the
    moment of which `path` does not exist, `remove_unfinished` puts it back.
    """
    _sync_tree(unfinished)
    aside = None
    if replace and path.exists():
        aside = path.parent / f"{UNFINISHED_PREFIX}replaced-{secrets.token_hex(4)}-{path.name}"
        os.rename(path, aside)
    try:
        os.rename(unfinished, path)
    except BaseException:
        if aside is not None:
            os.rename(aside, path)
        raise
    _sync_folder(path.parent)
    if aside is not None:
        shutil.rmtree(aside, ignore_errors=True)


def remove_unfinished(root: Path) -> int:
    """Delete what killed writers left below `root` (nobody else may be writing there). Return how many.

    A folder that was stepping aside for a new one, which then did not come, takes its name back.
    """
    leftovers = [p for p in root.rglob(f"{UNFINISHED_PREFIX}*") if os.path.lexists(p)]
    for path in leftovers:
        if not os.path.lexists(path):  # it was in one that is gone
            continue
        if (old := _REPLACED.fullmatch(path.name)) and not (target := path.with_name(old["name"])).exists():
            os.rename(path, target)
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(leftovers)


def _name_disk(problem: OSError, path: Path) -> None:
    """Say which file a disk had no room for: a write to an open file does not."""
    if problem.errno in NO_ROOM and problem.filename is None:
        problem.filename = str(path)


def _sync_tree(folder: Path) -> None:
    """Force a folder, and all below it, to the disk: what is inside before what holds it."""
    for parent, _, files in os.walk(folder, topdown=False):
        for name in files:
            if not (path := Path(parent, name)).is_symlink():
                _sync(path)
        _sync_folder(Path(parent))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Force the names in a folder to the disk, where the file system can (some network file systems cannot)."""
    try:
        _sync(folder)
    except OSError as problem:
        if problem.errno not in _NO_FOLDER_SYNC:
            raise
