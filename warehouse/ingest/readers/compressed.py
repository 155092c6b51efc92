"""Blocks of a plain, gzip or zstd file, told apart by their first bytes; several members or frames are one stream."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import zstandard

_READ_BYTES = 1 << 18
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_MAX_WINDOW = 1 << 31  # `zstd --long=31`, the largest window the format's tools write


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
    """Yield (decompressed bytes, bytes of the file read for them).

    Raises:
        UnreadableFile: the file is cut off or its compression is broken; after everything readable was yielded.
    """
    with path.open("rb") as stream:
        head = stream.read(_READ_BYTES)
        new_member: Callable[[], Any]
        if head.startswith(_GZIP):
            new_member, padding = (lambda: zlib.decompressobj(wbits=31)), b"\0"
        elif head.startswith(_ZSTD):
            zstd = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
            new_member, padding = (lambda: zstd.decompressobj()), b""
        else:
            while head:
                yield head, len(head)
                head = stream.read(_READ_BYTES)
            return
        member: Any = None
        while head:
            n_read, data = len(head), head
            while data:
                if member is None:
                    data = data.lstrip(padding) if padding else data  # gzip files may be padded with zeros
                    if not data:
                        break
                    member = new_member()
                try:
                    decompressed = member.decompress(data)
                except (zlib.error, zstandard.ZstdError) as error:
                    raise UnreadableFile("broken compression", f"after byte {stream.tell()}: {error}") from None
                data = member.unused_data if member.eof else b""
                if member.eof:
                    member = None
                yield decompressed, n_read
                n_read = 0
            head = stream.read(_READ_BYTES)
        if member is not None:
            raise UnreadableFile("truncated file", f"the stream stops at byte {stream.tell()} without an end")
