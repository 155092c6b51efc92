"""The product outside its repository: installed from a wheel, it does what it does in a checkout."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.installed import Installed, plain_environment
from support.places import PROJECT
from warehouse import __version__

pytestmark = pytest.mark.slow

TINY = PROJECT / "tests" / "flows" / "tiny.yml"
DEMO = ("demo", "--home", "pivots-home", "--scale", "0.5", "--preset", "tiny.yml")


@pytest.fixture(scope="module")
def demo(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which a demo has run, empty before but for the demo's preset."""
    folder = tmp_path_factory.mktemp("elsewhere")
    shutil.copy(TINY, folder / "tiny.yml")
    before = installed.files()
    done = installed.run(folder, *DEMO)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Best pivots of water (en) and eau (fr)" in done.stdout
    assert installed.files() == before, "a command wrote into the installed package"
    assert sorted(path.name for path in folder.iterdir()) == ["pivots-home", "tiny.yml"]
    return folder


def test_it_is_the_wheel_that_runs(installed: Installed, tmp_path: Path) -> None:
    program = "import warehouse, ml, flows; print(*(m.__file__ for m in (warehouse, ml, flows)), sep='\\n')"
    done = subprocess.run(
        [str(installed.python), "-c", program],
        cwd=tmp_path,
        env=plain_environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    assert [Path(line).parent.parent for line in done.stdout.splitlines()] == [installed.packages] * 3


def test_it_says_its_version(installed: Installed, tmp_path: Path) -> None:
    assert installed.run(tmp_path, "--version").stdout == f"pivots {__version__}\n"


def test_status_of_a_demo(installed: Installed, demo: Path) -> None:
    shown = installed.run(demo, "status", "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["corpora"]


def test_runs_record_the_version_also_within_a_repository_of_somebody_else(installed: Installed, demo: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(installed.folder)], check=True)
    asked = installed.run(demo, "sql", "--format", "json", "select distinct git_commit from raw.runs")
    assert json.loads(asked.stdout) == [{"git_commit": f"v{__version__}"}], asked.stderr
    program = "from warehouse.lake.runs import git_commit; print(git_commit())"
    command = [str(installed.python), "-c", program]
    done = subprocess.run(command, cwd=demo, env=plain_environment(), check=True, capture_output=True, text=True)
    assert done.stdout == f"v{__version__}\n"


def test_what_is_shipped_has_its_name_and_a_folder_of_the_users_does_not_get_in_the_way(
    installed: Installed, demo: Path
) -> None:
    """A folder `ml` in the working directory is no model, and none of it is imported."""
    decoy = demo / "ml"
    decoy.mkdir()
    (decoy / "__init__.py").write_text("raise SystemExit('the decoy was imported')\n")
    try:
        looked = installed.run(demo, "lens", "--model", "ml/base_model", "--prompt", "English: water", "--top", "2")
    finally:
        shutil.rmtree(decoy)
    assert looked.returncode == 0, looked.stderr


def test_the_dashboard_starts_answers_and_stops(installed: Installed, demo: Path) -> None:
    with running(installed, demo, "dashboard", "--no-browser", "--port", "0") as program:
        assert program.stdout is not None
        address = program.stdout.readline().strip()
        assert re.match(r"http://127\.0\.0\.1:\d+", address), address
        answer = until(lambda: get(address), seconds=120)
        assert "<html" in answer.text
    assert program.returncode in (0, -signal.SIGINT)


@pytest.mark.engines
def test_schedule_registers_its_flows_and_runs_one(installed: Installed, demo: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(installed, demo, "schedule", "--port", str(port)) as program:
        assert program.stdout is not None
        assert program.stdout.readline().startswith("http"), "the schedule did not start"
        command = [str(installed.python), "-m", "prefect", "deployment", "run", "clean-up/clean-up", "--watch"]
        environment = plain_environment() | {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
        prefect_home = demo / "pivots-home" / "prefect"
        environment["PREFECT_HOME"] = str(prefect_home)
        environment["PREFECT_API_AUTH_STRING"] = (prefect_home / "password").read_text()
        ran = subprocess.run(
            command, cwd=demo, env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "Completed" in ran.stdout


@pytest.mark.engines
def test_spark_builds_the_demo(installed: Installed, demo: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    shutil.copytree(demo / "pivots-home", tmp_path / "pivots-home", symlinks=True)
    built = installed.run(tmp_path, "build", "--engine", "spark")
    assert built.returncode == 0, built.stderr[-3000:]
    assert re.search(r"built +\d+ models, \d+ tests passed", built.stdout)


@contextmanager
def running(installed: Installed, cwd: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command that serves until Ctrl-C; end it that way."""
    program = subprocess.Popen(
        [str(installed.pivots), *arguments],
        cwd=cwd,
        env=plain_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        yield program
    finally:
        os.killpg(program.pid, signal.SIGINT)
        try:
            program.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            raise


def get(address: str) -> httpx.Response | None:
    try:
        return httpx.get(address, timeout=5, follow_redirects=True)
    except httpx.HTTPError:
        return None


def until(ask: Any, *, seconds: float) -> Any:
    """Return the first answer that is one."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := ask():
            return answer
        time.sleep(0.5)
    raise AssertionError(f"no answer within {seconds:g} s")
