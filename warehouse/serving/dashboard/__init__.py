"""The dashboard: an app in the browser on the published copy, served on this machine, to who has its address."""

import contextlib
import importlib.util
import os
import secrets
import tempfile
import threading
import webbrowser
from pathlib import Path

from warehouse.base.child_process import child_process
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.ports import LOCAL_HOST, free_port
from warehouse.base.programs import module_command, program_environment
from warehouse.base.progress import say
from warehouse.base.settings import Home
from warehouse.lake.first_step import nothing_published
from warehouse.serving.dashboard.server import TOKEN_VARIABLE

APP = Path(__file__).with_name("app.py")
_PAGE_S = 30.0  # by then the browser has read the page that leads to the address


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
        raise UsageError(nothing_published(home))
    port = free_port(port)
    token = secrets.token_urlsafe(24)
    environment = program_environment(
        {"PIVOTS_HOME": str(home.root), "MARIMO_SKIP_UPDATE_CHECK": "1", TOKEN_VARIABLE: token}
    )
    address = f"http://{LOCAL_HOST}:{port}/?access_token={token}"
    command = module_command("warehouse.serving.dashboard.server", port)
    with child_process(command, env=environment) as server, contextlib.suppress(KeyboardInterrupt):
        print(address, flush=True)
        say("the address holds this session's key; the dashboard runs until you press Ctrl-C")
        if browser:
            _open_browser(home, address)
        if server.wait() != 0:
            raise StepFailed(f"the dashboard's server ended with exit code {server.returncode}")


def _open_browser(home: Home, address: str) -> None:
    """Open a page that leads to the address: other users of the machine can read what a browser was started with."""
    # readable by this user only
    descriptor, name = tempfile.mkstemp(prefix="dashboard-", suffix=".html", dir=home.root)
    page = Path(name)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={address}">\n')
    webbrowser.open(page.as_uri())
    remove = threading.Timer(_PAGE_S, page.unlink, kwargs={"missing_ok": True})
    remove.daemon = True
    remove.start()
