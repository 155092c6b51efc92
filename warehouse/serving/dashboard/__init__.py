"""The dashboard: an app in the browser on the published copy, served on this machine only."""

import importlib.util
import socket
import subprocess
import sys
import webbrowser
from pathlib import Path

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.programs import program_environment
from warehouse.base.progress import say
from warehouse.base.settings import Home

HOST = "127.0.0.1"
APP = Path(__file__).with_name("app.py")


def run_dashboard(home: Home, *, port: int, browser: bool) -> None:
    """Serve the dashboard until it is interrupted.

    Args:
        port: on 127.0.0.1; 0 takes a free one.
        browser: open a browser window.

    Raises:
        UsageError: marimo is not installed, nothing is published, or the port is taken.
        StepFailed: the server ended by itself.
    """
    if importlib.util.find_spec("marimo") is None:
        raise UsageError("the dashboard needs marimo: pip install 'semantic-pivots[dashboard]'")
    if not home.published_file.exists():
        raise UsageError(f"nothing is published in {home.root}: run `pivots publish` first")
    port = _free_port(port)
    command = [sys.executable, "-m", "marimo", "--quiet", "run", str(APP)]
    command += ["--host", HOST, "--port", str(port), "--headless", "--no-token", "--no-sandbox", "--no-check"]
    environment = program_environment({"PIVOTS_HOME": str(home.root), "MARIMO_SKIP_UPDATE_CHECK": "1"})
    address = f"http://{HOST}:{port}"
    print(address, flush=True)
    say("the dashboard runs until you press Ctrl-C")
    if browser:
        webbrowser.open(address)
    server = subprocess.Popen(command, env=environment)
    try:
        if server.wait() != 0:
            raise StepFailed(f"the dashboard's server ended with exit code {server.returncode}")
    except KeyboardInterrupt:
        server.wait()
    finally:
        if server.poll() is None:
            server.terminate()
            server.wait()


def _free_port(port: int) -> int:
    """Return the port, or a free one for 0.

    Raises:
        UsageError: another program listens there.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise UsageError(f"port {port} is taken on {HOST}: give another with --port, or 0 for a free one") from None
        return int(probe.getsockname()[1])
