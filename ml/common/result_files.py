"""Files the ml programs leave behind: atomic writes, content hashes, result tables, run records."""

import contextlib
import hashlib
import json
import os
import platform
import secrets
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ml.common.schemas import RESULT

_UNFINISHED = ".unfinished-"
_SIGN_BIT_CLEAR = (1 << 63) - 1


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it replaces `path` in one rename, on failure it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.parent / f"{_UNFINISHED}{secrets.token_hex(4)}-{path.name}"
    try:
        yield unfinished
        with unfinished.open("rb+") as stream:
            os.fsync(stream.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path` that becomes `path` in one rename; an older `path` is removed first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.parent / f"{_UNFINISHED}{secrets.token_hex(4)}-{path.name}"
    unfinished.mkdir()
    try:
        yield unfinished
        shutil.rmtree(path, ignore_errors=True)
        os.rename(unfinished, path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def remove_unfinished(folder: Path) -> None:
    """Delete what a killed run left in its own output folder."""
    for path in list(folder.rglob(f"{_UNFINISHED}*")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def id64(*parts: str) -> int:
    """Return a non-negative 63-bit identity of a tuple of strings (the warehouse's rule)."""
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") & _SIGN_BIT_CLEAR


def short_hash(value: Any) -> str:
    """Return 12 hex digits that identify a JSON-serialisable value, whatever the order of its keys."""
    canonical = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.blake2b(canonical.encode(), digest_size=6).hexdigest()


def text_hash(text: str) -> str:
    """Return 32 hex digits of a text."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def file_hash(path: Path, *, digest_size: int = 16) -> str:
    """Return the hex blake2b of a file's bytes, read in blocks."""
    digest = hashlib.blake2b(digest_size=digest_size)
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_result(out: Path, table_name: str, rows: pa.Table) -> Path:
    """Write a result table under its schema as `<out>/results/<table>.parquet`, atomically; return the path."""
    schema = RESULT[table_name]
    path = out / "results" / f"{table_name}.parquet"
    with atomic_file(path) as unfinished:
        pq.write_table(rows.select(schema.names).cast(schema), unfinished, compression="zstd")
    return path


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically."""
    with atomic_file(path) as unfinished:
        unfinished.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text())


def versions() -> dict[str, str]:
    """Return the versions that a result may depend on."""
    packages = ("torch", "transformers", "accelerate", "tokenizers", "numpy", "pyarrow")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
