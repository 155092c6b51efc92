"""The section of the report about origin: the commands that lead here, every run, every published table."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from warehouse.counting.options import CountOptions
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
                commands=commands(warehouse, answer.rows, corpus, manifest.get("build_variables", {})),
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


def commands(warehouse: Any, runs: list[dict[str, Any]], corpus: str, build_variables: Mapping[str, Any]) -> list[str]:
    """Return the commands that lead to what is published about a corpus, in order, from what was recorded.

    They give the same count (`count_id`) and the same marts, on another machine too.

    Args:
        runs: rows of `queries.runs`, the latest first.
        build_variables: the dbt variables that the marts were built with.
    """
    own = [row for row in reversed(runs) if row["corpus"] == corpus]
    lines = [
        f"pivots words import {_quoted(_option(row, 'source_file') or 'FILE')}"
        for row in reversed(runs)
        if row["kind"] == "words"
    ]
    name = _quoted(corpus)
    tokenizer, comment = _tokenizer(ask(queries.corpus_tokenizers, warehouse, corpus).rows)
    for row in own:
        if row["kind"] == "ingest":
            arguments = f"--corpus {name} --tokenizer {tokenizer}{_ingest_options(_config(row))}"
            lines.append(f"pivots ingest DOCUMENTS {arguments}{comment}")
    lines += [
        f"pivots count --corpus {name}{CountOptions.from_stored(count['options']).as_arguments()}"
        for count in ask(queries.current_counts, warehouse, corpus).rows  # not those that it has replaced
    ]
    lines.append(f"pivots build{_build_options(build_variables)}")
    experiments = list(dict.fromkeys(row["experiment"] for row in own if row["experiment"]))
    lines += [
        f"pivots experiment --corpus {name} --model MODEL --preset PRESET  # recorded as {experiment}"
        for experiment in experiments
    ]
    if not experiments:
        for row in own:
            budget = _option(row, "budget_tokens")
            if row["kind"] == "export" and budget:
                lines.append(f"pivots export --corpus {name} --strategy {row['strategy']} --budget-tokens {budget}")
    return [*dict.fromkeys(lines), "pivots publish", "pivots report"]


def _tokenizer(rows: list[dict[str, Any]]) -> tuple[str, str]:
    """Return what to give as --tokenizer, and a comment: only a name on the hub tells where the tokenizer is."""
    if not rows:
        return "TOKENIZER", ""
    name = rows[0]["tokenizer_name"]
    if "/" in name:
        return _quoted(name), ""
    return "TOKENIZER", f"  # {name}, kept in the home as lake/tokenizers/{rows[0]['tokenizer_hash']}.json"


def _ingest_options(config: dict[str, Any]) -> str:
    """Return the recorded options of an ingest; of an index file only the content is recorded, not where it lies."""
    given = {name: value for name, value in sorted(config.items()) if value not in (None, "auto")}
    if "global_indices" in given:
        given["global_indices"] = "INDICES"
    if "index_range" in given:
        given["index_range"] = ":".join(map(str, given["index_range"]))
    return "".join(f" --{name.replace('_', '-')} {_quoted(str(value))}" for name, value in given.items())


def _build_options(variables: Mapping[str, Any]) -> str:
    others = dict(variables)
    budget = others.pop("selection_budget_tokens", None)
    options = "" if budget is None else f" --budget-tokens {budget}"
    return options + (f" --vars {_quoted(json.dumps(others, sort_keys=True))}" if others else "")


def _config(row: dict[str, Any]) -> dict[str, Any]:
    return json.loads(row["config"] or "{}")


def _option(row: dict[str, Any], name: str) -> Any:
    return _config(row).get(name)


def _quoted(text: str) -> str:
    return shlex.quote(text)
