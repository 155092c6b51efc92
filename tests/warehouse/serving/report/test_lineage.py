"""The report's "To make it again": the commands say what was recorded, and lead to the same count."""

import json
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from support.corpora.files import document, write_jsonl, write_tokenizer
from support.homes.handmade import CORPUS, make_marts, write_count, write_rows
from warehouse.base.settings import Home
from warehouse.build import build as building
from warehouse.build.dbt_runner import VARS_FILE
from warehouse.cli import app
from warehouse.counting.options import CountOptions
from warehouse.lake.connections import open_published_ibis
from warehouse.lake.files import current_count
from warehouse.serving import queries
from warehouse.serving.publish import publish
from warehouse.serving.report.lineage import commands

TEXTS = ("the water of the river", "a river and cold water", "old house", "the house by the river", "cold house")
COUNT = CountOptions(
    unit="window",
    window_tokens=3,
    max_docs_per_word=2,
    seed=5,
    min_rate_difference=0.05,
    rate_min_token_docs=2,
    min_z=0.25,
    z_min_pair_docs=1,
    z_min_token_docs=3,
)


def printed(home: Home, corpus: str) -> list[str]:
    """Return the commands that the published copy's report shows."""
    manifest = publish(home).manifest
    with open_published_ibis(home) as warehouse:
        runs = queries.runs(warehouse).to_pyarrow().to_pylist()
        return commands(warehouse, home, runs, corpus, manifest["build_variables"])


def test_commands_say_what_was_recorded(tmp_path: Path) -> None:
    home = Home(tmp_path)
    make_marts(home)
    read = {"format": "memmap", "lang_column": "langue", "global_indices": "0a1b", "index_range": [10, 20]}
    rows = [
        {"kind": "words", "config": '{"source_file": "my words.jsonl"}'},
        {"kind": "ingest", "corpus": CORPUS, "config": json.dumps({"format": "auto", "lang": None})},
        {"kind": "ingest", "corpus": CORPUS, "config": json.dumps(read)},
        {"kind": "count", "corpus": CORPUS, "config": json.dumps(CountOptions().as_dict())},
        {"kind": "export", "corpus": CORPUS, "strategy": "pivot_aware", "config": '{"budget_tokens": 7000}'},
        {"kind": "count", "corpus": "other", "config": json.dumps(CountOptions().as_dict())},
    ]
    for place, row in enumerate(rows):
        at = datetime(2026, 1, 1, 0, place, tzinfo=UTC)
        write_rows(home, "runs", [row | {"run_id": f"r{place}", "finished_at": at}], name=f"r{place}")
    write_rows(home, "corpora", [{"corpus": CORPUS, "tokenizer_name": "olmo", "tokenizer_hash": "0c1d"}], corpus=CORPUS)
    # the count that the marts show came before the one that was recorded last
    write_count(home, CountOptions(unit="window", window_tokens=1500, min_z=2.5))
    (home.root / VARS_FILE).write_text('{"selection_budget_tokens": 0, "judge_share": 0.25, "pivot_items": "all"}')
    kept = home.lake / "tokenizers" / "0c1d.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("{}")
    assert printed(home, CORPUS) == [
        "DOCUMENTS=texts/  # the files or the folder that were ingested",
        "INDICES=indices.npy  # the index file that was given",
        "pivots words import 'my words.jsonl'",
        f'pivots ingest "$DOCUMENTS" --corpus demo --tokenizer {kept}',
        f'pivots ingest "$DOCUMENTS" --corpus demo --tokenizer {kept} --format memmap --index-range 10:20'
        ' --lang-column langue --global-indices "$INDICES"',
        "pivots count --corpus demo --unit window --window-tokens 1500 --min-z 2.5",
        """pivots build --budget-tokens 0 --vars '{"judge_share": 0.25, "pivot_items": "all"}'""",
        "pivots export --corpus demo --strategy pivot_aware --budget-tokens 7000",
        "pivots publish",
        "pivots report",
    ]


def test_a_tokenizer_of_the_hub_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    make_marts(home)
    write_rows(home, "runs", [{"run_id": "r", "kind": "ingest", "corpus": CORPUS, "config": "{}"}])
    write_rows(home, "corpora", [{"corpus": CORPUS, "tokenizer_name": "allenai/OLMo-1B-hf"}], corpus=CORPUS)
    assert 'pivots ingest "$DOCUMENTS" --corpus demo --tokenizer allenai/OLMo-1B-hf' in printed(home, CORPUS)


