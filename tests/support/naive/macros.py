"""The project's macros as functions that render their SQL, for one engine."""

from pathlib import Path
from typing import Any

import jinja2

from warehouse.build.dbt_runner import PROJECT_DIR


class _Adapter:
    """dbt's `adapter`, as far as our macros ask it."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.macros: dict[str, Any] = {}

    def dispatch(self, name: str, package: str) -> Any:
        assert package == "semantic_pivots"
        return self.macros.get(f"{self.target}__{name}") or self.macros[f"default__{name}"]


def render_macros(target: str) -> dict[str, Any]:
    """Return macro name -> function that renders it for a target, `duckdb` or `spark`."""
    adapter = _Adapter(target)
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals["adapter"] = adapter
    for file in sorted(Path(PROJECT_DIR, "macros").rglob("*.sql")):
        source = file.read_text()
        if "{% macro" in source and "{% test" not in source:
            module = environment.from_string(source).module
            adapter.macros |= {name: value for name, value in vars(module).items() if not name.startswith("_")}
    environment.globals |= adapter.macros  # macros call each other
    return adapter.macros
