"""The section of the report about origin: the commands that lead here, every run, every published table."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from warehouse.base.settings import Home
from warehouse.counting.options import CountOptions
from warehouse.serving import queries
from warehouse.serving.report.blocks import Block, Commands, Listing, Missing, Section, Table, ask
from warehouse.serving.report.wording import BASE

_WORDS = "words.csv"
# what no run records, with an example of each and what it stands for
_EXAMPLES = {
    "DOCUMENTS": "texts/  # the files or the folder that were ingested",
    "TOKENIZER": "tokenizer.json  # the model's tokenizer: a file, a folder or a name on the hub",
    "INDICES": "indices.npy  # the index file that was given",
    "MODEL": "allenai/OLMo-1B-hf  # the model that the arms went on from: a folder or a name on the hub",
    "PRESET": "short-cpu  # the sizes of the experiment",
}
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


def lineage(warehouse: Any, home: Home, manifest: dict[str, Any], corpus: str | None, docs: str | None) -> Section:
    """Where every number comes from.

    Args:
        home: where the tokenizers that corpora were read with are kept.
        docs: where the models' documentation lies, relative to the report; None when it is not written.
    """
    answer = ask(queries.runs, warehouse)
    blocks: list[Block] = []
    if corpus is not None:
        blocks.append(
            Commands(
                title="To make it again",
                says="The steps behind this page, with the options that were recorded, to be pasted into a shell. What"
                " is there already is not done twice. What is not recorded, such as a folder on your disk, is set in"
                " the first lines: put your own there.",
                commands=commands(warehouse, home, answer.rows, corpus, manifest.get("build_variables", {})),
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
    tables = [{"table": name, **table} for name, table in manifest["tables"].items() if table["n_rows"]]
    n_empty = len(manifest["tables"]) - len(tables)
    blocks.append(
        Listing(
            title="Published tables",
            says="The content hash ignores the order of rows: equal hashes, equal tables."
            + (f" {n_empty} tables without rows are not listed." if n_empty else ""),
            table=Table(columns=["table", "n_rows", "content_hash"], rows=tables),
        )
    )
    intro = "Every result row carries a run; every run its commit, configuration hash and input hashes."
    return Section(id="lineage", title="Lineage", intro=intro, blocks=blocks)


def commands(
    warehouse: Any, home: Home, runs: list[dict[str, Any]], corpus: str, build_variables: Mapping[str, Any]
) -> list[str]:
    """Return the commands that lead to what is published about a corpus, in order, from what was recorded.

    They give the same count (`count_id`) and the same marts, on another machine too. What is not recorded is a shell
    variable, set to an example before the first command.

    Args:
        runs: rows of `queries.runs`, the latest first.
        build_variables: the dbt variables that the marts were built with.
    """
    own = [row for row in reversed(runs) if row["corpus"] == corpus]
    lines = [
        f"pivots words import {_quoted(_option(row, 'source_file') or _WORDS)}"
        for row in reversed(runs)
        if row["kind"] == "words"
    ]
    name = _quoted(corpus)
    tokenizer = _tokenizer(home, ask(queries.corpus_tokenizers, warehouse, corpus).rows)
    for row in own:
        if row["kind"] == "ingest":
            arguments = f"--corpus {name} --tokenizer {tokenizer}{_ingest_options(_config(row))}"
            lines.append(f'pivots ingest "$DOCUMENTS" {arguments}')
    lines += [
        f"pivots count --corpus {name}{CountOptions.from_stored(count['options']).as_arguments()}"
        for count in ask(queries.current_counts, warehouse, corpus).rows  # not those that it has replaced
    ]
    lines.append(f"pivots build{_build_options(build_variables)}")
    experiments = list(dict.fromkeys(row["experiment"] for row in own if row["experiment"]))
    is_declared = "experiments" in warehouse.list_tables(database="raw")
    declared = ask(queries.declared_experiments, warehouse).rows if is_declared else []
    presets = {row["experiment"]: row["preset"] for row in declared}
    for experiment in experiments:
        preset = _quoted(presets[experiment]) if presets.get(experiment) else '"$PRESET"'
        lines.append(
            f'pivots experiment --corpus {name} --model "$MODEL" --preset {preset}  # recorded as {experiment}'
        )
    if not experiments:
        for row in own:
            budget = _option(row, "budget_tokens")
            if row["kind"] == "export" and budget:
                lines.append(f"pivots export --corpus {name} --strategy {row['strategy']} --budget-tokens {budget}")
    lines = [*dict.fromkeys(lines), "pivots publish", "pivots report"]
    examples = _EXAMPLES | _model_example(own)
    wanted = [f"{name}={example}" for name, example in examples.items() if any(f'"${name}"' in line for line in lines)]
    return [*wanted, *lines]


def _model_example(runs: list[dict[str, Any]]) -> dict[str, str]:
    """Return the model that arms went on from by the name that it was recorded with; nothing where none was."""
    recorded = next((row["model_id"] for row in runs if row["strategy"] == BASE and row["model_id"]), None)
    if recorded is None:
        return {}
    name = recorded if "/" in recorded else recorded.partition("@")[0]
    return {"MODEL": f"{_quoted(name)}  # the model that the arms went on from, recorded as {recorded}"}


def _tokenizer(home: Home, rows: list[dict[str, Any]]) -> str:
    """Return what to give as --tokenizer: a name on the hub, or the file that the home keeps of any other."""
    if not rows:
        return '"$TOKENIZER"'
    name, kept = rows[0]["tokenizer_name"], home.lake / "tokenizers" / f"{rows[0]['tokenizer_hash']}.json"
    return _quoted(name if "/" in name or not kept.exists() else str(kept))


def _ingest_options(config: dict[str, Any]) -> str:
    """Return the recorded options of an ingest; of an index file only the content is recorded, not where it lies."""
    given = {name: value for name, value in sorted(config.items()) if value not in (None, "auto")}
    given.pop("global_indices", None)
    if "index_range" in given:
        given["index_range"] = ":".join(map(str, given["index_range"]))
    options = "".join(f" --{name.replace('_', '-')} {_quoted(str(value))}" for name, value in given.items())
    return options + (' --global-indices "$INDICES"' if "global_indices" in config else "")


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
