"""Reference pages that are made from what they describe: commands, marts, raw tables, presets, Python functions."""

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pyarrow as pa
import typer
import yaml

from tools.site.contracts import Mart, read_marts, references
from tools.site.pages import Pages

REFERENCE_PAGES = tuple(
    f"reference/{name}.md"
    for name in ("cli", "marts", "raw-tables", "presets", "queries", "readers", "programs", "variables")
)
_FOLDERS = {  # folders of models/marts, in the order in which a pipeline fills them
    "corpus": "Corpus: documents, tokens, words, runs and what strategies and scores are called",
    "pivots": "Pivots: candidates of a pair, pivot sets, and how good they are",
    "selection": "Selection: which documents a strategy takes",
    "training": "Training: losses",
    "scores": "Scores: how well a model translates",
    "comparisons": "Comparisons: strategies against baselines",
    "layers": "Layers: what the model would say on the way",
    "latent": "Latent languages: words that nobody asked for",
    "interventions": "Interventions: does the answer need what the layers show",
}
_KINDS = {
    "SHARDED": "Sharded: a Parquet file per ingested file or imported list",
    "STATE": "State: a small file per corpus, replaced whole",
    "COUNTED": "Counted: a folder per count of a corpus",
    "RECORDED": "Recorded: a file per run or export",
    "RESULT": "Results: a file per run, written by the programs of `ml`",
}
_COLUMN_LINE = re.compile(r'\(?\s*"(\w+)",')
_READERS = ("records", "dolma", "hf_parquet", "memmap", "plain_text")


def write_reference(repository: Path, docs: Path, pages: Pages) -> None:
    """Write all generated pages into the site's folder of pages."""
    makers: dict[str, Callable[[], str]] = {
        "cli": _commands,
        "marts": lambda: _marts(repository, pages),
        "raw-tables": lambda: _raw_tables(repository),
        "presets": lambda: _presets(repository),
        "queries": _queries,
        "readers": _readers,
        "programs": _programs,
        "variables": lambda: _variables(repository),
    }
    assert [f"reference/{name}.md" for name in makers] == list(REFERENCE_PAGES)
    for page, make in zip(REFERENCE_PAGES, makers.values(), strict=True):
        (docs / page).parent.mkdir(parents=True, exist_ok=True)
        (docs / page).write_text(make(), encoding="utf-8")


def _commands() -> str:
    from warehouse.cli import app

    command = typer.main.get_command(app)
    lines = ["# Commands", "", "What `pivots --help` and `pivots COMMAND --help` say. Exit codes: 0 done, 1 failed,"]
    lines += ["2 wrong usage, 130 interrupted, 143 terminated. `--home` is the folder of the warehouse:"]
    lines += ["`PIVOTS_HOME`, else `./pivots-home`.", ""]
    for path, one in sorted(_leaves(command, "pivots")):
        lines += [f"## {path.removeprefix('pivots ')}", "", inspect.cleandoc(one.help or ""), ""]
        rows = [_option_row(parameter) for parameter in one.params if not getattr(parameter, "hidden", False)]
        lines += ["| argument or option | | default |", "|---|---|---|", *rows, ""]
    return "\n".join(lines)


def _leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, one in getattr(command, "commands", {}).items():
        if hasattr(one, "commands"):
            yield from _leaves(one, f"{path} {name}")
        else:
            yield f"{path} {name}", one


def _option_row(parameter: Any) -> str:
    annotation = parameter.type_descriptor.annotation
    if type(parameter).__name__ == "TyperArgument":
        shown = f"`{parameter.metavar or parameter.name.upper()}`" + ("" if parameter.required else " (optional)")
    else:
        if inspect.isclass(annotation) and issubclass(annotation, Enum):
            takes = " or ".join(str(choice.value) for choice in annotation)
        else:
            takes = "" if annotation is bool else parameter.metavar or getattr(annotation, "__name__", "text").upper()
        names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
        shown = f"{names} `{takes}`" if takes else names
    default = getattr(parameter.default, "value", parameter.default)
    told = "required" if parameter.required else ""
    if not parameter.required and default not in (None, False, "", (), []) and not callable(default):
        told = f"`{default}`"
    return f"| {_cell(shown)} | {_cell(parameter.help or '')} | {told} |"


