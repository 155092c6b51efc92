"""Files the ml programs leave behind: result tables and run records."""

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.contract.atomic import atomic_file
from warehouse.contract.folders import RESULTS
from warehouse.contract.result_schemas import RESULT


def write_result(out: Path, table_name: str, rows: pa.Table) -> Path:
    """Write a result table under its schema as `<out>/results/<table>.parquet`, atomically; return the path."""
    schema = RESULT[table_name]
    path = out / RESULTS / f"{table_name}.parquet"
    with atomic_file(path) as unfinished:
        pq.write_table(rows.select(schema.names).cast(schema), unfinished, compression="zstd")
    return path


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, atomically."""
    with atomic_file(path) as unfinished:
        unfinished.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text())


def versions() -> dict[str, str]:
    """Return the versions that a result may depend on."""
    packages = ("torch", "transformers", "accelerate", "tokenizers", "numpy", "pyarrow")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
