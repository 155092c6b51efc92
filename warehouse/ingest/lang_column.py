"""Whether `--lang-column` names anything: a slip would otherwise give every document a detector's language."""

from collections.abc import Iterable

from warehouse.base.errors import UsageError
from warehouse.ingest.readers import dolma, hf_parquet, parse, pieces
from warehouse.ingest.readers.records import Piece
from warehouse.ingest.workers import Source

_WITH_FIELDS = (dolma.FORMAT, hf_parquet.FORMAT)


def check_lang_column(sources: Iterable[Source], lang_column: str) -> None:
    """Look for a record that states its language there; the first one ends the search, in most files at once.

    Raises:
        UsageError: there are records, and none of them does, or none has fields: plain text and tokens.
    """
    n_records = n_without_fields = 0
    for source in sources:
        if source.file.format not in _WITH_FIELDS:
            n_without_fields += 1
            continue
        max_bytes = source.origin.max_document_bytes
        for piece in pieces(source.file.path, source.file.format, vocab_size=0, max_bytes=max_bytes):
            if n_records and _cannot_hold(piece, lang_column):
                continue
            records = parse(piece, lang_column=lang_column, eos_token_id=None, max_bytes=max_bytes)
            if any(records.langs):
                return
            n_records += len(records.langs)
    if n_records:
        raise UsageError(
            f"--lang-column {lang_column}: no record states its language there; name another column, or leave it out"
        )
    if n_without_fields:
        raise UsageError(f"--lang-column {lang_column}: plain text and token files have no columns; give --lang CODE")


def _cannot_hold(piece: Piece, lang_column: str) -> bool:
    """Tell whether a piece of lines surely lacks the name: JSON may spell it with escapes, but only by a backslash."""
    name = lang_column.split(".")[-1].encode()
    return isinstance(piece.payload, bytes) and name not in piece.payload and b"\\u" not in piece.payload