def _marts(repository: Path, pages: Pages) -> str:
    marts = read_marts(repository)
    dimensions = [mart for mart in marts if mart.is_dimension]
    lines = [
        "# Marts and columns",
        "",
        "What `marts.*` holds, from the contracts that every build is held to. Columns in bold name a row together.",
        "",
        "![Map of the marts](../images/marts.svg)",
        "",
    ]
    for folder, title in _FOLDERS.items():
        lines += [f"## {title}", ""]
        for mart in (mart for mart in marts if mart.folder == folder):
            lines += _mart(mart, dimensions, pages)
    assert {mart.folder for mart in marts} == _FOLDERS.keys(), "a folder of marts without a title"
    return "\n".join(lines)


def _mart(mart: Mart, dimensions: list[Mart], pages: Pages) -> list[str]:
    pointing = references(mart, dimensions)
    lines = [f"### {mart.name}", "", f"{mart.description} ([SQL](../{pages.source_page(mart.sql)}))", ""]
    lines += ["| column | type | |", "|---|---|---|"]
    for column in mart.columns:
        name = f"**{column.name}**" if column.name in mart.key else column.name
        targets = " ".join(f"→ [{target}](#{target})" for target in pointing.get(column.name, ()))
        lines.append(f"| {name} | {column.data_type} | {_cell(column.description)} {targets} |")
    return [*lines, ""]


def _raw_tables(repository: Path) -> str:
    from warehouse.contract import result_schemas
    from warehouse.lake import schemas

    sources = [repository / "warehouse" / "lake" / "schemas.py", repository / "warehouse/contract/result_schemas.py"]
    said, about = _comments("\n".join(source.read_text(encoding="utf-8") for source in sources))
    lines = ["# File formats: raw tables", "", "Parquet files below `lake/` in the home, views `raw.*` in the writer's"]
    lines += ["file. What `pivots ingest` reads is in [bringing data in](../ingest.md).", ""]
    for kind, title in _KINDS.items():
        tables: dict[str, pa.Schema] = getattr(result_schemas if kind == "RESULT" else schemas, kind)
        lines += [f"## {title}", ""]
        for table, schema in tables.items():
            lines += [f"### {table}", "", _cell(about.get(table, "")), "", "| column | type | |", "|---|---|---|"]
            lines += [f"| {f.name} | {f.type} | {_cell(said.get((table, f.name), ''))} |" for f in schema]
            lines.append("")
    return "\n".join(lines)


def _comments(source: str) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """Return what comments say of each table's columns and of each table."""
    columns: dict[tuple[str, str], str] = {}
    tables: dict[str, str] = {}
    table, column, before = "", "", []
    for line in source.splitlines():
        code, _, comment = (part.strip() for part in line.partition("# "))
        begins = re.match(r'"(\w+)": pa\.schema\($', code)
        if begins:
            table, column = begins[1], ""
            tables[table], before = " ".join(before), []
        elif not code:
            before = [*before, comment] if comment else []
        else:
            named = _COLUMN_LINE.match(code)
            if named:
                column = named[1]
                columns[table, column] = " ".join([*before, comment]).strip()
                before = []
            elif comment and column:
                columns[table, column] = f"{columns[table, column]} {comment}".strip()
            elif code.endswith("{"):
                before = []
    return columns, tables


