"""The SQL keeps to what DuckDB and Spark read alike: what can be seen without running it on both."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from warehouse.build.dbt_runner import PROJECT_DIR

# Names of types that both engines know.
TYPES = {"bigint", "boolean", "date", "double", "int", "integer", "string", "timestamp"}
# What DuckDB calls with its zone, Spark calls plain.
UTC_TIMESTAMP = "{{ 'timestamp' if target.type == 'spark' else 'timestamp with time zone' }}"
MODELS = sorted(path for room in ("models", "tests") for path in (PROJECT_DIR / room).rglob("*.sql"))

FORBIDDEN = {
    r"\bvarchar\b": "Spark's varchar needs a length: string is the same on both",
    r"\bround\(.*,\s*\d+\)": "Spark rounds the shortest decimal of a double: use the macro rounded",
    r"\w''\w": "Spark joins two strings at '' and drops the apostrophe: word it without",
    r"[*/]\s*\d+\.\d+(?!\d*e)\b\s*/|/\s*\d+\.\d+(?!\d*e)\b": "Spark divides decimals and drops digits: write 2.0e0",
}


def contract_columns() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted((PROJECT_DIR / "models").rglob("*.yml")):
        for model in (yaml.safe_load(file.read_text()) or {}).get("models") or ():
            yield from ((model["name"], column) for column in model.get("columns") or ())


def test_contracts_name_types_that_both_engines_know() -> None:
    typed = [(model, column) for model, column in contract_columns() if "data_type" in column]
    assert len(typed) > 200
    known = TYPES | {UTC_TIMESTAMP}
    assert not [(model, column["name"]) for model, column in typed if column["data_type"] not in known]


@pytest.mark.parametrize("pattern", FORBIDDEN, ids=["varchar", "round", "apostrophe", "decimal division"])
def test_models_avoid_what_differs(pattern: str) -> None:
    found = []
    for file in MODELS:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if re.search(pattern, line.split("--")[0]):
                found.append(f"{_name(file)}:{number}: {line.strip()}: {FORBIDDEN[pattern]}")
    assert not found, "\n".join(found)


def _name(file: Path) -> str:
    return str(file.relative_to(PROJECT_DIR))


@pytest.mark.parametrize(
    ("line", "pattern"),
    [("cast(x as varchar)", 0), ("round(corr(a, b), 9)", 1), ("'another item''s pivots'", 2), ("(n - 1) / 2.0", 3)],
)
def test_the_patterns_find_what_they_are_for(line: str, pattern: int) -> None:
    assert re.search(list(FORBIDDEN)[pattern], line)
