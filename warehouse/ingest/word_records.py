"""Word lists as people have them: CLWTD records, flat JSONL, CSV and TSV, all read as CLWTD records.

A CLWTD record holds, for each language, its word and lists of wrong words: {"en": {"en": "dog", "fr": ["chat"]}, ...}.
Of a flat record, {"en": "dog", "fr": "chien"}, or a row of a table whose first line names the languages, there are no
wrong words: those are drawn by rule later.
"""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from warehouse.base.errors import UsageError
from warehouse.ingest.readers.compressed import UnreadableFile, read_lines
from warehouse.text.languages import is_known_language, language_code

_MAX_RECORD_BYTES = 16 << 20
_TABLE_SUFFIXES, _JSON_SUFFIXES = (".csv", ".tsv"), (".jsonl", ".ndjson", ".json")
_COMPRESSED = (".gz", ".zst", ".zstd")
_SEPARATORS = ("\t", ",", ";")  # the semicolon is what spreadsheets write where the comma is a decimal sign

Record = dict[str, Any]
Reject = Callable[[int | None, str, str], None]  # line number, reason, detail


def word_records(path: Path, reject: Reject) -> Iterator[tuple[int, Any]]:
    """Yield (1-based line number, CLWTD record) of a word list; plain, gzip or zstd.

    The form is told by the name, of a file with another name by its first line. A line that is no record is rejected;
    what is wrong within a record is left to the caller.

    Raises:
        UsageError: the file is a table whose first line does not name languages.
    """
    if _is_table(path):
        yield from _table_records(path, reject)
    else:
        yield from _json_records(path, reject)


def _is_table(path: Path) -> bool:
    name = path.with_suffix("") if path.suffix.lower() in _COMPRESSED else path
    if name.suffix.lower() in (*_TABLE_SUFFIXES, *_JSON_SUFFIXES):
        return name.suffix.lower() in _TABLE_SUFFIXES
    first = next((line for _, line in _lines(path, _ignore) if line.strip()), b"{")
    return not first.lstrip().startswith((b"{", b"["))


def _table_records(path: Path, reject: Reject) -> Iterator[tuple[int, Record]]:
    """Yield the rows of a table. An empty cell is a word that the item lacks."""
    languages: list[str] = []
    separator = ","
    for line_number, line in _lines(path, reject):
        try:
            text = line.decode().rstrip("\r")
        except UnicodeDecodeError as error:
            if not languages:
                raise UsageError(f"{path}: not UTF-8 text ({error.reason}): save the table as UTF-8") from None
            reject(line_number, "invalid UTF-8", error.reason)
            continue
        if not text.strip():
            continue
        if not languages:
            separator, languages = _header(path, text)
            continue
        try:
            # line by line: a quotation mark that is never closed takes no other line with it
            [cells] = csv.reader([text], delimiter=separator, strict=True)
        except csv.Error as error:
            reject(line_number, "not a row of the table", f"{error}: {text[:80]}")
            continue
        if len(cells) != len(languages):
            reject(line_number, "other number of columns", f"{len(cells)} instead of {len(languages)}: {text[:80]}")
            continue
        yield line_number, {lang: {lang: cell} for lang, cell in zip(languages, cells, strict=True) if cell.strip()}


def _header(path: Path, line: str) -> tuple[str, list[str]]:
    """Return what stands between the columns, and the language of each."""
    for separator in _SEPARATORS:
        try:
            [cells] = csv.reader([line], delimiter=separator, strict=True)
        except csv.Error:
            continue
        if len(cells) > 1 and all(is_known_language(cell) for cell in cells):
            languages = [str(language_code(cell)) for cell in cells]
            if len(set(languages)) < len(languages):
                raise UsageError(f"{path}: two columns hold the same language: {line.strip()[:80]}")
            return separator, languages
    raise UsageError(
        f"{path}: the first line of a table names the languages of its columns, such as en,de; it is {line[:80]!r}"
    )


def _json_records(path: Path, reject: Reject) -> Iterator[tuple[int, Any]]:
    is_flat = not any(_has_section(record) for _, record in _json_lines(path, _ignore))
    for line_number, record in _json_lines(path, reject):
        yield line_number, _sections(record, line_number, reject) if is_flat and isinstance(record, dict) else record


def _sections(record: Record, line_number: int, reject: Reject) -> Record:
    """Return a flat record as a CLWTD record. Keys may be anything; those that name no language are left out."""
    sections: Record = {}
    for key, word in record.items():
        if not is_known_language(key):
            reject(line_number, "not a language", f"{key[:40]!r}")
        elif word is not None and word != "":
            lang = str(language_code(key))
            sections[lang] = {lang: word}
    return sections


def _has_section(record: Any) -> bool:
    """Tell whether a record holds an object: one that does makes the list one of CLWTD records."""
    return isinstance(record, dict) and any(isinstance(value, dict) for value in record.values())


def _json_lines(path: Path, reject: Reject) -> Iterator[tuple[int, Any]]:
    for line_number, line in _lines(path, reject):
        if not line.strip():
            continue
        try:
            record = json.loads(line.decode())
        except UnicodeDecodeError as error:
            reject(line_number, "invalid UTF-8", error.reason)
        except (ValueError, RecursionError) as error:
            reject(line_number, "invalid JSON", f"{error}: {line[:80].decode(errors='replace')}")
        else:
            yield line_number, record


def _lines(path: Path, reject: Reject) -> Iterator[tuple[int, bytes]]:
    try:
        for line_number, line in read_lines(path, max_bytes=_MAX_RECORD_BYTES):
            if line is None:
                reject(line_number, "record too large", f"more than {_MAX_RECORD_BYTES:,} bytes")
            else:
                yield line_number, line
    except UnreadableFile as problem:
        reject(None, problem.reason, problem.detail)


def _ignore(line_number: int | None, reason: str, detail: str) -> None:
    """Reject nothing: the file is looked at before it is read."""
