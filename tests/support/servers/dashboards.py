"""A dashboard that runs while something looks at it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from support.servers.browser import Browsing
from warehouse.base.settings import Home


@contextlib.contextmanager
def served(home: Home) -> Iterator[str]:
    """Run the command on a free port and yield the address that it prints, key included; end it as Ctrl-C does."""
    with started_dashboard(home) as (address, _):
        yield address


@contextlib.contextmanager
def started_dashboard(home: Home) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Do what `served` does, and yield the program too, which may be ended."""
    program = [sys.executable, "-c", "from warehouse.cli import main; main()"]
    command = [*program, "dashboard", "--no-browser", "--port", "0", "--home", str(home.root)]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?access_token=[\w-]{32}", address)
        assert found, address
        _wait_for(int(found[1]))
        yield address, server
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGINT)
            server.wait(timeout=30)


def _wait_for(port: int, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert time.monotonic() < end, "the dashboard does not listen"
        time.sleep(0.05)


def open_page(tab: Browsing, name: str) -> None:
    tab.page.get_by_role("tab", name=name, exact=True).click()


def without_key(address: str) -> str:
    """Return where a dashboard listens, from the address that it prints."""
    return address.partition("/?")[0]
