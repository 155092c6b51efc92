"""Which files of a request are read, and as what."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from warehouse.base.errors import UsageError
from warehouse.ingest.readers import FORMATS, dolma, hf_parquet, memmap, plain_text
from warehouse.ingest.readers.compressed import UnreadableFile, read_blocks

_BY_SUFFIX = {
    ".jsonl": dolma.FORMAT,
    ".ndjson": dolma.FORMAT,
    ".parquet": hf_parquet.FORMAT,
    ".npy": memmap.FORMAT,
    ".txt": plain_text.FORMAT,
}
_COMPRESSED = {".gz", ".zst", ".zstd"}
_SNIFF_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to ingest."""

    path: Path
    name: str  # as given, relative to the parent of the PATH argument
    format: str
    place: int  # in the order of the PATH arguments, within a folder by name


def find_files(paths: list[Path], file_format: str) -> tuple[list[InputFile], list[str]]:
    """Return the files below some paths with their formats, sorted by name, and the names of files left out.

    A file that is named itself must be of a known format; a folder may hold other things, which are left out.

    Raises:
        UsageError: a path does not exist, a named file's format cannot be told, or there is nothing to read.
    """
    if file_format not in ("auto", *FORMATS):
        raise UsageError(f"--format {file_format}: choose one of auto, {', '.join(FORMATS)}")
    found: dict[Path, InputFile] = {}
    left_out: list[str] = []
    for given in paths:
        if not given.exists():
            raise UsageError(f"{given}: no such file or folder")
        root = Path(os.path.abspath(given))  # noqa: PTH100  links keep their names
        for path in _files_below(root):
            # names go to Parquet, which holds UTF-8
            name = os.fsencode(path.relative_to(root.parent).as_posix()).decode("utf-8", "backslashreplace")
            if not os.access(path, os.R_OK):
                raise UsageError(f"{path}: no permission to read it")
            recognised = file_format if file_format != "auto" else _recognise(path)
            if recognised is not None and not (path != root and _is_other(path, recognised)):
                found.setdefault(path, InputFile(path, name, recognised, len(found)))
            elif path == root:
                raise UsageError(f"{given}: cannot tell its format; pass --format {'|'.join(FORMATS)}")
            else:
                left_out.append(name)
    if not found:
        raise UsageError(f"no files to ingest in {', '.join(map(str, paths))} (looked for {', '.join(FORMATS)})")
    return sorted(found.values(), key=lambda file: (file.name, str(file.path))), sorted(left_out)


def _files_below(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    below = (p for p in path.rglob("*") if p.is_file())
    return sorted(p for p in below if not any(part.startswith(".") for part in p.relative_to(path).parts))


def _suffix(path: Path) -> str:
    name = path.with_suffix("") if path.suffix.lower() in _COMPRESSED else path
    return name.suffix.lower()


def _recognise(path: Path) -> str | None:
    suffix = _suffix(path)
    if suffix == ".json":
        return dolma.FORMAT if _begins_with_object(path) else None
    return _BY_SUFFIX.get(suffix)


def _is_other(path: Path, recognised: str) -> bool:
    """Tell whether a file found in a folder is something else of the same format: Dolma attributes."""
    return recognised == dolma.FORMAT and "attributes" in path.parent.parts


def _begins_with_object(path: Path) -> bool:
    """Tell whether the first line is a JSON object with text (a .json file may be anything)."""
    head = b""
    try:
        for block, _ in read_blocks(path):
            head += block
            if b"\n" in head or len(head) > _SNIFF_BYTES:
                break
    except UnreadableFile:
        return False
    line = head.lstrip().split(b"\n", 1)[0]
    if len(line) > _SNIFF_BYTES:
        return line.startswith(b"{") and b'"text"' in line
    try:
        record = json.loads(line)
    except ValueError:
        return False
    return isinstance(record, dict) and "text" in record
