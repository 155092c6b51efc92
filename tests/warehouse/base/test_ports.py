"""Ports of this machine."""

import socket

import pytest

from warehouse.base.errors import UsageError
from warehouse.base.ports import LOCAL_HOST, free_port


def test_a_port_that_is_taken_is_refused_and_0_finds_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind((LOCAL_HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"--port {port} on 127\.0\.0\.1: .*give another, or 0"):
            free_port(port)
        found = free_port(0)
    assert found not in (0, port)
    assert free_port(found) == found
