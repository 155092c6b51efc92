"""Dolma documents: one JSON object per line, UTF-8, plain, gzip or zstd."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from warehouse.ingest.readers.compressed import UnreadableFile, read_blocks
from warehouse.ingest.readers.records import PIECE_BYTES, Piece, Records, Rejected, language_field

FORMAT = "dolma"
_BOM = b"\xef\xbb\xbf"


def pieces(path: Path) -> Iterator[Piece]:
    """Cut a file into pieces of whole lines, about `PIECE_BYTES` each; a longer line is a piece of its own."""
    held: list[bytes] = []
    n_held = n_source = n_lines = n_total = 0
    rejects: tuple[Rejected, ...] = ()
    try:
        for block, n_read in read_blocks(path):
            n_source += n_read
            if n_total == 0:
                block = block.removeprefix(_BOM)
            n_total += len(block)
            end = block.rfind(b"\n") + 1
            if end and n_held + end >= PIECE_BYTES:
                lines = b"".join([*held, block[:end]])
                yield Piece(FORMAT, lines, n_lines + 1, n_source)
                n_lines += lines.count(b"\n")
                held, n_held, n_source = [block[end:]], len(block) - end, 0
            else:
                held.append(block)
                n_held += len(block)
    except UnreadableFile as problem:
        last = b"".join(held)
        complete = last[: last.rfind(b"\n") + 1]
        n_complete = n_lines + complete.count(b"\n")
        rejects = (Rejected(None, problem.reason, f"after line {n_complete}: {problem.detail}"),)
        held = [complete]
    if n_total == 0 and not rejects:
        rejects = (Rejected(None, "empty file"),)
    yield Piece(FORMAT, b"".join(held), n_lines + 1, n_source, rejects)


def parse(piece: Piece, *, lang_column: str | None = None) -> Records:
    """Read the lines of a piece. Blank lines are no records."""
    records = Records(rejects=list(piece.rejects))
    for line_number, line in enumerate(piece.payload.split(b"\n"), start=piece.first_line):
        if not line or line.isspace():
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
