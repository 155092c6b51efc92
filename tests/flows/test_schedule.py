"""A schedule fires on a server and a worker that `pivots schedule` started, and ends in a newly published copy."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from support.homes.planted_home import planted_home
from support.places import PROJECT
from support.servers.schedules import credentials, free_port
from warehouse.base.settings import Home
from warehouse.serving.publish import read_manifest

PIVOTS = str(Path(sys.executable).with_name("pivots"))


def wait_for(condition: Callable[[], Any], *, seconds: float, log: Path) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(1)
    logs = "\n".join(path.read_text()[-3000:] for path in [log, *log.parent.glob("home/prefect/*.log")])
    raise AssertionError(f"it did not happen within {seconds} s:\n{logs}")


def every_few_seconds(target: Path) -> Path:
    """Write the project's prefect.yaml with a refresh that fires at once and again."""
    project = yaml.safe_load((PROJECT / "prefect.yaml").read_text())
    nightly = next(one for one in project["deployments"] if one["name"] == "nightly")
    nightly["schedules"] = [{"interval": 20}]
    nightly["parameters"]["tokenizer"] = str(PROJECT / "ml" / "base_model" / "tokenizer.json")
    target.write_text(yaml.safe_dump(project))
    return target


@pytest.mark.engines
def test_a_schedule_fires_and_ends_in_a_new_copy(tmp_path: Path) -> None:
    home = planted_home(tmp_path)
    port, log = free_port(), tmp_path / "schedule.log"
    deployments = every_few_seconds(tmp_path / "deployments.yaml")
    command = [PIVOTS, "schedule", "--home", str(home.root), "--port", str(port), "--deployments", str(deployments)]
    with log.open("wb") as out:
        program = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "PIVOTS_THREADS": "2"})
    api = f"http://127.0.0.1:{port}/api"
    try:
        first = wait_for(lambda: read_manifest(home), seconds=300, log=log)
        assert first["tables"]["marts.dim_documents"]["n_rows"] == 2000
        wait_for(home.report_file.exists, seconds=60, log=log)
        line = '{"id": "new", "text": "water and eau", "source": "test", "metadata": {"lang": "en"}}\n'
        (tmp_path / "more.jsonl").write_text(line)
        (tmp_path / "more.jsonl").rename(home.inbox / "planted" / "more.jsonl")
        second = wait_for(lambda: _newer(home, first["number"]), seconds=300, log=log)
        assert second["tables"]["marts.dim_documents"]["n_rows"] == 2001
        with httpx.Client(auth=credentials(home)) as client:
            _check_registered(client, api)
            _check_runs(client, api)
    finally:
        program.send_signal(signal.SIGINT)
        assert program.wait(60) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{api}/health")


def _newer(home: Home, number: int) -> dict[str, Any] | None:
    manifest = read_manifest(home)
    return manifest if manifest and manifest["number"] > number else None


def _check_registered(client: httpx.Client, api: str) -> None:
    deployments = {one["name"]: one for one in client.post(f"{api}/deployments/filter", json={}).json()}
    names = {"nightly", "publish", "new-checkpoints", "train", "weekly-experiment", "clean-up"}
    assert deployments.keys() == names
    active = {name: [s["active"] for s in one["schedules"]] for name, one in deployments.items()}
    assert active["weekly-experiment"] == [False]
    assert active["nightly"] == active["clean-up"] == active["new-checkpoints"] == [True]
    assert deployments["clean-up"]["parameters"]["dry_run"] is True
    assert all(one["global_concurrency_limit"]["limit"] == 1 for one in deployments.values())
    limits = {one["name"]: one["limit"] for one in client.post(f"{api}/v2/concurrency_limits/filter", json={}).json()}
    assert limits["pivots-writer"] == 1
    triggers = {one["name"] for one in client.post(f"{api}/automations/filter", json={}).json()}
    assert triggers == {"publish follows build", "evaluation follows training"}


def _check_runs(client: httpx.Client, api: str) -> None:
    """The refresh was started by its schedule, the publication by the event of a build."""
    runs = client.post(
        f"{api}/flow_runs/filter", json={"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
    ).json()
    flows = {one["id"]: one["name"] for one in client.post(f"{api}/flows/filter", json={}).json()}
    causes = {(flows[run["flow_id"]], run["created_by"]["type"]) for run in runs}
    assert {("refresh", "SCHEDULE"), ("publish", "AUTOMATION")} <= causes


def test_a_taken_port_and_a_missing_file_are_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments, said in (
            (["--port", port], f"--port {port}"),
            (["--deployments", "none.yaml"], "--deployments none.yaml: no such file"),
        ):
            command = [PIVOTS, "schedule", "--home", str(tmp_path / "home"), *arguments]
            refused = subprocess.run(command, capture_output=True, text=True, check=False)
            assert refused.returncode == 2
            assert said in refused.stderr
            assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "home").exists()
