"""Servers that tests start and kill: PostgreSQL as Debian packages it, and moto as S3."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_START_S = 30.0
_NOT_AS_ROOT = "postgres"  # PostgreSQL refuses to run as root; Debian's package brings this user


def postgres_folder() -> Path:
    """Return where PostgreSQL's programs are; skip the test when there are none."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    found = [p for p in folders if (p / "initdb").exists()]
    if not found and (initdb := shutil.which("initdb")):
        found = [Path(initdb).resolve().parent]
    if not found:
        pytest.skip("needs PostgreSQL: `make test-deps`, or apt-get install postgresql")
    return found[-1]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Postgres:
    """One PostgreSQL server in a folder of its own, which dies and comes back as tests ask."""

    programs: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    _databases: int = field(default=0)

    @classmethod
    @contextlib.contextmanager
    def started(cls) -> Iterator["Postgres"]:
        programs = postgres_folder()
        folder = Path(tempfile.mkdtemp(prefix="lake-postgres-"))
        try:
            if os.geteuid() == 0:
                os.chown(folder, pwd.getpwnam(_NOT_AS_ROOT).pw_uid, pwd.getpwnam(_NOT_AS_ROOT).pw_gid)
            server = cls(programs, folder, free_port())
            server._run(
                "initdb", "-D", str(folder / "data"), "-A", "trust", "-U", "pivots", "--locale", "C", "-E", "UTF8"
            )
            server.start()
            try:
                yield server
            finally:
                server.kill()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def start(self) -> None:
        """Start, and wait until it answers; after a kill it first plays back its log."""
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = self._command("postgres", "-D", str(self.folder / "data"), "-p", str(self.port), *options)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + _START_S
        while not self._answers():
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """End the server and all that serves its connections with SIGKILL."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
            time.sleep(0.2)  # its children are dead a moment later, and only then is its memory free

    def new_catalog(self) -> str:
        """Make an empty database; return its address as a catalogue."""
        self._databases += 1
        name = f"lake_{self._databases}"
        self._run("createdb", *self._where(), name)
        return f"ducklake:postgres:dbname={name} host=127.0.0.1 port={self.port} user=pivots"

    def _answers(self) -> bool:
        command = [str(self.programs / "pg_isready"), "-q", *self._where()]
        return subprocess.run(command, check=False).returncode == 0

    def _where(self) -> list[str]:
        return ["-h", "127.0.0.1", "-p", str(self.port), "-U", "pivots"]

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(self._command(program, *arguments), check=True, capture_output=True)

    def _command(self, program: str, *arguments: str) -> list[str]:
        user = pwd.getpwnam(_NOT_AS_ROOT) if os.geteuid() == 0 else None
        prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"] if user else []
        return [*prefix, str(self.programs / program), *arguments]


@dataclass
class S3Server:
    """A local server that speaks S3."""

    endpoint: str
    key_id: str = "a-key-id"
    secret: str = "a-secret-of-nobody"

    @classmethod
    @contextlib.contextmanager
    def started(cls) -> Iterator["S3Server"]:
        pytest.importorskip("moto.server", reason="needs moto, flask and flask-cors: `make setup`")
        port = free_port()
        program = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
        process = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        server = cls(f"http://127.0.0.1:{port}")
        try:
            deadline = time.monotonic() + _START_S
            while not _listens(port):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            server.client().create_bucket(Bucket="lake")
            yield server
        finally:
            process.kill()
            process.wait()

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": self.key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def client(self) -> Any:
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.key_id,
            aws_secret_access_key=self.secret,
        )

    def keys(self, prefix: str) -> dict[str, dict]:
        """Return what is stored below a prefix, by key."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix=prefix)
        return {found["Key"]: found for page in pages for found in page.get("Contents", ())}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
