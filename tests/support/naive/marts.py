"""Compare two builds of the same home, mart by mart: keys and integers equal, floats within 1e-12 relative."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

RELATIVE = 1e-12
SCHEMA = "marts"


@dataclass(frozen=True)
class Mart:
    """A mart to compare and the columns that name its rows."""

    name: str
    key: list[str]

    def __str__(self) -> str:
        return f"{SCHEMA}.{self.name}"


def marts(manifest: Path) -> list[Mart]:
    """Return every mart of a dbt manifest with the key that its test `unique_key` states; one without is an error."""
    nodes = json.loads(manifest.read_text())["nodes"].values()
    keys: dict[str, list[str]] = {}
    for node in nodes:
        test = node.get("test_metadata") or {}
        if test.get("name") == "unique_key":
            keys[node["attached_node"]] = test["kwargs"]["columns"]
    found = {n["name"]: n["unique_id"] for n in nodes if n["resource_type"] == "model" and n["schema"] == SCHEMA}
    return [Mart(name, keys[found[name]]) for name in sorted(found)]


def duckdb_rows(file: Path, names: Iterable[Mart]) -> dict[str, pa.Table]:
    """Return the marts' rows in the writer's file."""
    with duckdb.connect(str(file), read_only=True) as connection:
        return {str(mart): connection.execute(f"from {mart}").to_arrow_table() for mart in names}


def differences(mart: Mart, left: pa.Table, right: pa.Table) -> list[str]:
    """Say what differs between two builds of a mart, rows matched by key; nothing when they are equal."""
    if left.schema.names != right.schema.names:
        return [f"{mart}: columns {left.schema.names} and {right.schema.names}"]
    if [_kind(f.type) for f in left.schema] != [_kind(f.type) for f in right.schema]:
        pairs = [(a.name, a.type, b.type) for a, b in zip(left.schema, right.schema, strict=True) if a.type != b.type]
        return [f"{mart}: types of {', '.join(f'{name}: {a} and {b}' for name, a, b in pairs)}"]
    if left.num_rows != right.num_rows:
        return [f"{mart}: {left.num_rows} and {right.num_rows} rows"]
    order = [(column, "ascending") for column in mart.key]
    left, right = left.sort_by(order), right.sort_by(order)
    problems = []
    for column in left.schema.names:
        wrong = _unequal(left[column], right[column])
        if wrong.any():
            row = int(np.argmax(wrong))
            key = {name: left[name][row].as_py() for name in mart.key}
            a, b = left[column][row].as_py(), right[column][row].as_py()
            problems.append(f"{mart}.{column}: {int(wrong.sum())} of {len(wrong)} differ, first {key}: {a!r} and {b!r}")
    return problems


def _kind(arrow_type: pa.DataType) -> str:
    """Return what must agree of a column's type: engines name strings, times and their units in their own ways."""
    for kind in ("string", "timestamp", "list"):
        if str(arrow_type).startswith((kind, f"large_{kind}")):
            return kind
    return str(arrow_type)


def _unequal(left: pa.ChunkedArray, right: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if pa.types.is_floating(left.type):
        missing = pc.is_null(left).to_numpy() != pc.is_null(right).to_numpy()
        a, b = left.to_numpy().astype(float), right.to_numpy().astype(float)
        return missing | ~np.isclose(a, b, rtol=RELATIVE, atol=0, equal_nan=True)
    return np.array([x != y for x, y in zip(left.to_pylist(), right.to_pylist(), strict=True)], dtype=bool)
