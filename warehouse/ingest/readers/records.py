"""What every reader gives: pieces of files, and the records and rejects found in them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

# decompressed bytes of one piece: large enough to spread fixed costs, small enough for a dozen in memory
PIECE_BYTES = 4 << 20

# Decompressed bytes of the longest line or document that is read. A process needs several times as much for one.
MAX_DOCUMENT_BYTES = 256 << 20

_MAX_DETAIL = 200


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that cannot be used, or a file from some place on (line_number None)."""

    line_number: int | None
    reason: str  # a short fixed phrase
    detail: str = ""

    def __post_init__(self) -> None:
        # what goes to Parquet must be UTF-8, whatever was found in the file
        clean = self.detail.encode("utf-8", "backslashreplace").decode()[:_MAX_DETAIL]
        object.__setattr__(self, "detail", clean)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file that one process handles alone."""

    format: str
    payload: Any  # what the format's `parse` needs: bytes of lines, a row range, ...
    first_line: int  # 1-based line or row of its first record
    n_source_bytes: int  # bytes of the file (as stored) that this piece stands for: for progress
    rejects: tuple[Rejected, ...] = ()  # found while cutting, each for a record of its own


@dataclass(slots=True)
class Records:
    """Columns of the records of one piece. `token_ids` is filled instead of `texts` where the file holds tokens.

    `n_read` is counted apart from what becomes of a record: each must end as a document or a reject.
    """

    line_numbers: list[int] = field(default_factory=list)
    source_ids: list[str | None] = field(default_factory=list)  # None: identified by its text
    sources: list[str] = field(default_factory=list)
    langs: list[str | None] = field(default_factory=list)  # as written in the file
    texts: list[str] = field(default_factory=list)  # as written in the file, not normalised
    token_ids: list[npt.NDArray[np.int32]] = field(default_factory=list)
    rejects: list[Rejected] = field(default_factory=list)
    n_read: int = 0  # records that the piece holds; a place where a file cannot be read on counts as one

    @classmethod
    def of(cls, piece: Piece) -> "Records":
        """Return what cutting has found of a piece."""
        return cls(rejects=list(piece.rejects), n_read=len(piece.rejects))

    def add(self, line_number: int, *, source_id: str | None, source: str, lang: str | None, text: str) -> None:
        """Append one text record."""
        self.line_numbers.append(line_number)
        self.source_ids.append(source_id)
        self.sources.append(source)
        self.langs.append(lang)
        self.texts.append(text)

    def reject(self, line_number: int | None, reason: str, detail: str = "") -> None:
        """Append one rejected record."""
        self.rejects.append(Rejected(line_number, reason, detail))


def too_large(line_number: int | None, max_bytes: int) -> Rejected:
    """Return the reject of a line or document that is longer than what is read."""
    return Rejected(line_number, "document too large", f"more than {max_bytes:,} bytes: see --max-document-mib")


def language_field(record: dict[str, Any], lang_column: str | None) -> str | None:
    """Return the language a record states, as written: the named column, else the usual places; None without one.

    `lang_column` may be a path such as `metadata.lang`.
    """
    paths = [lang_column] if lang_column else ["metadata.lang", "metadata.language", "language", "lang"]
    for path in paths:
        value: Any = record
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str) and value.strip():
            return value
    return None
