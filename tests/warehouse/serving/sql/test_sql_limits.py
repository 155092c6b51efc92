"""Limits of a query hold whatever it does, and what it prints or writes to does no harm."""

import os
import pty
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from support.homes.handmade import published_home
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.base.terminal import printable
from warehouse.cli import app
from warehouse.serving.sql import query_process
from warehouse.serving.sql.query_process import query_rows

PROGRAM = [sys.executable, "-c", "from warehouse.cli import main; main()", "sql"]
# none of these looks for an interrupt before it is done
DEAF = {
    "levenshtein": "select levenshtein(repeat('a', 300000), repeat('b', 300000))",
    "list_reduce": "select list_reduce(range(100000000), (a, b) -> a + b)",
    "million in": f"select 1 where 5 in ({', '.join(str(n) for n in range(10, 1_000_000))})",
}
ENDLESS = "select count(*) from range(1000000000000)"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return published_home(tmp_path_factory.mktemp("limits"))


def run(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, *arguments, "--home", str(home.root)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    "name",
    ["levenshtein", *(pytest.param(n, marks=pytest.mark.slow) for n in ("list_reduce", "million in", "endless"))],
)
def test_a_query_in_a_process_of_its_own_ends_in_time(home: Home, name: str) -> None:
    assert query_rows(home, "select 1 as one", max_rows=1, time_limit_s=60) == [{"one": 1}]
    begin = time.monotonic()
    with pytest.raises(StepFailed, match="stopped after 1 s"):
        query_rows(home, DEAF.get(name, ENDLESS), max_rows=10, time_limit_s=1)
    assert time.monotonic() - begin < 8


@pytest.mark.slow
def test_one_query_that_cannot_be_stopped_keeps_nobody_else_waiting(home: Home) -> None:
    failures: list[str] = []

    def run_long() -> None:
        try:
            query_rows(home, DEAF["levenshtein"], max_rows=1, time_limit_s=20)
        except StepFailed as failure:
            failures.append(str(failure))

    query_rows(home, "select 1", max_rows=1, time_limit_s=60)
    long = threading.Thread(target=run_long)
    long.start()
    begin = time.monotonic()
    for number in range(3):
        assert query_rows(home, f"select {number} as n", max_rows=1, time_limit_s=20) == [{"n": number}]
    assert long.is_alive()
    assert time.monotonic() - begin < 18
    long.join(60)
    assert failures == ["the query was stopped after 20 s"]


def test_what_a_process_refuses_is_said_here(home: Home, tmp_path: Path) -> None:
    for sql, said in (
        ("select * from read_csv('/etc/passwd')", "not available here"),
        ("drop table marts.dim_tokens", "read-only"),
        ("select no_such_column", "no_such_column"),
        ("select '\ud800'", "not valid UTF-8"),
    ):
        with pytest.raises(UsageError, match=said):
            query_rows(home, sql, max_rows=1, time_limit_s=30)
    with pytest.raises(UsageError, match="nothing is ingested"):
        query_rows(Home(tmp_path), "select 1", max_rows=1, time_limit_s=30)
    with pytest.raises(StepFailed, match="more than 64 MiB"):
        query_rows(home, "select repeat('x', 40000000) from range(3)", max_rows=10, time_limit_s=60)


