"""A home on a disk that is read only, or of another user: who may read gets answers, who would write gets one line."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.corpora.files import document, write_jsonl, write_tokenizer
from support.homes.handmade import published_home

# Root may write everywhere; without these it may not, and unlike another user it still reads this installation.
_NO_LONGER_ROOT = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner")
_SOMEBODY_ELSE = 65534
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv"),
]


@pytest.fixture(name="home")
def a_home(tmp_path: Path) -> Path:
    """A home with a published copy."""
    return published_home(tmp_path / "home").root


@pytest.fixture
def read_only(home: Path) -> Iterator[Path]:
    """The same, mounted so that nothing there can be changed."""
    bound = subprocess.run(["mount", "--bind", home, home], capture_output=True, check=False).returncode == 0
    if not bound:
        pytest.skip("needs the right to mount")
    subprocess.run(["mount", "-o", "remount,ro,bind", home], check=True)
    yield home
    subprocess.run(["umount", home], check=True)


@pytest.fixture
def of_another(home: Path) -> Path:
    """The same, of another user, who lets everybody read."""
    for path in (home, *home.rglob("*")):
        os.chown(path, _SOMEBODY_ELSE, _SOMEBODY_ELSE, follow_symlinks=False)
    return home


def run(home: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    code = "from warehouse.cli import main; main()"
    command = [*_NO_LONGER_ROOT, sys.executable, "-c", code, *map(str, arguments), "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=home.parent)


@pytest.mark.parametrize("closed", ["read_only", "of_another"])
def test_reading_works_and_writing_ends_in_one_line(
    closed: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    home = request.getfixturevalue(closed)
    tokenizer = write_tokenizer(tmp_path)
    corpus = write_jsonl(tmp_path / "a.jsonl", [document("1", "The water of a river")])
    asked = run(home, "sql", "select count(*) as n from marts.dim_documents", "--format", "csv")
    assert (asked.returncode, asked.stdout) == (0, "n\n60\n"), asked.stderr
    assert run(home, "status").returncode == 0
    for command in (
        ("ingest", corpus, "--corpus", "c", "--tokenizer", tokenizer),
        ("count", "--corpus", "c"),
        ("build",),
        ("publish",),
        ("report",),
        ("docs",),
    ):
        done = run(home, *command)
        assert done.returncode in (1, 2), command
        said = done.stderr.strip().splitlines()
        assert len(said) == 1, (command, done.stderr)
        assert said[0].startswith("pivots: "), command


def test_a_home_that_may_not_even_be_read_is_named(of_another: Path) -> None:
    of_another.chmod(0o700)
    for command in (("status",), ("sql", "select 1"), ("report",), ("publish",)):
        done = run(of_another, *command)
        assert done.returncode == 2, command
        assert "Traceback" not in done.stderr, command
        assert "--home" in done.stderr, command
        assert "is not readable" in " ".join(done.stderr.replace("│", " ").split()), command
