"""The project as such: who reads what, what is described, where failing rows are, what is by whom to be used."""

import json
import re
from typing import Any

import duckdb
import pytest

from support.homes.evaluation_home import Evaluated
from support.places import PROJECT
from warehouse.base.errors import StepFailed
from warehouse.build import dbt_runner

READERS = {
    "report": ["warehouse/serving/report", "warehouse/serving/strategies.py"],
    "dashboard": ["warehouse/serving/dashboard", "warehouse/serving/strategies.py"],
    "exports": ["warehouse/experiments/training_export.py"],
    "evaluation_sets": ["warehouse/experiments/evaluation_set.py"],
}


@pytest.fixture(scope="module")
def manifest(evaluated: Evaluated) -> dict[str, Any]:
    return json.loads((evaluated.home.dbt_target / "manifest.json").read_text())


def marts(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    models = (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
    return {model["name"]: model for model in models if model["schema"] == "marts"}


def test_marts_are_public_contracted_and_of_a_group(manifest: dict[str, Any]) -> None:
    for name, mart in marts(manifest).items():
        assert (mart["access"], mart["contract"]["enforced"]) == ("public", True), name
        assert mart["group"] in manifest["groups"] or f"group.semantic_pivots.{mart['group']}" in manifest["groups"], (
            name
        )


def models(manifest: dict[str, Any], schema: str) -> dict[str, dict[str, Any]]:
    nodes = manifest["nodes"].values()
    return {n["unique_id"]: n for n in nodes if n["resource_type"] == "model" and n["schema"] == schema}


def test_formulas_read_no_mart(manifest: dict[str, Any]) -> None:
    above = {*models(manifest, "marts"), *models(manifest, "semantic")}
    for schema in ("staging", "intermediate"):
        for model in models(manifest, schema).values():
            assert above.isdisjoint(model["depends_on"]["nodes"]), model["name"]


def test_intermediate_models_are_named_after_what_is_done_to_what(manifest: dict[str, Any]) -> None:
    names = [step["name"] for step in models(manifest, "intermediate").values()]
    assert [name for name in names if not re.fullmatch(r"int_[a-z]+(_[a-z]+)*__([a-z_]*ed|drawn)", name)] == []


def test_what_a_group_does_between_staging_and_marts_is_its_own(manifest: dict[str, Any]) -> None:
    """Group corpus prepares for all; elsewhere only what another group reads is open to it."""
    steps = models(manifest, "intermediate")
    read_by: dict[str, set[str]] = {step: set() for step in steps}
    for node in manifest["nodes"].values():
        for parent in node["depends_on"]["nodes"] if node["resource_type"] == "model" else ():
            if parent in steps:
                read_by[parent].add(node["group"])
    for step, node in steps.items():
        is_shared = node["group"] == "corpus" or bool(read_by[step] - {node["group"]})
        assert node["access"] == ("protected" if is_shared else "private"), node["name"]


def test_tag_evaluation_is_what_results_change(manifest: dict[str, Any]) -> None:
    """After an experiment `tag:evaluation` is built: every model of results and what comes from them, and no other."""
    changed = {n for n, node in models(manifest, "staging").items() if node["fqn"][2] in ("runs", "results")}
    queue = sorted(changed)
    while queue:
        for child in manifest["child_map"][queue.pop()]:
            if child.startswith("model.") and child not in changed:
                changed.add(child)
                queue.append(child)
    tagged = {n for n, node in manifest["nodes"].items() if n.startswith("model.") and "evaluation" in node["tags"]}
    views = set(models(manifest, "semantic"))  # they show new rows as they are
    assert tagged - views == changed - views


def test_a_folder_of_models_has_one_file_of_each_kind() -> None:
    folders = [path for path in (dbt_runner.PROJECT_DIR / "models").glob("*/*") if path.is_dir()]
    assert len(folders) > 15
    for folder in folders:
        kinds = {f"_{folder.name}__{kind}" for kind in ("models.yml", "unit_tests.yml", "sources.yml", "docs.md")}
        names = {path.name for path in folder.iterdir()}
        assert {name for name in names if not name.endswith(".sql")} <= kinds, folder
        assert f"_{folder.name}__models.yml" in names
        assert len(names) <= 15, folder


def test_a_mart_that_shows_a_model_has_its_columns_and_rows(evaluated: Evaluated, manifest: dict[str, Any]) -> None:
    """`pivots build --slim` reads such a mart in the place of the model."""
    shown = {name: mart["config"]["meta"]["shows"] for name, mart in marts(manifest).items() if mart["config"]["meta"]}
    assert len(shown) > 10
    for mart, model in shown.items():
        here, there = f"marts.{mart}", f"intermediate.{model}"
        columns = evaluated.rows(f"select distinct column_name as c from (describe {here}) order by 1")
        assert columns == evaluated.rows(f"select distinct column_name as c from (describe {there}) order by 1"), mart
        names = ", ".join(row["c"] for row in columns)
        for one, other in ((here, there), (there, here)):
            differing = evaluated.rows(f"select {names} from {one} except all select {names} from {other}")
            assert differing == [], mart


def test_every_mart_and_column_says_more_than_its_name(manifest: dict[str, Any]) -> None:
    silent = [
        f"{name}.{column['name']}"
        for name, mart in marts(manifest).items()
        for column in mart["columns"].values()
        if len(column["description"].split()) < 2
    ]
    assert silent == []


def test_every_model_says_what_a_row_is(manifest: dict[str, Any]) -> None:
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    silent = [m["name"] for m in models if not re.match(r"(One row|A row|Rows) ", m["description"])]
    assert silent == []


def test_every_test_that_only_warns_says_from_where_and_what_to_do(manifest: dict[str, Any]) -> None:
    tests = [n for n in manifest["nodes"].values() if n["resource_type"] == "test" and n["name"].startswith("assert_")]
    warnings = {n["name"]: n["description"] for n in tests if n["config"]["severity"].lower() == "warn"}
    assert len(warnings) == 8
    for name, description in warnings.items():
        assert description.startswith("Warns where"), name
        assert "var signature_" in description or name == "assert_results_are_finite"


def test_descriptions_stand_in_the_warehouse(evaluated: Evaluated, manifest: dict[str, Any]) -> None:
    comments = evaluated.by(
        "select table_name, column_name, comment from duckdb_columns()"
        " where schema_name = 'marts' and database_name = 'warehouse'",
        *("table_name", "column_name"),
    )
    for name, mart in marts(manifest).items():
        for column in mart["columns"].values():
            assert comments[name, column["name"]]["comment"] == column["description"] != "", (name, column["name"])


def test_exposures_name_the_marts_that_their_code_reads(manifest: dict[str, Any]) -> None:
    exposures = {e["name"]: e for e in manifest["exposures"].values()}
    assert set(exposures) == set(READERS)
    known = set(marts(manifest))
    queries = _marts_of_queries(known)
    for name, places in READERS.items():
        text = "".join(_source(place) for place in places)
        called = set(re.findall(r"queries(?:\.| import )(\w+)", text))
        read = {mart for query in called for mart in queries.get(query, ())}
        read |= {mart for mart in known if re.search(rf"\bmarts\.{mart}\b", text)}
        declared = {node.split(".")[-1] for node in exposures[name]["depends_on"]["nodes"]}
        assert declared == read, name


def _source(place: str) -> str:
    path = PROJECT / place
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return "\n".join(file.read_text() for file in files)


def _marts_of_queries(known: set[str]) -> dict[str, set[str]]:
    """Return query -> marts whose names stand in it."""
    found = {}
    for text in re.split(r"\n(?=def )", _source("warehouse/serving/queries")):
        if match := re.match(r"def (\w+)", text):
            found[match[1]] = {mart for mart in known if f'"{mart}"' in text}
    return found


def test_failing_rows_are_kept_and_the_error_says_where(evaluated: Evaluated) -> None:
    kept = evaluated.rows("select table_name from duckdb_tables() where schema_name = 'failures'")
    assert "assert_results_are_finite" in {row["table_name"] for row in kept}
    rows = evaluated.rows("select run_id, signature, explanation from failures.assert_results_are_finite")
    assert [(row["run_id"], row["signature"]) for row in rows] == [("score-alone", "non_finite_values")]
    broken = "update marts.fct_item_scores set score = 7 where run_id = 'score-base'"
    with duckdb.connect(str(evaluated.home.warehouse_file)) as connection:
        original = connection.execute("select * from marts.fct_item_scores").to_arrow_table()
        connection.execute(broken)
    try:
        with pytest.raises(
            StepFailed, match=r'rows are in .*"failures"."assert_scores_are_differences_of_probabilities"'
        ):
            dbt_runner.run_dbt(evaluated.home, ["test", "--select", "assert_scores_are_differences_of_probabilities"])
    finally:
        with duckdb.connect(str(evaluated.home.warehouse_file)) as connection:
            connection.register("original", original)
            connection.execute("delete from marts.fct_item_scores")
            connection.execute("insert into marts.fct_item_scores select * from original")


def test_sources_are_as_fresh_as_the_last_run_of_their_kind(evaluated: Evaluated) -> None:
    dbt_runner.run_dbt(evaluated.home, ["source", "freshness", "--select", "source:raw.word_scores"], quiet=True)
    results = json.loads((evaluated.home.dbt_target / "sources.json").read_text())["results"]
    last = evaluated.rows("select max(finished_at) as at from raw.runs where kind = 'score'")[0]["at"]
    assert [r["max_loaded_at"][:19] for r in results] == [last.isoformat()[:19]]
