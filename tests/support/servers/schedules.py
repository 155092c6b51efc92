"""A `pivots schedule` that runs while something talks to its server."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from warehouse.base.settings import Home

_START_S = 180.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def credentials(home: Home) -> tuple[str, str]:
    """Return user and password of the home's server, as a client on this machine finds them."""
    user, _, password = (home.prefect / "password").read_text().partition(":")
    return user, password


@contextlib.contextmanager
def scheduled(home: Home, log: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run the command on a free port; yield the server's address once flows can be run, and the program."""
    port = free_port()
    program = [sys.executable, "-c", "from warehouse.cli import main; main()"]
    command = [*program, "schedule", "--home", str(home.root), "--port", str(port)]
    with log.open("wb") as out:
        started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=out, env={**os.environ})
    try:
        assert started.stdout is not None
        end = time.monotonic() + _START_S
        assert started.stdout.readline().startswith(b"http://127.0.0.1"), log.read_text()
        assert time.monotonic() < end
        assert httpx.get(f"http://127.0.0.1:{port}/api/health").is_success
        yield f"http://127.0.0.1:{port}", started
    finally:
        if started.poll() is None:
            started.send_signal(signal.SIGINT)
            started.wait(60)
