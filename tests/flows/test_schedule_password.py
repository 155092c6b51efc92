"""The server of `pivots schedule`: nobody without the home's password starts a flow, and nobody chooses its command."""

import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.servers.schedules import credentials, scheduled
from warehouse.base.settings import Home

pytestmark = pytest.mark.engines
FOREIGN = {"Origin": "http://evil.example"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("schedule") / "home")


@pytest.fixture(scope="module")
def address(home: Home) -> Iterator[str]:
    with scheduled(home, home.root.parent / "schedule.log") as (address, _):
        yield address


def test_killed_it_leaves_neither_server_nor_worker(tmp_path: Path) -> None:
    with scheduled(Home(tmp_path / "home"), tmp_path / "log") as (address, program):
        program.kill()
        program.wait()
        end = time.monotonic() + 10
        with pytest.raises(httpx.ConnectError):
            while time.monotonic() < end:
                httpx.get(f"{address}/api/health")
                time.sleep(0.1)


def deployment(client: httpx.Client, name: str) -> str:
    [found] = client.post("/deployments/filter", json={"deployments": {"name": {"any_": [name]}}}).json()
    return str(found["id"])


def finished(client: httpx.Client, run: str, *, seconds: float = 120) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while True:
        state = client.get(f"/flow_runs/{run}").json()["state"]
        if state["type"] in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED"):
            return state
        assert time.monotonic() < end, state
        time.sleep(0.5)


def test_without_the_password_nothing_is_answered_whatever_the_origin(home: Home, address: str) -> None:
    for headers in ({}, FOREIGN, {"Host": "evil.example"}, {"Authorization": "Basic cGl2b3RzOnBpdm90cw=="}):
        with httpx.Client(base_url=f"{address}/api", headers=headers) as client:
            listed = client.post("/deployments/filter", json={})
            assert listed.status_code == 401, headers
            assert "access-control-allow-origin" not in listed.headers
            begun = client.post("/flow_runs/", json={"name": "x", "flow_id": "0" * 32, "state": {"type": "SCHEDULED"}})
            assert begun.status_code == 401
    preflight = httpx.options(
        f"{address}/api/deployments/filter",
        headers={**FOREIGN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"},
    )
    assert "access-control-allow-origin" not in preflight.headers
    secret = home.prefect / "password"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert len(credentials(home)[1]) >= 40


def test_a_websocket_without_the_password_is_closed(address: str) -> None:
    import websockets
    from websockets.sync.client import connect

    url = address.replace("http", "ws") + "/api/events/out"
    with connect(url, origin="http://evil.example", subprotocols=["prefect"]) as socket:  # type: ignore[arg-type,list-item]
        socket.send('{"type": "auth", "token": "guess"}')
        with pytest.raises(websockets.ConnectionClosed):
            while True:
                assert "auth_success" not in str(socket.recv(timeout=20))


def test_a_flow_runs_with_the_password_and_no_request_chooses_its_command(
    home: Home, address: str, tmp_path: Path
) -> None:
    touched = tmp_path / "touched"
    command = f"{sys.executable} -c \"open('{touched}', 'w')\""
    subprocess.run(command, shell=True, check=True)  # the command itself works
    touched.unlink()
    with httpx.Client(base_url=f"{address}/api", auth=credentials(home), timeout=30) as client:
        path = f"/deployments/{deployment(client, 'clean-up')}/create_flow_run"
        for variables in ({"command": command}, {"env": {"PYTHONINSPECT": "1"}}, {"working_dir": str(tmp_path)}):
            begun = client.post(path, json={"job_variables": variables, "state": {"type": "SCHEDULED"}})
            assert begun.status_code in (409, 422), begun.text
        plain = client.post(path, json={"state": {"type": "SCHEDULED"}})
        assert plain.status_code == 201, plain.text
        state = finished(client, plain.json()["id"])
        assert state["type"] == "COMPLETED", state
    assert not touched.exists()
