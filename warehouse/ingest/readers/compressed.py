"""Blocks of a plain, gzip or zstd file, told apart by their first bytes; several members or frames are one stream.

Blocks are small whatever the file holds: a zstd block of 4 bytes may stand for 128 KiB, and a file of 131 kB for 4 GiB.
"""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import zstandard

_READ_BYTES = 1 << 18
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_MAX_WINDOW = 1 << 31  # `zstd --long=31`, the largest window the format's tools write; touched as far as it is filled
_BLOCK_BYTES = 1 << 20
# Compressed bytes that are decompressed at once, since the library returns all that comes of them: at most 64 MiB of
# zstd (1 : 32,768), 32 MiB of gzip (1 : 1,032).
_ZSTD_BYTES = 1 << 11
_GZIP_BYTES = 1 << 15


class UnreadableFile(Exception):
    """A file cannot be read from some place on; what was yielded before is good.

    Attributes:
        reason: a short fixed phrase for raw.rejects.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def read_blocks(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yield (decompressed bytes, at most `_BLOCK_BYTES` of them; bytes of the file read for them).

    Raises:
        UnreadableFile: the file is cut off or its compression is broken; after everything readable was yielded.
    """
    with path.open("rb") as stream:
        head = stream.read(_READ_BYTES)
        new_member: Callable[[], Any]
        if head.startswith(_GZIP):
            new_member, padding, at_once = (lambda: zlib.decompressobj(wbits=31)), b"\0", _GZIP_BYTES
        elif head.startswith(_ZSTD):
            zstd = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
            new_member, padding, at_once = (lambda: zstd.decompressobj()), b"", _ZSTD_BYTES
        else:
            while head:
                yield head, len(head)
                head = stream.read(_READ_BYTES)
            return
        member: Any = None
        while head:
            n_read, rest, data = len(head), head, b""
            while data or rest:
                if not data:
                    data, rest = rest[:at_once], rest[at_once:]
                if member is None:
                    data = data.lstrip(padding) if padding else data  # gzip files may be padded with zeros
                    if not data:
                        continue
                    member = new_member()
                try:
                    decompressed = member.decompress(data)
                except (zlib.error, zstandard.ZstdError) as error:
                    raise UnreadableFile("broken compression", f"after byte {stream.tell()}: {error}") from None
                data = member.unused_data if member.eof else b""
                if member.eof:
                    member = None
                for start in range(0, len(decompressed) or 1, _BLOCK_BYTES):
                    yield decompressed[start : start + _BLOCK_BYTES], n_read
                    n_read = 0
            head = stream.read(_READ_BYTES)
        if member is not None:
            raise UnreadableFile("truncated file", f"the stream stops at byte {stream.tell()} without an end")


def read_lines(path: Path, *, max_bytes: int) -> Iterator[tuple[int, bytes | None]]:
    """Yield (1-based number, line without its end); None for a line of more than `max_bytes`, which is not held.

    A byte order mark is left out. The last line of a file that is cut off is not yielded.

    Raises:
        UnreadableFile: see `read_blocks`; after every whole line before was yielded.
    """
    number, line, n_bytes = 1, bytearray(), 0
    is_first = True
    for block, _ in read_blocks(path):
        if is_first and block:
            block, is_first = block.removeprefix(b"\xef\xbb\xbf"), False
        *whole, rest = block.split(b"\n")
        for part in whole:
            n_bytes += len(part)
            yield number, bytes(line + part) if n_bytes <= max_bytes else None
            number, n_bytes = number + 1, 0
            line.clear()
        n_bytes += len(rest)
        if n_bytes <= max_bytes:
            line += rest
        else:
            line.clear()
    if n_bytes:
        yield number, bytes(line) if n_bytes <= max_bytes else None
