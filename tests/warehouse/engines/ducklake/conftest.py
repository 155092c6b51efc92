"""A real PostgreSQL on a free port, a local S3 server, and homes that are registered in lakes."""

from collections.abc import Iterator

import pytest

from support.servers.databases import Postgres, S3Server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests; each takes databases of its own."""
    with Postgres.started() as server:
        yield server


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """One S3 server with one bucket, `lake`."""
    with S3Server.started() as server:
        yield server
