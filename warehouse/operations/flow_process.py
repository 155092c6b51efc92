"""Start a Prefect flow as its own process: `flows` imports `warehouse`, never the other way round."""

import os
import subprocess

from warehouse.base.child_process import run_child
from warehouse.base.errors import ReportedError
from warehouse.base.programs import module_command, program_environment
from warehouse.base.settings import CALLERS_HOME, Home
from warehouse.experiments.requests import FlowRequest, write_flow_request
from warehouse.operations.scheduler_secret import authentication


def flow_environment(home: Home) -> dict[str, str]:
    """Return the environment of a flow: Prefect's files inside the home, a server of its own, no telemetry.

    That server asks for the home's password. One that PREFECT_API_URL names is never told it.
    """
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
    if "PREFECT_API_URL" not in os.environ:
        defaults |= authentication(home)
    return {**defaults, **program_environment({"PIVOTS_HOME": str(home.root), CALLERS_HOME: str(Home.resolve().root)})}


def run_flow(home: Home, module: str, request: FlowRequest) -> None:
    """Run a flow program on a request and wait for it; what it prints goes straight to the terminal.

    Raises:
        ReportedError: it ended badly; its own line has said why.
    """
    # it watches us itself, and ends with the server that Prefect started for it
    command = module_command(module, write_flow_request(home.prefect / "requests", request))
    code = run_child(command, env=flow_environment(home), own_group=True, at_death=None, stdin=subprocess.DEVNULL)
    if code:
        raise ReportedError(code)
