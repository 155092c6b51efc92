"""Files of folders that pass between the rooms, read: a damaged one, or another one, is refused in one line."""

import json
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from warehouse.contract.errors import UsageError
from warehouse.contract.presets import problems_of

M = TypeVar("M")


def read_manifest(path: Path, kind: type[M]) -> M:
    """Return the manifest in a file, a dictionary whose entries `kind` describes; it may have more of them.

    Raises:
        UsageError: it is no JSON, or entries are missing or of other types; names all of them.
    """
    content = path.read_bytes()
    try:
        TypeAdapter(kind).validate_json(content, strict=True)
    except ValidationError as mistakes:
        first, *others = problems_of(mistakes)
        raise UsageError(f"{path}: {first}", *others) from None
    manifest: M = json.loads(content)  # with what else it says
    return manifest


def read_rows(path: Path, schema: pa.Schema) -> pa.Table:
    """Return the columns of `schema` of a Parquet file, in its types.

    Raises:
        UsageError: it is no Parquet file, lacks a column, or holds another type in one.
    """
    try:
        file = pq.ParquetFile(path)
        if missing := [name for name in schema.names if name not in file.schema_arrow.names]:
            raise UsageError(f"{path}: it has no column {', '.join(missing)}")
        table = file.read(columns=schema.names).select(schema.names).cast(schema)
        table.validate(full=True)  # Parquet calls a column text; nothing has looked whether it is UTF-8
        return table
    except (pa.ArrowException, OSError, ValueError) as problem:
        if isinstance(problem, OSError) and problem.errno is not None:
            raise  # the disk's or the system's, not the file's
        reason = " ".join(str(problem).split())
        raise UsageError(f"{path}: not Parquet, damaged, or of other types ({reason[:200]})") from None
