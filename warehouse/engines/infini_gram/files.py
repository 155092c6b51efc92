"""The files of an infini-gram index (version 4) in a folder: shard i is `tokenized.i`, `table.i` and `offset.i`.

`tokenized` holds the documents' token ids as little-endian integers, each document after a separator whose bits are all
1; `offset` (uint64) the byte at which each separator stands; `table` is the suffix array: for every token, separators
included, in the order of the bytes that follow, its byte in `tokenized`, in as few bytes as hold any of them.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from warehouse.base.errors import UsageError

PARTS = ("tokenized", "table", "offset")
NOT_INSTALLED = (
    "the package infini-gram is not installed (Linux on x86-64 only): pip install 'semantic-pivots[infini-gram]'"
)
_SAMPLED_BYTES = 1 << 20
_SAMPLED_DOCS = 1000


@dataclass(frozen=True)
class Shard:
    """One shard, mapped into memory."""

    token_bytes: int  # 2 or 4
    n_tokens: int  # separators included
    table: npt.NDArray[np.uint8]  # shape (n_tokens, bytes of a pointer)
    offsets: npt.NDArray[np.uint64]  # byte of each document's separator

    def documents(self, begin: int, end: int) -> npt.NDArray[np.int64]:
        """Return the distinct documents, ascending, that hold the places of ranks begin to end (exclusive)."""
        places = np.zeros(end - begin, np.uint64)
        for byte in range(self.table.shape[1]):
            places |= self.table[begin:end, byte].astype(np.uint64) << np.uint64(8 * byte)
        return np.unique(np.searchsorted(self.offsets, places, "right") - 1)


def open_shards(folder: Path) -> list[Shard]:
    """Return the shards of an index, in the order of the engine (by name).

    Raises:
        UsageError: the folder holds no whole index.
    """
    names = sorted(path.name.removeprefix("tokenized") for path in folder.glob("tokenized.*"))
    if not names:
        raise UsageError(f"--index {folder}: no infini-gram index there (no file tokenized.0)")
    return [_open_shard(folder, name) for name in names]


def _open_shard(folder: Path, name: str) -> Shard:
    tokenized, table, offset = (folder / f"{part}{name}" for part in PARTS)
    for path in (table, offset):
        if not path.is_file():
            raise UsageError(f"--index {folder}: the index is not whole, {path.name} is missing")
    n_bytes = tokenized.stat().st_size
    if not n_bytes or not offset.stat().st_size:
        raise UsageError(f"--index {folder}: {tokenized.name} or {offset.name} is empty")
    offsets = np.memmap(offset, np.uint64, "r")
    token_bytes = _token_bytes(np.memmap(tokenized, np.uint8, "r"), offsets[:_SAMPLED_DOCS])
    n_tokens = n_bytes // (token_bytes or 1)
    if not token_bytes or n_bytes % token_bytes or table.stat().st_size != n_tokens * pointer_bytes(n_bytes):
        raise UsageError(
            f"--index {folder}: {tokenized.name}, {table.name} and {offset.name} do not fit together: not an index of "
            "version 4 with 16- or 32-bit tokens, or not whole"
        )
    return Shard(token_bytes, n_tokens, np.memmap(table, np.uint8, "r").reshape(n_tokens, -1), offsets)


def pointer_bytes(n_bytes: int) -> int:
    """Return the size in bytes of a pointer into that many bytes, as the package's indexing has it."""
    return int(np.ceil(np.log2(n_bytes) / 8))


def _token_bytes(tokenized: npt.NDArray[np.uint8], offsets: npt.NDArray[np.uint64]) -> int:
    """Return the width of a token from the separators before the first documents; 0 when one is missing."""
    ends = np.append(offsets[1:], np.uint64(len(tokenized)))
    for begin, end in zip(offsets.tolist(), ends.tolist(), strict=True):
        if end - begin < 8:
            continue  # too short to tell two separators of 16 bits, around an empty document, from one of 32
        separator = tokenized[begin : begin + 4]
        return 4 if (separator == 0xFF).all() else 2 if (separator[:2] == 0xFF).all() else 0
    return 2


def fingerprint(folder: Path) -> str:
    """Return 32 hex digits of an index's files: names, sizes, first and last MiB. Indexes of terabytes are not read."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(p for part in PARTS for p in folder.glob(f"{part}.*")):
        size = path.stat().st_size
        digest.update(f"{path.name}\x1f{size}\x1e".encode())
        with path.open("rb") as stream:
            digest.update(stream.read(_SAMPLED_BYTES))
            stream.seek(max(0, size - _SAMPLED_BYTES))
            digest.update(stream.read())
    return digest.hexdigest()
