"""Start a Prefect flow as its own process: `flows` imports `warehouse`, never the other way round."""

import os
import subprocess
import sys

from warehouse.base.errors import ReportedError
from warehouse.base.settings import PROJECT_ROOT, Home
from warehouse.experiments.requests import FlowRequest, write_flow_request


def flow_environment(home: Home) -> dict[str, str]:
    """Return the environment of a flow: Prefect's files inside the home, an in-process server, no telemetry."""
    home.prefect.mkdir(parents=True, exist_ok=True)
    defaults = {
        "PREFECT_HOME": str(home.prefect),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        # a slow disk can keep the in-process server's database busy at first
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    }
    return {**defaults, **os.environ, "PIVOTS_HOME": str(home.root), "PYTHONPATH": str(PROJECT_ROOT)}


def run_flow(home: Home, module: str, request: FlowRequest) -> None:
    """Run a flow program on a request and wait for it; what it prints goes straight to the terminal.

    Raises:
        ReportedError: it ended badly; its own line has said why.
    """
    file = write_flow_request(home.prefect / "requests", request)
    command = [sys.executable, "-m", module, str(file)]
    finished = subprocess.run(command, env=flow_environment(home), check=False)
    if finished.returncode:
        raise ReportedError(finished.returncode)
