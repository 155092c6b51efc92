"""Content hashes: identities that do not depend on position, order, machine or time."""

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

_SIGN_BIT_CLEAR = (1 << 63) - 1


def id64(*parts: str) -> int:
    """Return a non-negative 63-bit identity of a tuple of strings (fits a signed BIGINT everywhere)."""
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
    """Return the hex blake2b of a file's bytes, read in blocks: two digits for each byte of `digest_size`."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, partial(hashlib.blake2b, digest_size=digest_size)).hexdigest()
