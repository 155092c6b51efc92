"""Programs that run for another one end with it: asked, interrupted, terminated or killed with -9."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.homes.handmade import published_home, write_count
from support.servers.dashboards import started_dashboard
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.counting.options import CountOptions
from warehouse.lake.connections import writer_lock
from warehouse.serving.publish import publish

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the system ends children by itself on Linux only")
PIVOTS = [sys.executable, "-c", "from warehouse.cli import main; main()"]
WATCHER = """
import time
from pathlib import Path
from warehouse.contract.lifeline import watch_launcher
watch_launcher()
"""


def is_running(process_id: int) -> bool:
    """Tell whether a process is there and not merely unburied."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: object, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.02)


def children(process_id: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == process_id:
                found.append(int(stat.parent.name))
    return found


@contextlib.contextmanager
def parent(body: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Start a program of the lines `body`, in which `child` is a program that says its number and sleeps."""
    before = """
        import subprocess, sys
        from warehouse.base.child_process import child_process, run_child, stop_on_sigterm
        stop_on_sigterm()
        child = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"]
    """
    program = textwrap.dedent(before) + textwrap.dedent(body)
    command = [sys.executable, "-c", program, *map(str, arguments)]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def said_number(program: subprocess.Popen[str]) -> int:
    assert program.stdout is not None
    return int(program.stdout.readline())


@needs_linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("options", ["", "own_group=True"])
def test_a_child_ends_with_its_parent(number: signal.Signals, options: str) -> None:
    with parent(f"run_child(child, {options})") as program:
        child = said_number(program)
        assert is_running(child)
        program.send_signal(number)
        program.wait(30)
        wait_until(lambda: not is_running(child), seconds=5)


@needs_linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_so_does_what_a_launcher_between_them_started(number: signal.Signals) -> None:
    watcher = WATCHER + "import os; print(os.getpid(), flush=True); time.sleep(600)"
    body = """
        launcher = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], start_new_session=True)"
        run_child([sys.executable, "-c", launcher, sys.argv[1]], own_group=True)
    """
    with parent(body, watcher) as program:
        grandchild = said_number(program)
        program.send_signal(number)
        wait_until(lambda: not is_running(grandchild), seconds=10)


@needs_linux
def test_a_flow_takes_the_server_along_that_was_started_for_it() -> None:
    """As Prefect starts one for `pivots experiment`: it watches nobody, and stands in the flow's group."""
    flow = WATCHER + "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    server = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    body = "run_child([sys.executable, '-c', sys.argv[1], sys.argv[2]], own_group=True, at_death=None)"
    with parent(body, flow, server) as program:
        number = said_number(program)
        program.kill()
        wait_until(lambda: not is_running(number), seconds=10)


def test_a_program_that_ignores_sigterm_is_killed() -> None:
    from warehouse.base.child_process import stop

    ignoring = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    )
    program = subprocess.Popen([sys.executable, "-c", ignoring], stdout=subprocess.PIPE, text=True)
    said_number(program)
    stop(program, wait_s=0.2)
    assert program.returncode == -signal.SIGKILL


def test_who_writes_holds_the_lock_also_when_who_started_it_is_dead(tmp_path: Path) -> None:
    """Where the system ends no children the writer outlives its parent: nobody else may write then."""
    body = """
        from pathlib import Path
        from warehouse.base.settings import Home
        from warehouse.lake.connections import lock_descriptors, writer_lock
        home = Home(Path(sys.argv[1]))
        with writer_lock(home):
            run_child(child, hold=lock_descriptors(home), at_death=None)
    """
    home = Home(tmp_path)
    with parent(body, tmp_path) as program:
        writer = said_number(program)
        program.kill()
        program.wait()
        with pytest.raises(StepFailed, match="another command is writing"), writer_lock(home, wait_seconds=0.3):
            pass
        os.kill(writer, signal.SIGKILL)
        with writer_lock(home, wait_seconds=10):
            pass


@pytest.mark.slow
@needs_linux
@pytest.mark.pipeline
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143)])
def test_dbt_does_not_go_on_without_its_build(tmp_path: Path, number: signal.Signals, code: int) -> None:
    home = Home(tmp_path / "home")
    write_count(home, CountOptions())
    with (tmp_path / "log").open("w") as log:
        build = subprocess.Popen([*PIVOTS, "build", "--home", str(home.root)], stdout=log, stderr=log)
    wait_until(lambda: children(build.pid), seconds=120)
    (dbt,) = children(build.pid)
    wait_until(lambda: (home.dbt_logs / "dbt.log").exists(), seconds=120)
    build.send_signal(number)
    assert build.wait(30) == code
    wait_until(lambda: not is_running(dbt), seconds=5)
    assert "Traceback" not in (tmp_path / "log").read_text()
    with writer_lock(home, wait_seconds=5):
        pass
    with pytest.raises(UsageError, match="did not finish"):
        publish(home)


@pytest.mark.slow
@needs_linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_dashboard_leaves_no_server_behind(tmp_path: Path, number: signal.Signals) -> None:
    pytest.importorskip("marimo", reason="the dashboard needs the extra `dashboard`: pip install '.[dashboard]'")
    with started_dashboard(published_home(tmp_path)) as (_, program):
        (server,) = children(program.pid)
        program.send_signal(number)
        program.wait(30)
        wait_until(lambda: not is_running(server), seconds=5)
