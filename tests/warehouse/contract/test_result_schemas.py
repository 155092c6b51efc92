"""What runs write has a schema, and every kind of run is known with what becomes of it."""

import re

import yaml

from support.places import PROJECT
from warehouse.contract.folders import EVALUATIONS, RUN_KINDS
from warehouse.contract.result_schemas import RESULT
from warehouse.lake.schemas import RECORDED, SCHEMAS


def test_the_programs_of_ml_write_the_result_tables_and_no_others() -> None:
    written = {table for kind in RUN_KINDS.values() if kind.is_ml for table in kind.tables}
    assert written == set(RESULT)
    assert not set(RESULT) & set(RECORDED)


def test_every_run_writes_raw_tables() -> None:
    assert {table for kind in RUN_KINDS.values() for table in kind.tables} <= set(SCHEMAS)


def test_evaluations_leave_nothing_but_results() -> None:
    assert set(EVALUATIONS) == {"score", "sentences", "trace", "intervene", "held_out", "prompt_lens"}


def test_freshness_asks_for_runs_of_the_kind_that_writes_the_table() -> None:
    files = (PROJECT / "dbt_project" / "models" / "staging").rglob("*.yml")
    contents = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in files]
    tables = [table for content in contents for source in content.get("sources", ()) for table in source["tables"]]
    asked = {
        table["name"]: re.search(r"kind = '(\w+)'", table["config"]["loaded_at_query"])[1]  # type: ignore[index]
        for table in tables
        if "loaded_at_query" in table.get("config", {})
    }
    assert len(asked) > 10
    assert all(table in RUN_KINDS[kind].tables for table, kind in asked.items())
