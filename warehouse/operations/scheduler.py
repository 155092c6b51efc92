"""A Prefect server, a worker and the project's deployments, on this machine and for one home."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

import httpx

from warehouse.base import shipped
from warehouse.base.child_process import child_process
from warehouse.base.errors import StepFailed
from warehouse.base.ports import LOCAL_HOST, free_port
from warehouse.base.programs import module_command
from warehouse.base.progress import say
from warehouse.base.retrying import TryAgain, attempt
from warehouse.base.settings import Home
from warehouse.operations.flow_process import flow_environment
from warehouse.operations.scheduler_secret import authentication, password_file

POOL = "pivots"  # as in prefect.yaml
_SERVER_START_S = 120
# What a flow run is started with. Without a variable in it, no deployment and no request can say otherwise: by default
# `job_variables` may name any command, environment and folder.
POOL_TEMPLATE = {
    "job_configuration": {"stream_output": True},
    "variables": {"type": "object", "properties": {}, "additionalProperties": False},
}


@contextmanager
def scheduler(home: Home, *, port: int, deployments: Path | None = None) -> Iterator[str]:
    """Start server and worker, register the deployments of a prefect.yaml, and yield the server's address.

    Args:
        deployments: another file than the project's own.

    Raises:
        UsageError: the port is taken; found before anything starts.
        StepFailed: one of the programs failed; its log or its own words are in the message.
    """
    port = free_port(port)
    for folder in (home.inbox, home.checkpoints):
        folder.mkdir(parents=True, exist_ok=True)
    url = f"http://{LOCAL_HOST}:{port}"
    environment = flow_environment(home) | {
        **authentication(home),
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": url,
        "PREFECT_LOGGING_LEVEL": "INFO",
        "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    }

    with ExitStack() as programs:  # the worker ends first: it tells the server what becomes of its runs

        def start(name: str, *arguments: str) -> subprocess.Popen[bytes]:
            with _log(home, name).open("ab") as log:
                command = module_command("prefect", name, "start", *arguments)
                started = child_process(command, env=environment, stdout=log, stderr=log)
                return programs.enter_context(started)

        server = start("server", "--host", LOCAL_HOST, "--port", str(port))
        _wait_for(f"{url}/api/health", server, _log(home, "server"))
        with NamedTemporaryFile("w", suffix=".json") as template:
            json.dump(POOL_TEMPLATE, template)
            template.flush()
            pool = ("work-pool", "create", POOL, "--type", "process", "--overwrite")
            _run(environment, *pool, "--base-job-template", template.name)
        _run(
            environment,
            "--no-prompt",
            "deploy",
            "--all",
            "--prefect-file",
            str(deployments or shipped.deployments()),
        )
        start("worker", "--pool", POOL, "--type", "process")
        say(f"server and worker are up; their logs are in {home.prefect}")
        say(f"the server's pages ask for user and password: the line in {password_file(home)}")
        yield url


def _log(home: Home, name: str) -> Path:
    return home.prefect / f"{name}.log"


def _run(environment: dict[str, str], *arguments: str) -> None:
    command = module_command("prefect", *arguments)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = " ".join((done.stdout + done.stderr).split())
        raise StepFailed(f"prefect {' '.join(arguments)} failed: {said[-400:]}")


def _wait_for(address: str, program: subprocess.Popen[bytes], log: Path) -> None:
    def ask() -> None:
        if program.poll() is not None:
            raise StepFailed(f"the server stopped at once with exit code {program.returncode}; see {log}")
        try:
            if httpx.get(address, timeout=2).is_success:
                return
        except httpx.HTTPError as error:
            raise TryAgain(str(error)) from error
        raise TryAgain("it answers that it is not ready")

    try:
        attempt(ask, for_s=_SERVER_START_S, first_pause_s=0.2, growth=1)
    except TryAgain:
        raise StepFailed(f"the server did not answer within {_SERVER_START_S} s; see {log}") from None