def test_a_process_that_is_killed_is_a_failed_step(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    take = query_process._WAITING.take

    def dead() -> subprocess.Popen[bytes]:
        program = take()
        program.kill()
        program.wait()
        return program

    monkeypatch.setattr(query_process._WAITING, "take", dead)
    with pytest.raises(StepFailed, match="ended from outside"):
        query_rows(home, "select 1", max_rows=1, time_limit_s=30)


@pytest.mark.parametrize("name", ["levenshtein", pytest.param("endless", marks=pytest.mark.slow)])
def test_the_command_has_a_time_limit_and_leaves_no_half_file(home: Home, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out.csv"
    begin = time.monotonic()
    done = run(home, DEAF.get(name, ENDLESS), "--timeout", "1", "--format", "csv", "--out", str(out))
    assert (done.returncode, done.stderr) == (1, "pivots: the query was stopped after 1 s\n")
    assert time.monotonic() - begin < 15
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("name", ["levenshtein", "endless"])
def test_one_signal_stops_the_command(home: Home, name: str, number: signal.Signals, code: int) -> None:
    command = [*PROGRAM, DEAF.get(name, ENDLESS), "--home", str(home.root)]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(6)  # in the query by now, however busy the machine; before it the signal ends the command, too
    assert program.poll() is None
    program.send_signal(number)
    _, said = program.communicate(timeout=20)
    assert program.returncode == code, said
    assert "Traceback" not in said


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


@pytest.mark.parametrize("form", ["csv", "json", "table", "parquet"])
def test_out_writes_into_a_pipe_and_leaves_it_one(home: Home, pipe: Path, form: str) -> None:
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    done = run(home, "select 7 as seven", "--format", form, "--out", str(pipe))
    reader.join(10)
    assert done.returncode == 0, done.stderr
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert (b"seven" in read[0]) or read[0].startswith(b"PAR1")


def test_out_writes_into_a_device_and_leaves_it_one(home: Home, tmp_path: Path) -> None:
    link = tmp_path / "null"
    link.symlink_to("/dev/null")  # not the device itself: what this test is for would replace it
    assert run(home, "select 1", "--format", "csv", "--out", str(link)).returncode == 0
    assert link.is_symlink()
    assert Path("/dev/null").is_char_device()
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    done = run(home, "select 1", "--format", "csv", "--out", str(full))
    assert done.returncode == 1
    assert done.stderr.startswith("pivots: no space left on the disk")
    assert len(done.stderr.splitlines()) == 1


def test_out_through_a_link_replaces_what_it_names(home: Home, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    assert run(home, "select 1 as one", "--format", "csv", "--out", str(tmp_path / "link")).returncode == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "one\n1\n"


@pytest.mark.parametrize("out", ["/", ".", "/proc/x", "/dev/null/x"])
def test_out_refuses_what_cannot_be_a_file(home: Home, out: str) -> None:
    for form in ("csv", "table", "parquet"):
        done = CliRunner().invoke(app, ["sql", "select 1", "--format", form, "--out", out, "--home", str(home.root)])
        assert isinstance(done.exception, UsageError), (form, done.exception)
        assert str(done.exception).startswith(f"--out {out}")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("'infinity'::date", "infinity"),
        ("'-infinity'::timestamp", "-infinity"),
        ("'290000-01-01'::timestamp", "290000-01-01T00:00:00.000000"),
        ("'290000-01-01'::date", "290000-01-01"),
        ("['infinity'::date, null]", '["infinity", null]'),
        ("{'a': 'infinity'::timestamptz}", '{"a": "infinity"}'),
    ],
)
@pytest.mark.parametrize("form", ["csv", "json", "table"])
def test_dates_that_python_has_not_are_shown(home: Home, value: str, shown: str, form: str) -> None:
    done = CliRunner().invoke(app, ["sql", f"select {value} as v", "--format", form, "--home", str(home.root)])
    assert done.exception is None
    assert shown in done.output.replace('""', '"')
    assert query_rows(home, f"select {value} is null as v", max_rows=1, time_limit_s=30) == [{"v": False}]


@pytest.mark.slow
@pytest.mark.parametrize(
    "sql",
    [
        "select " + "+".join(["1"] * 900),
        "select " * 450 + "1" + "".join(f" from (select 1) t{i}" for i in range(450)),
        "select " + "(select " * 450 + "1" + ")" * 450,
        "select " + "[" * 600 + "]" * 600,
    ],
    ids=["terms", "selects", "subqueries", "arrays"],
)
def test_deep_nesting_is_one_line_or_an_answer(home: Home, sql: str) -> None:
    done = run(home, sql)
    assert done.returncode in (0, 2)
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


def test_invalid_utf8_in_the_argument_is_one_line(home: Home) -> None:
    command = [*PROGRAM, b"select '\xff'", "--home", str(home.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "pivots: the query is not valid UTF-8\n")


ESCAPE = "select chr(27) || ']0;x' || chr(7) || chr(155) || '31m' as \"a\x1bb\", ['\x1b[2J'] as list"


def on_terminal(home: Home, *arguments: str) -> bytes:
    controller, terminal = pty.openpty()
    command = [*PROGRAM, *arguments, "--home", str(home.root)]
    program = subprocess.Popen(command, stdout=terminal, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    os.close(terminal)
    shown = b""
    try:
        while block := os.read(controller, 65536):
            shown += block
    except OSError:  # how Linux says that nobody writes any more
        pass
    assert program.wait(60) == 0
    return shown


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_terminal_gets_no_escape_of_a_value_or_a_name(home: Home, form: str) -> None:
    shown = on_terminal(home, ESCAPE, "--format", form).decode()
    assert "]0;x" in shown
    for sign in ("\x1b]0", "\x1b[2J", "\x07", "\x9b", "a\x1bb"):
        assert sign not in shown


def test_a_file_gets_values_as_they_are(home: Home, tmp_path: Path) -> None:
    for form, read in (("csv", lambda p: p.read_bytes().decode()), ("parquet", lambda p: str(pq.read_table(p)[0][0]))):
        out = tmp_path / form
        assert run(home, ESCAPE, "--format", form, "--out", str(out)).returncode == 0
        assert "\x1b]0;x\x07\x9b31m" in read(out)


def names() -> Iterator[str]:
    yield from ("a\x1b[31m", "b\x9b", "c\x07", "d‮txt.exe", "e\r")


@pytest.mark.slow
@pytest.mark.parametrize("name", list(names()))
def test_names_and_messages_are_shown_not_obeyed(name: str, tmp_path: Path) -> None:
    assert printable("é 漢字 🙂 ok\n\t") == "é 漢字 🙂 ok\n\t"
    assert not set("\x1b\x9b\x07\u202e\r") & set(printable(name))
    arguments = ["ingest", str(tmp_path / name), "--corpus", "c", "--tokenizer", "t", "--home", str(tmp_path / "home")]
    done = subprocess.run(
        [*PROGRAM[:-1], *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert not set("\x1b\x9b\x07\u202e") & set(done.stderr)
