"""The marts as their contracts describe them: columns, types, keys, and the dimensions that they point at."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_DOCS_BLOCK = re.compile(r"{%\s*docs\s+(\w+)\s*%}(.*?){%\s*enddocs\s*%}", re.DOTALL)
_DOC_CALL = re.compile(r"{{\s*doc\('(\w+)'\)\s*}}")
# A column of another name that holds the key of a dimension.
_ALSO = {
    "baseline": "strategy",
    "strategy_a": "strategy",
    "strategy_b": "strategy",
    "neighbour_id": "token_id",
    "infini_gram_run_id": "run_id",
}


@dataclass(frozen=True)
class Column:
    """One column: its type, and its description with what it refers to filled in."""

    name: str
    data_type: str
    description: str


@dataclass(frozen=True)
class Mart:
    """One mart of a folder of models/marts.

    Attributes:
        key: the columns that name a row.
        sql: path of its model in the repository.
    """

    name: str
    folder: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    sql: str

    @property
    def is_dimension(self) -> bool:
        """Whether other marts point at it."""
        return self.name.startswith("dim_")


def read_marts(repository: Path) -> list[Mart]:
    """Return all marts, by folder and name, dimensions first."""
    models = repository / "dbt_project" / "models"
    blocks = {
        name: " ".join(text.split())
        for file in sorted(models.rglob("*.md"))
        for name, text in _DOCS_BLOCK.findall(file.read_text(encoding="utf-8"))
    }
    marts = []
    for file in sorted((models / "marts").glob("*/_*__models.yml")):
        for model in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]:
            columns = tuple(
                Column(column["name"], _type(column["data_type"]), _filled(column["description"], blocks))
                for column in model["columns"]
            )
            sql = (file.parent / f"{model['name']}.sql").relative_to(repository).as_posix()
            key = _key(model)
            folder = file.parent.name
            marts.append(Mart(model["name"], folder, _filled(model["description"], blocks), key, columns, sql))
    return sorted(marts, key=lambda mart: (mart.folder, not mart.is_dimension, mart.name))


def references(mart: Mart, dimensions: list[Mart]) -> dict[str, list[str]]:
    """Return the dimensions whose whole key a mart holds: column that tells them apart -> their names.

    The last column of a dimension's key is the one that says which row; those before it say of what.
    """
    held = {_ALSO.get(column.name, column.name) for column in mart.columns}
    pointing: dict[str, list[str]] = {}
    for dimension in dimensions:
        if dimension.name == mart.name or not set(dimension.key) <= held:
            continue
        last = dimension.key[-1]
        for column in mart.columns:
            if _ALSO.get(column.name, column.name) == last:
                pointing.setdefault(column.name, []).append(dimension.name)
    return pointing


def _key(model: dict[str, Any]) -> tuple[str, ...]:
    for test in model.get("data_tests", ()):
        if isinstance(test, dict) and "unique_key" in test:
            return tuple(test["unique_key"]["arguments"]["columns"])
    return ()


def _type(written: str) -> str:
    """Return a column's type; of one that engines call otherwise, DuckDB's."""
    by_engine = re.search(r"else '([^']+)'", written)
    return by_engine[1] if by_engine else written


def _filled(text: str, blocks: dict[str, str]) -> str:
    while _DOC_CALL.search(text):
        text = _DOC_CALL.sub(lambda call: blocks[call[1]], text)
    return " ".join(text.split())
