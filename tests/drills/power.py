"""A cut of the power, from the log of what a process did before it: what had not been forced to the disk is lost.

Two disks, both allowed by POSIX: one that keeps every name and loses unsynced bytes (a file is there and empty, as
ext4 left them for years), and one that loses names, too: a new, renamed or deleted name counts only once its folder
was synced.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path


def lose_bytes(log: Sequence[str]) -> None:
    """Empty every file that was not synced after its last write."""
    for path in _unsynced(log):
        if path.is_file() and not path.is_symlink():
            path.write_bytes(b"")


def lose_names(log: Sequence[str], spared: str) -> None:
    """Take back, latest first, every change of a name whose folder was not synced after it; lose bytes as well.

    Args:
        spared: files whose name begins so are left alone, for they guard themselves (DuckDB's file and its log).
    """
    lines = [_parse(line) for line in log]
    dirty = _unsynced(log)
    durable = [False] * len(lines)
    for number, (what, path, _, _) in enumerate(lines):
        if what == "sync":
            for earlier in range(number):
                changed, one, other, _ = lines[earlier]
                if changed not in ("sync", "write", "truncate") and (other or one).parent == path:
                    durable[earlier] = True
    for number in reversed(range(len(lines))):
        what, path, other, kept = lines[number]
        if durable[number] or what in ("sync", "write", "truncate") or (other or path).name.startswith(spared):
            continue
        if what in ("create", "symlink"):
            path.unlink(missing_ok=True)
        elif what == "mkdir":
            shutil.rmtree(path, ignore_errors=True)
        elif what == "rmdir":
            path.mkdir(parents=True, exist_ok=True)
        elif what == "unlink" and kept and not path.exists() and path.parent.is_dir():
            shutil.copy2(kept, path, follow_symlinks=False)
        elif what == "rename" and other and other.exists() and path.parent.is_dir():
            other.rename(path)
            if kept:
                shutil.copy2(kept, other, follow_symlinks=False)
    for path in dirty:
        if path.is_file() and not path.is_symlink() and not path.name.startswith(spared):
            path.write_bytes(b"")


def _unsynced(log: Sequence[str]) -> set[Path]:
    dirty: set[Path] = set()
    for what, path, other, _ in map(_parse, log):
        if what in ("create", "write", "truncate"):
            dirty.add(path)
        elif what in ("sync", "unlink"):
            dirty.discard(path)
        elif what == "rename" and other:
            moved = {p for p in dirty if p == path or path in p.parents}
            replaced = {p for p in dirty if p == other}
            dirty = (dirty - moved - replaced) | {other / p.relative_to(path) for p in moved}
    return dirty


def _parse(line: str) -> tuple[str, Path, Path | None, str]:
    what, path, other, kept = line.rstrip("\n").split("\t")
    return what, Path(path), Path(other) if other else None, kept