def test_what_is_printed_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    """A shell runs every line as it stands: what nobody recorded is a variable, and the preset is the declared one."""
    home = Home(tmp_path)
    make_marts(home)
    rows = [{"run_id": "r0", "kind": "words", "config": "{}"}, {"run_id": "r1", "kind": "ingest", "config": "{}"}]
    rows += [{"run_id": f"r{2 + i}", "kind": "score", "experiment": name} for i, name in enumerate(("x-1", "x-2"))]
    for row in rows:
        write_rows(home, "runs", [row | {"corpus": CORPUS}], name=row["run_id"])
    write_rows(home, "experiments", [{"experiment": "x-1", "preset": "short-cpu"}], name="x-1")
    lines = printed(home, CORPUS)
    (tmp_path / "pivots").write_text('#!/bin/sh\nprintf "%s|" "$@"\necho\n')
    (tmp_path / "pivots").chmod(0o755)
    ran = subprocess.run(
        ["/bin/sh", "-eu"], input="\n".join(lines), capture_output=True, text=True, env={"PATH": str(tmp_path)}
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "words|import|words.csv|" in ran.stdout
    assert "ingest|texts/|--corpus|demo|--tokenizer|tokenizer.json|" in ran.stdout
    model = "allenai/OLMo-1B-hf"
    assert ran.stdout.count(f"experiment|--corpus|demo|--model|{model}|--preset|short-cpu|") == 2
    assert {line for line in lines if line.startswith("pivots experiment")} == {
        'pivots experiment --corpus demo --model "$MODEL" --preset short-cpu  # recorded as x-1',
        'pivots experiment --corpus demo --model "$MODEL" --preset "$PRESET"  # recorded as x-2',
    }


@pytest.mark.parametrize(
    ("recorded", "name"), [("base_model@0a1b", "base_model"), ("allenai/OLMo-1B-hf@rev", "allenai/OLMo-1B-hf@rev")]
)
def test_the_model_is_called_as_it_was_recorded(tmp_path: Path, recorded: str, name: str) -> None:
    home = Home(tmp_path)
    make_marts(home)
    row = {"run_id": "r", "kind": "score", "experiment": "x", "strategy": "base", "model_id": recorded}
    write_rows(home, "runs", [row | {"corpus": CORPUS}])
    said = f"MODEL={name}  # the model that the arms went on from, recorded as {recorded}"
    assert printed(home, CORPUS)[0] == said


def invoke(home: Home, arguments: list[str]) -> None:
    done = CliRunner().invoke(app, [*arguments, "--home", str(home.root)], catch_exceptions=False)
    assert done.exit_code == 0, done.output


def test_who_follows_the_commands_gets_the_same_count_and_builds_with_the_same_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents, words, tokenizer = tmp_path / "documents", tmp_path / "words.jsonl", write_tokenizer(tmp_path)
    for place in (0, 1):
        records = [document(f"{place}-{i}", f"{text} {i}", lang=None) for i, text in enumerate(TEXTS)]
        write_jsonl(documents / f"{place}.jsonl", records)
    write_jsonl(words, [{"en": {"en": "water"}, "fr": {"fr": "river"}}, {"en": {"en": "house"}, "fr": {"fr": "cold"}}])

    first = Home(tmp_path / "first")
    monkeypatch.chdir(tmp_path)
    ingest = ["ingest", str(documents), "--corpus", CORPUS, "--tokenizer", str(tokenizer), "--lang", "en"]
    invoke(first, ingest)
    invoke(first, ["words", "import", words.name])
    invoke(first, ["count", "--corpus", CORPUS])
    invoke(first, ["count", "--corpus", CORPUS, *shlex.split(COUNT.as_arguments())])
    make_marts(first)
    variables = {"selection_budget_tokens": 123, "default_pivot_set": 'it\'s "quoted"', "judge_share": 0.25}
    (first.root / VARS_FILE).write_text(json.dumps(variables))

    again, built_with = Home(tmp_path / "again"), []

    def no_dbt(home: Home, *, variables: dict[str, Any], **_: Any) -> dict[str, int]:
        assert home == again
        built_with.append(variables)
        return {}

    monkeypatch.setattr(building, "build", no_dbt)
    places = {"$DOCUMENTS": str(documents)}
    said = [shlex.split(line, comments=True) for line in printed(first, CORPUS)]
    assert said[0] == ["DOCUMENTS=texts/"]
    steps = said[1:]
    for program, *arguments in steps[: next(i for i, step in enumerate(steps) if step[1] == "build") + 1]:
        assert program == "pivots"
        options = ["--no-publish"] if arguments[0] == "build" else []  # nothing is built here
        invoke(again, [places.get(argument, argument) for argument in arguments] + options)
    assert current_count(again, CORPUS) == current_count(first, CORPUS) is not None
    assert built_with == [variables]
