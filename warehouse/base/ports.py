"""Ports of this machine for servers that only it reaches."""

import socket

from warehouse.base.errors import UsageError

LOCAL_HOST = "127.0.0.1"


def free_port(port: int) -> int:
    """Return a port of 127.0.0.1 that nobody listens on: the one that is asked for, or any for 0.

    Raises:
        UsageError: the port is taken, or not this user's to take.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCAL_HOST, port))
        except OSError as problem:
            raise UsageError(
                f"--port {port} on {LOCAL_HOST}: {problem.strerror}; give another, or 0 for a free one"
            ) from None
        return int(probe.getsockname()[1])
