"""Files of a shared lake: put one there whole or not at all, in a folder or in S3-compatible object storage.

Credentials come from the environment only (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION,
AWS_ENDPOINT_URL) and stay in memory: nothing here or in DuckDB's secrets is written to disk.
"""

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import duckdb

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.sql_text import literal
from warehouse.contract.atomic import atomic_file

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

_BLOCK_BYTES = 16 << 20  # of one part of a multipart upload
_FRESH_S = 12 * 3600.0  # orphans are removed when they are a day old
_AWS_ENDPOINT = "https://s3.amazonaws.com"


@dataclass(frozen=True)
class ObjectStore:
    """How to reach an object storage, from the environment."""

    key_id: str
    secret: str
    session_token: str | None
    region: str
    endpoint: str  # scheme and host

    @property
    def host(self) -> str:
        return urlsplit(self.endpoint).netloc

    @property
    def is_plain_http(self) -> bool:
        return urlsplit(self.endpoint).scheme == "http"


def object_store() -> ObjectStore | None:
    """Return what the environment says of the object storage, or None when it names no key.

    Raises:
        UsageError: a key without its secret, or an endpoint that is no URL.
    """
    key_id, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
    if not key_id:
        return None
    if not secret:
        raise UsageError("AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not: object storage needs both")
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or _AWS_ENDPOINT
    if urlsplit(endpoint).scheme not in ("http", "https") or not urlsplit(endpoint).netloc:
        raise UsageError(f"AWS_ENDPOINT_URL {endpoint}: give scheme and host, for example http://127.0.0.1:9000")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return ObjectStore(key_id, secret, os.environ.get("AWS_SESSION_TOKEN"), region, endpoint)


def give_secret(connection: duckdb.DuckDBPyConnection, store: ObjectStore) -> None:
    """Let a connection read and write the object storage; the secret lives as long as the connection."""
    options = {"type": "s3", "key_id": store.key_id, "secret": store.secret, "region": store.region}
    if store.session_token:
        options["session_token"] = store.session_token
    if store.endpoint != _AWS_ENDPOINT:
        options |= {"endpoint": store.host, "url_style": "path"}
    listed = ", ".join(f"{name} {literal(value)}" for name, value in options.items())
    ssl = f"use_ssl {'false' if store.is_plain_http else 'true'}"
    connection.execute(f"create or replace temporary secret object_store ({listed}, {ssl})")


def put(local: Path, data: str, name: str) -> str:
    """Put a file below the lake's data path under a name that carries its content; return its full path or URL.

    A file that is there already is left alone: its name says that it holds the same. What a killed upload leaves is
    never visible under the name.

    Raises:
        StepFailed: the storage cannot be written.
    """
    try:
        return _put_object(local, data + name) if data.startswith("s3://") else _put_file(local, Path(data) / name)
    except OSError as error:
        raise StepFailed(f"{data}{name} cannot be written: {' '.join(str(error).split())}") from None


def get(url: str, target: Path) -> None:
    """Copy a file of the lake to a path of this machine, whole or not at all.

    Raises:
        StepFailed: it cannot be read.
    """
    try:
        with atomic_file(target) as unfinished:
            if not url.startswith("s3://"):
                shutil.copyfile(url, unfinished)
                return
            with _s3().open_input_stream(url.removeprefix("s3://")) as source, unfinished.open("wb") as written:
                shutil.copyfileobj(source, written, _BLOCK_BYTES)
    except OSError as error:
        raise StepFailed(f"{url} cannot be read: {' '.join(str(error).split())}") from None


def _put_file(local: Path, target: Path) -> str:
    if target.exists():
        os.utime(target)  # what a killed writer left is new again, and not taken for an orphan
    else:
        with atomic_file(target) as unfinished:  # no link: a link has the age of the home's file
            shutil.copyfile(local, unfinished)
    return str(target)


def _put_object(local: Path, url: str) -> str:
    from pyarrow.fs import FileType

    system, key = _s3(), url.removeprefix("s3://")
    info = system.get_file_info(key)
    is_there = info.type == FileType.File and info.size == local.stat().st_size
    if not is_there or time.time() - info.mtime_ns / 1e9 > _FRESH_S:  # an old one may be taken for an orphan
        # appears under its name when the stream is closed
        with local.open("rb") as source, system.open_output_stream(key) as target:
            while block := source.read(_BLOCK_BYTES):
                target.write(block)
    return url


def _s3() -> "FileSystem":
    from pyarrow.fs import S3FileSystem

    store = object_store()
    assert store is not None, "the caller has checked that there are credentials"
    other = {} if store.endpoint == _AWS_ENDPOINT else {"endpoint_override": store.host}
    return S3FileSystem(
        access_key=store.key_id,
        secret_key=store.secret,
        session_token=store.session_token,
        region=store.region,
        scheme="http" if store.is_plain_http else "https",
        connect_timeout=10,
        **other,
    )