def _presets(repository: Path) -> str:
    from warehouse.base import shipped
    from warehouse.contract.presets import ExperimentPreset, TrainPreset

    source = (repository / "warehouse" / "contract" / "presets.py").read_text(encoding="utf-8")
    lines = ["# Presets", "", "A preset is a YAML file with a section `train` and, for experiments, a section"]
    lines += ["`experiment`. Every key is there. `--preset` takes a name of these, or a file.", "", "## Keys", ""]
    lines += ["| section | key | |", "|---|---|---|"]
    for section, kind in (("train", TrainPreset), ("experiment", ExperimentPreset)):
        body = source[source.index(f"class {kind.__name__}(") :]
        for key in kind.model_fields:
            comment = re.search(rf"^    {key}: [^#\n]*(?:# (.*))?$", body, re.MULTILINE)
            lines.append(f"| {section} | `{key}` | {_cell((comment and comment[1]) or '')} |")
    for path in sorted(shipped.profiles().glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        if "train" in (yaml.safe_load(text) or {}):
            lines += ["", f"## {path.stem}", "", "```yaml", text.rstrip(), "```"]
    return "\n".join([*lines, ""])


def _queries() -> str:
    from warehouse.serving import queries

    lines = ["# Python: queries", "", _prose(inspect.getdoc(queries) or ""), ""]
    for module in ("tables", "corpus", "pivots", "network", "selection", "results", "layers"):
        loaded = importlib.import_module(f"warehouse.serving.queries.{module}")
        public = [getattr(loaded, name) for name in queries.__all__ if hasattr(loaded, name)]
        own = [one for one in public if getattr(one, "__module__", "") == loaded.__name__]
        lines += [f"## {module}", "", inspect.getdoc(loaded) or "", ""]
        for function in own:
            lines += _function(function, level=3)
    return "\n".join(lines)


def _readers() -> str:
    from warehouse.ingest import readers

    lines = ["# Python: readers of documents", "", _prose(inspect.getdoc(readers) or ""), ""]
    lines += [*_function(readers.pieces, level=2), *_function(readers.parse, level=2)]
    for name in _READERS:
        module = importlib.import_module(f"warehouse.ingest.readers.{name}")
        lines += [f"## readers.{name}", "", _prose(inspect.getdoc(module) or ""), ""]
        for one in vars(module).values():
            if getattr(one, "__module__", "") == module.__name__ and not one.__name__.startswith("_"):
                if inspect.isfunction(one):
                    lines += _function(one, level=3)
                elif inspect.isclass(one):
                    lines += [f"### {one.__name__}", "", _prose(inspect.getdoc(one) or ""), ""]
    return "\n".join(lines)


def _programs() -> str:
    from ml.program.arguments import request_parser
    from warehouse.contract import requests

    lines = ["# Programs of ml", "", "`pivots train`, `score` and the others start them; each runs by itself as well,"]
    lines += ["as `python -m ml.NAME`, and under `accelerate launch`.", ""]
    kinds = [kind for _, kind in inspect.getmembers(requests, inspect.isclass) if "program" in _fields(kind)]
    for kind in sorted(kinds, key=lambda kind: str(kind.model_fields["program"].default)):
        name = kind.model_fields["program"].default
        if not isinstance(name, str):
            continue
        module = importlib.import_module(f"ml.{name}")
        lines += [f"## ml.{name}", "", _prose(inspect.getdoc(module) or ""), "", "| option | |", "|---|---|"]
        for action in request_parser(kind)._actions:
            metavar = f" {action.metavar}" if isinstance(action.metavar, str) else ""
            lines.append(f"| `{', '.join(action.option_strings)}{metavar}` | {_cell(action.help or '')} |")
        lines.append("")
    return "\n".join(lines)


def _fields(kind: Any) -> dict[str, Any]:
    return getattr(kind, "model_fields", {})


def _variables(repository: Path) -> str:
    text = (repository / "dbt_project" / "dbt_project.yml").read_text(encoding="utf-8")
    block = text[text.index("\nvars:\n") + 1 :].rstrip()
    return "\n".join(
        [
            "# Variables of the method",
            "",
            "Every threshold and size, as `dbt_project.yml` has it. `pivots build --vars '{\"judge_share\": 0.4}'`",
            "changes one for this and later builds of the home.",
            "",
            "```yaml",
            block,
            "```",
            "",
        ]
    )


def _function(function: Any, *, level: int) -> list[str]:
    signature = str(inspect.signature(function)).replace("ibis.expr.types.relations.", "").replace("'", "")
    heading = f"{'#' * level} {function.__name__}"
    call = f"{function.__name__}{signature}"
    return [heading, "", "```python", call, "```", "", _prose(inspect.getdoc(function) or ""), ""]


def _prose(docstring: str) -> str:
    """Return a docstring of Google's style as Markdown: its sections become lists, its examples blocks."""
    lines: list[str] = []
    in_section = False
    for line in docstring.splitlines():
        if re.fullmatch(r"(Args|Attributes|Raises|Returns|Yields):", line):
            lines += ["", f"**{line[:-1]}**", ""]
            in_section = True
        elif in_section and re.match(r"    \S", line):
            name, colon, said = line.strip().partition(": ")
            lines.append(f"- `{name}`: {said}" if colon else f"- {line.strip()}")
        elif in_section and line.startswith("      "):
            lines.append(f"  {line.strip()}")
        else:
            in_section = in_section and not line.strip()
            lines.append(line)
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
