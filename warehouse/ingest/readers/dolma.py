"""Dolma documents: one JSON object per line, UTF-8, plain, gzip or zstd."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from warehouse.ingest.readers.compressed import UnreadableFile, read_blocks
from warehouse.ingest.readers.records import (
    MAX_DOCUMENT_BYTES,
    PIECE_BYTES,
    Piece,
    Records,
    Rejected,
    language_field,
    too_large,
)

FORMAT = "dolma"
_BOM = b"\xef\xbb\xbf"


def pieces(path: Path, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> Iterator[Piece]:
    """Cut a file into pieces of whole lines, about `PIECE_BYTES` each; a longer line is a piece of its own.

    Of a line of more than `max_bytes` no more than these are ever held. In its piece an empty line has its place.
    """
    whole: list[bytes] = []  # lines with their ends
    begun: list[bytes] = []  # the line that goes on
    n_whole = n_begun = n_source = n_lines = n_total = 0
    rejects: list[Rejected] = []

    def piece(payload: list[bytes]) -> Piece:
        return Piece(FORMAT, b"".join(payload), n_lines + 1, n_source, tuple(rejects))

    def next_line() -> int:
        return n_lines + sum(part.count(b"\n") for part in whole) + 1

    try:
        for block, n_read in read_blocks(path):
            n_source += n_read
            if n_total == 0:
                block = block.removeprefix(_BOM)
            n_total += len(block)
            end = block.rfind(b"\n") + 1
            if not end:
                n_begun += len(block)
                if n_begun <= max_bytes:
                    begun.append(block)
                else:
                    begun.clear()
                continue
            first = block.index(b"\n")
            if n_begun and n_begun + first > max_bytes:
                rejects.append(too_large(next_line(), max_bytes))
                begun, block, end = [], block[first:], end - first
            whole += [*begun, block[:end]]
            n_whole += sum(map(len, begun)) + end
            begun, n_begun = [block[end:]], len(block) - end
            if n_whole + n_begun >= PIECE_BYTES:
                yield piece(whole)
                n_lines, n_source, n_whole, whole, rejects = next_line() - 1, 0, 0, [], []
    except UnreadableFile as problem:
        last = next_line() - 1
        rejects.append(Rejected(None, problem.reason, f"after line {last}: {problem.detail}"))
        begun, n_begun = [], 0
    if n_total == 0 and not rejects:
        rejects.append(Rejected(None, "empty file"))
    if n_begun > max_bytes:
        rejects.append(too_large(next_line(), max_bytes))
        begun = []
    yield piece([*whole, *begun])


def parse(piece: Piece, *, lang_column: str | None = None, max_bytes: int = MAX_DOCUMENT_BYTES) -> Records:
    """Read the lines of a piece. Blank lines are no records."""
    records = Records.of(piece)
    if piece.payload.isspace():
        return records
    for line_number, line in enumerate(piece.payload.split(b"\n"), start=piece.first_line):
        if not line or line.isspace():
            continue
        records.n_read += 1
        if len(line) > max_bytes:
            records.rejects.append(too_large(line_number, max_bytes))
            continue
        try:
            record = json.loads(line.decode())
        except UnicodeDecodeError as error:
            records.reject(line_number, "invalid UTF-8", f"byte {error.start} of the line: {error.reason}")
        except (ValueError, RecursionError) as error:
            records.reject(line_number, "invalid JSON", f"{error}: {line[:80].decode(errors='replace')}")
        else:
            _add(records, line_number, record, lang_column)
    return records


def _add(records: Records, line_number: int, record: Any, lang_column: str | None) -> None:
    if not isinstance(record, dict):
        records.reject(line_number, "not a JSON object", type(record).__name__)
        return
    text, source_id, source = record.get("text"), record.get("id"), record.get("source")
    if text is None:
        records.reject(line_number, "missing text")
    elif not isinstance(text, str):
        records.reject(line_number, "text is not a string", type(text).__name__)
    elif source_id is None or source_id == "":
        records.reject(line_number, "missing id", text[:80])
    elif isinstance(source_id, bool) or not isinstance(source_id, str | int):
        records.reject(line_number, "id is not a string", type(source_id).__name__)
    else:
        records.add(
            line_number,
            source_id=str(source_id),
            source=source if isinstance(source, str) else "",
            lang=language_field(record, lang_column),
            text=text,
        )
