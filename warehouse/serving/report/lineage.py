"""The section of the report about origin: the commands that lead here, every run, every published table."""

import json
import shlex
from typing import Any

from warehouse.serving import queries
from warehouse.serving.report.blocks import Block, Commands, Listing, Missing, Section, Table, ask

_RUN_COLUMNS = [
    "run_id",
    "kind",
    "strategy",
    "seed",
    "corpus",
    "experiment",
    "model_id",
    "git_commit",
    "config_hash",
    "finished_at",
]


def lineage(warehouse: Any, manifest: dict[str, Any], corpus: str | None, docs: str | None) -> Section:
    """Where every number comes from.

    Args:
        docs: where the models' documentation lies, relative to the report; None when it is not written.
    """
    answer = ask(queries.runs, warehouse)
    blocks: list[Block] = []
    if corpus is not None:
        blocks.append(
            Commands(
                title="To make it again",
                says="The steps behind this page, with the options that were recorded. What is there already is not"
                " done twice. Names in capitals stand for what is not recorded, such as a folder on your disk.",
                commands=commands(warehouse, answer.rows, corpus),
                note="What each model, column and test is",
                link=docs,
                link_command="pivots docs",
            )
        )
    if answer.rows:
        says = f"{len(answer.rows):,} runs; the same request has the same id, so a row is found again by it."
        columns = [name for name in _RUN_COLUMNS if any(row[name] is not None for row in answer.rows)]
        blocks.append(Listing(title="Runs", says=says, table=Table(columns=columns, rows=answer.rows), answer=answer))
    else:
        blocks.append(
            Missing(
                title="Runs", says="No run is recorded.", command="pivots ingest PATH --corpus NAME --tokenizer FILE"
            )
        )
    tables = [{"table": name, **table} for name, table in manifest["tables"].items()]
    blocks.append(
        Listing(
            title="Published tables",
            says="The content hash ignores the order of rows: equal hashes, equal tables.",
            table=Table(columns=["table", "n_rows", "content_hash"], rows=tables),
        )
    )
    intro = "Every result row carries a run; every run its commit, configuration hash and input hashes."
    return Section(id="lineage", title="Lineage", intro=intro, blocks=blocks)


def commands(warehouse: Any, runs: list[dict[str, Any]], corpus: str) -> list[str]:
    """Return the commands that lead to what is published about a corpus, in order, from its recorded runs."""
    own = [row for row in reversed(runs) if row["corpus"] == corpus]
    lines: list[str] = []
    for row in reversed(runs):
        if row["kind"] == "words":
            lines.append(f"pivots words import {_quoted(_option(row, 'source_file') or 'FILE')}")
    tokenizers = ask(queries.corpus_tokenizers, warehouse, corpus).rows
    tokenizer = tokenizers[0]["tokenizer_name"] if tokenizers else "TOKENIZER"
    name = _quoted(corpus)
    for row in own:
        if row["kind"] == "ingest":
            extra = "".join(
                f" --{key.replace('_', '-')} {_quoted(str(value))}"
                for key, value in sorted(_config(row).items())
                if value not in (None, "auto")
            )
            lines.append(f"pivots ingest DOCUMENTS --corpus {name} --tokenizer {_quoted(tokenizer)}{extra}")
        if row["kind"] == "count":
            unit = _option(row, "unit")
            window = f" --window-tokens {_option(row, 'window_tokens')}" if unit == "window" else ""
            lines.append(f"pivots count --corpus {name} --unit {unit}{window}")
    lines.append("pivots build")
    experiments = list(dict.fromkeys(row["experiment"] for row in own if row["experiment"]))
    for experiment in experiments:
        lines.append(f"pivots experiment --corpus {name} --model MODEL --preset PRESET  # recorded as {experiment}")
    if not experiments:
        for row in own:
            budget = _option(row, "budget_tokens")
            if row["kind"] == "export" and budget:
                lines.append(f"pivots export --corpus {name} --strategy {row['strategy']} --budget-tokens {budget}")
    return [*dict.fromkeys(lines), "pivots publish", "pivots report"]


def _config(row: dict[str, Any]) -> dict[str, Any]:
    return json.loads(row["config"] or "{}")


def _option(row: dict[str, Any], name: str) -> Any:
    return _config(row).get(name)


def _quoted(text: str) -> str:
    return shlex.quote(text)
