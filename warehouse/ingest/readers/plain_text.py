"""Plain text: one file is one document, UTF-8, plain, gzip or zstd. It is identified by its text."""

from collections.abc import Iterator
from pathlib import Path

from warehouse.ingest.readers.compressed import UnreadableFile, read_blocks
from warehouse.ingest.readers.records import MAX_DOCUMENT_BYTES, Piece, Records, Rejected, too_large

FORMAT = "text"


def pieces(path: Path, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> Iterator[Piece]:
    """Read a file as one piece. A file that is cut off gives no document: its end cannot be known."""
    try:
        content = _read(path, max_bytes)
        reject = None if content else Rejected(None, "empty file")
        if content is None:
            reject = too_large(None, max_bytes)
    except UnreadableFile as problem:
        content, reject = None, Rejected(None, problem.reason, problem.detail)
    yield Piece(FORMAT, content or b"", 1, path.stat().st_size, (reject,) if reject else ())


def _read(path: Path, max_bytes: int) -> bytes | None:
    """Return what a file holds, None when that is more than `max_bytes`; the rest is not read then."""
    blocks, n_bytes = [], 0
    for block, _ in read_blocks(path):
        blocks.append(block)
        n_bytes += len(block)
        if n_bytes > max_bytes:
            return None
    return b"".join(blocks)


def parse(piece: Piece) -> Records:
    """Read the document of a piece."""
    records = Records.of(piece)
    if piece.payload:
        records.n_read += 1
        try:
            text = piece.payload.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            records.reject(None, "invalid UTF-8", f"byte {error.start} of the file: {error.reason}")
        else:
            records.add(1, source_id=None, source="", lang=None, text=text)
    return records
