"""Metrics without a metric server: what the semantic manifest says is computed here, and held to the marts."""

import json
from typing import Any

import pytest
from dbt_semantic_interfaces.implementations.semantic_manifest import PydanticSemanticManifest
from dbt_semantic_interfaces.validations.semantic_manifest_validator import SemanticManifestValidator

from support.homes.evaluation_home import Evaluated, close

AGGREGATIONS = {"average": "avg", "sum": "sum"}


@pytest.fixture(scope="module")
def manifest(evaluated: Evaluated) -> dict[str, Any]:
    return json.loads((evaluated.home.dbt_target / "semantic_manifest.json").read_text())


def measure(manifest: dict[str, Any], metric: str) -> tuple[str, str]:
    """Return the aggregate of a simple metric's measure, and the relation it is computed from."""
    named = {m["name"]: m for m in manifest["metrics"]}[metric]["type_params"]["measure"]["name"]
    for model in manifest["semantic_models"]:
        for found in model["measures"]:
            if found["name"] == named:
                relation = ".".join(f'"{part}"' for part in model["node_relation"]["relation_name"].split('"')[3::2])
                return f"{AGGREGATIONS[found['agg']]}({found['expr']})", relation
    raise AssertionError(f"{metric} has no measure {named}")


def test_the_manifest_is_valid(manifest: dict[str, Any]) -> None:
    parsed = PydanticSemanticManifest.parse_obj(manifest)
    results = SemanticManifestValidator[PydanticSemanticManifest]().validate_semantic_manifest(parsed)
    assert [str(issue) for issue in results.all_issues] == []
    assert {m.name for m in parsed.metrics} >= {"translation_score", "score_delta", "pivot_density", "behaviour_auc"}


def test_every_dimension_entity_and_measure_exists(evaluated: Evaluated, manifest: dict[str, Any]) -> None:
    for model in manifest["semantic_models"]:
        parts = [*model["entities"], *model["dimensions"], *model["measures"]]
        columns = ", ".join(part["expr"] or part["name"] for part in parts)
        schema, name = model["node_relation"]["schema_name"], model["node_relation"]["alias"]
        assert evaluated.rows(f"select {columns} from {schema}.{name} limit 1") is not None


def test_metrics_grouped_by_direction_are_the_marts(evaluated: Evaluated, manifest: dict[str, Any]) -> None:
    aggregate, relation = measure(manifest, "translation_score")
    keys = "run_id, source_lang, target_lang"
    mart = evaluated.by("from marts.fct_translation_scores where word_split = 'all'", *keys.split(", "))
    scores = evaluated.rows(f"select {keys}, {aggregate} as value from {relation} where score is not null group by all")
    assert scores
    for row in scores:
        assert row["value"] == close(mart[row["run_id"], row["source_lang"], row["target_lang"]]["score"])

    aggregate, relation = measure(manifest, "score_delta")
    keys = "strategy, baseline, source_lang, target_lang"
    mart = evaluated.by("from marts.fct_strategy_comparison where word_split = 'all'", *keys.split(", "))
    deltas = evaluated.rows(f"select {keys}, {aggregate} as value from {relation} group by all")
    assert {tuple(row[key] for key in keys.split(", ")) for row in deltas} == {k for k in mart if k[2] != "all"}
    for row in deltas:
        assert row["value"] == close(mart[tuple(row[key] for key in keys.split(", "))]["score_delta"])

    aggregate, relation = measure(manifest, "behaviour_auc")
    mart = evaluated.by("from marts.fct_behaviour_auc where source_lang = 'all' and definition = 'peak'", "run_id")
    aucs = evaluated.rows(
        f"select run_id, {aggregate} as value from {relation} where definition = 'peak' group by run_id"
    )
    assert [row["value"] for row in aucs] == [close(mart[row["run_id"],]["auc"]) for row in aucs]


def test_times_are_those_of_the_runs(evaluated: Evaluated) -> None:
    wrong = evaluated.rows(
        "select run_id from semantic.sem_item_scores join raw.runs using (run_id) where scored_at <> finished_at"
    )
    assert wrong == []
    late = evaluated.rows(
        "select strategy, max(compared_at) as compared_at from semantic.sem_item_deltas"
        " where baseline = 'base' group by strategy"
    )
    assert late
    for row in late:
        last = evaluated.rows(
            "select max(finished_at) as at from raw.runs where kind = 'score' and experiment = 'toy'"
            f" and strategy in ('{row['strategy']}', 'base')"
        )
        assert row["compared_at"] == last[0]["at"]
