"""A full disk is one line that names it, whoever notices it."""

import errno
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from support.corpora.files import document, write_jsonl, write_tokenizer
from support.homes.handmade import write_count
from warehouse.base.settings import Home
from warehouse.contract.disk import disk_failure
from warehouse.counting.options import CountOptions

SMALL_KIB = 2048


def test_errors_of_python_arrow_and_duckdb(tmp_path: Path) -> None:
    path = str(tmp_path / "no" / "such" / "f.parquet")
    free = re.compile(r"[\d,]+ MiB free")  # others write to the disk meanwhile
    for error in (
        OSError(errno.ENOSPC, "No space left on device", path),
        OSError(errno.EDQUOT, "Disk quota exceeded", path),
        OSError(f"Error writing to '{path}'. Detail: [errno 28] No space left on device"),
        pa.ArrowInvalid(f"Error writing bytes to file '{path}'. Detail: [errno 28] No space left on device"),
        duckdb.IOException(f'IO Error: Could not write file "{path}": No space left on device'),
    ):
        line = disk_failure(error)
        assert line is not None
        assert line.startswith(f"no space left on the disk of {tmp_path} (")
        assert "\n" not in line
        outer = RuntimeError("closing failed")
        outer.__cause__ = error
        assert free.sub("", disk_failure(outer) or "") == free.sub("", line)
    assert disk_failure(OSError(errno.ENOSPC, "No space left on device")) is not None
    for other in (FileNotFoundError(errno.ENOENT, "No such file", path), ValueError("x"), KeyError("28")):
        assert disk_failure(other) is None


def test_a_disk_that_fails_is_named_too(tmp_path: Path) -> None:
    for error in (
        OSError(errno.EIO, "Input/output error", str(tmp_path / "f")),
        OSError(f"Error writing bytes to file '{tmp_path}/f'. Detail: [errno 5] Input/output error"),
        duckdb.IOException(f'IO Error: Could not write file "{tmp_path}/f": Input/output error'),
    ):
        line = disk_failure(error)
        assert line is not None
        assert line.startswith(f"the disk failed at {tmp_path}/f (input/output error): what was committed is intact")


def test_what_is_not_ours_is_named_too(tmp_path: Path) -> None:
    for error in (
        PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "f")),
        OSError(errno.EROFS, "Read-only file system", str(tmp_path / "f")),
        duckdb.IOException(f'IO Error: Cannot open file "{tmp_path}/f": Permission denied'),
    ):
        line = disk_failure(error)
        assert line is not None
        assert line.startswith(f"{tmp_path}/f may not be read or written by this user, or stands on a disk that")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={SMALL_KIB}k", "pivots-test", str(folder)]
    if mount is None or subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk (tmpfs)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from warehouse.cli import main; main()", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PIVOTS_THREADS": "1"}
    )


def fill(disk: Path, *, leave_kib: int) -> Path:
    filler = disk / "filler"
    free = shutil.disk_usage(disk).free - leave_kib * 1024
    filler.write_bytes(b"x" * max(free, 0))
    return filler


@pytest.mark.slow
def test_commands_on_a_full_disk_say_so_and_go_on_when_there_is_room(small_disk: Path, tmp_path: Path) -> None:
    tokenizer = write_tokenizer(tmp_path)
    lines = [document(str(i), f"The water of river number {i}") for i in range(300)]
    path = write_jsonl(tmp_path / "a.jsonl", lines)
    home = small_disk / "home"
    ingest = ("ingest", path, "--corpus", "c", "--tokenizer", tokenizer, "--home", home)
    count = ("count", "--corpus", "c", "--home", home)
    for command, leave_kib in ((ingest, 8), (count, 4)):
        filler = fill(small_disk, leave_kib=leave_kib)
        failed = run(*command)
        assert failed.returncode == 1, failed.stderr
        assert "Traceback" not in failed.stderr
        last = failed.stderr.splitlines()[-1]
        assert last.startswith("pivots: no space left on the disk of ")
        filler.unlink()
        done = run(*command)
        assert done.returncode == 0, done.stderr
    assert "300 units" in done.stdout


@pytest.mark.slow
@pytest.mark.pipeline
def test_a_build_on_a_full_disk_says_so_instead_of_what_dbt_says(small_disk: Path) -> None:
    write_count(Home(small_disk / "home"), CountOptions())
    failed = run("build", "--home", small_disk / "home")
    assert failed.returncode == 1
    (line,) = failed.stderr.splitlines()
    assert line.startswith(f"pivots: no space left on the disk of {small_disk / 'home'}")
