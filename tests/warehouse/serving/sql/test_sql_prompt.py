"""The interactive prompt: it starts on a terminal, quits, and can read the published copy and no more."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from pathlib import Path

import pytest

from support.homes.handmade import published_home
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.serving.sql import prompt as sql_prompt

pytest.importorskip("harlequin", reason="the prompt needs the extra `dashboard`: pip install '.[dashboard]'")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return published_home(tmp_path_factory.mktemp("prompt"))


@pytest.mark.slow
def test_on_a_terminal_the_prompt_starts_answers_and_quits(home: Home, tmp_path: Path) -> None:
    program = [sys.executable, "-c", "from warehouse.cli import main; main()", "sql", "--home", str(home.root)]
    own = {name: str(tmp_path) for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))  # before it asks for its size
        os.execve(sys.executable, program, {**os.environ, **own, "TERM": "xterm-256color"})
    try:
        shown = _read_until(terminal, "warehouse", seconds=60)  # the database, in the catalogue
        assert "warehouse" in shown, shown[-2000:]
        # Pasted, because completions that pop up under fast typing change the text. What comes before the editor has
        # the focus is lost: select all (Ctrl-A), paste again, and run (Ctrl-J).
        for _ in range(6):
            os.write(terminal, b"\x01\x1b[200~select 'n = ' || count(*) from marts.dim_tokens\x1b[201~\x0a")
            shown += _read_until(terminal, r"n = \d+", seconds=15)
            if re.search(r"n = \d+", shown):
                break
        assert re.search(r"n = \d+", shown), shown[-2000:]
        os.write(terminal, b"\x11")  # Ctrl-Q
        _read_until(terminal, r"(?!)", seconds=30)  # to the end
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        os.close(terminal)


def _read_until(terminal: int, pattern: str, *, seconds: float) -> str:
    """Return what the terminal shows until a pattern comes, the program ends, or time is over."""
    shown, end = "", time.monotonic() + seconds
    while time.monotonic() < end and not re.search(pattern, shown):
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += os.read(terminal, 65536).decode("utf-8", errors="replace")
            except OSError:  # the other end is closed
                break
    return shown


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('/etc/passwd')",
        "copy (select 1) to '/tmp/out.csv'",
        "delete from marts.dim_tokens",
        "set memory_limit = '1GB'",
        "install httpfs",
        "attach 'other.duckdb'",
    ],
)
def test_what_harlequin_runs_reads_the_published_copy_and_no_more(home: Home, tmp_path: Path, query: str) -> None:
    from harlequin.exception import HarlequinQueryError
    from harlequin_duckdb import DuckDbAdapter

    script = tmp_path / "settings.sql"
    script.write_text(sql_prompt.settings_script())
    assert sql_prompt.command(home, script)[-2:] == [str(script), str(home.published_file.resolve())]
    connection = DuckDbAdapter([str(home.published_file.resolve())], init_path=script, read_only=True).connect()
    try:
        found = connection.execute("select count(*) as n from marts.dim_tokens")
        assert found is not None
        with pytest.raises(HarlequinQueryError):
            cursor = connection.execute(query)
            assert cursor is not None
            cursor.fetchall()
    finally:
        connection.close()


def test_what_is_missing_is_said_in_one_line(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="nothing is ingested"):
        sql_prompt.open_prompt(Home(tmp_path))
    monkeypatch.setattr(sql_prompt.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"\[dashboard\]"):
        sql_prompt.open_prompt(home)
