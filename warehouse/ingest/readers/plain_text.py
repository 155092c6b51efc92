"""Plain text: one file is one document, UTF-8, plain, gzip or zstd. It is identified by its text."""

from collections.abc import Iterator
from pathlib import Path

from warehouse.ingest.readers.compressed import UnreadableFile, read_blocks
from warehouse.ingest.readers.records import Piece, Records, Rejected

FORMAT = "text"


def pieces(path: Path) -> Iterator[Piece]:
    """Read a file as one piece. A file that is cut off gives no document: its end cannot be known."""
    try:
        content = b"".join(block for block, _ in read_blocks(path))
        rejects = () if content else (Rejected(None, "empty file"),)
    except UnreadableFile as problem:
        content, rejects = b"", (Rejected(None, problem.reason, problem.detail),)
    yield Piece(FORMAT, content, 1, path.stat().st_size, rejects)


def parse(piece: Piece) -> Records:
    """Read the document of a piece."""
    records = Records(rejects=list(piece.rejects))
    if piece.payload:
        try:
            text = piece.payload.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            records.reject(None, "invalid UTF-8", f"byte {error.start} of the file: {error.reason}")
        else:
            records.add(1, source_id=None, source="", lang=None, text=text)
    return records
