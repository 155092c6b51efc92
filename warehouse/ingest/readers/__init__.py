"""Readers: files of one format in, records and rejected records out.

A format is two functions. `pieces(path, ...)` cuts a file into pieces, cheaply, in one process; `parse(piece)` turns
one piece into records, in any process. Both see a file in order and hold a bounded part of it.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from warehouse.ingest.readers import dolma, hf_parquet, memmap, plain_text
from warehouse.ingest.readers.records import MAX_DOCUMENT_BYTES, Piece, Records

FORMATS = (dolma.FORMAT, hf_parquet.FORMAT, memmap.FORMAT, plain_text.FORMAT)


def pieces(
    path: Path,
    file_format: str,
    *,
    vocab_size: int,
    instances: npt.NDArray[np.int64] | None = None,
    max_bytes: int = MAX_DOCUMENT_BYTES,
) -> Iterator[Piece]:
    """Cut a file of a known format into pieces; of a memmap file only some instances, when they are given.

    Args:
        max_bytes: of the longest line or document that is read; longer ones are rejects.
    """
    if file_format == dolma.FORMAT:
        return dolma.pieces(path, max_bytes=max_bytes)
    if file_format == hf_parquet.FORMAT:
        return hf_parquet.pieces(path)
    if file_format == memmap.FORMAT:
        return memmap.pieces(path, vocab_size, instances)
    assert file_format == plain_text.FORMAT, file_format
    return plain_text.pieces(path, max_bytes=max_bytes)


def parse(
    piece: Piece, *, lang_column: str | None, eos_token_id: int | None, max_bytes: int = MAX_DOCUMENT_BYTES
) -> Records:
    """Read the records of a piece."""
    if piece.format == dolma.FORMAT:
        return dolma.parse(piece, lang_column=lang_column, max_bytes=max_bytes)
    if piece.format == hf_parquet.FORMAT:
        return hf_parquet.parse(piece, lang_column=lang_column, max_bytes=max_bytes)
    if piece.format == memmap.FORMAT:
        assert eos_token_id is not None
        return memmap.parse(piece, eos_token_id=eos_token_id)
    return plain_text.parse(piece)
