"""The rules of dbt-project-evaluator that fit this project, on dbt's manifest; each exception has its reason.

The package itself comes from outside the package registries (docs/decisions/027-on-1.x.md).
"""

import json
from typing import Any

import pytest

from support.homes.evaluation_home import Evaluated

MAX_PARENTS, MAX_LEAVES = 7, 3
UNREAD_SOURCES = {
    "raw.source_files": "published as it is, for who asks where documents come from",
    "raw.rejects": "published as it is, for who asks what could not be used",
    "raw.superseded_documents": "the views of documents leave out what it names",
}
READ_TWICE = {
    "raw.documents": "token ids apart: most models need none, and they are most of the bytes",
    "raw.word_documents": "places of matches apart: only what a training read by which step needs them",
}
MANY_PARENTS = {
    "int_signatures__measured": "one list of all checks of a run",
    "int_strategy_documents__ordered": "one order of documents for every kind of strategy",
    "fct_pivot_quality": "candidates of three kinds against translations and planted truth",
}
WITHOUT_PARENTS = {
    "sem_days": "a calendar",
    "int_word_splits__listed": "a list that is written here",
    "int_score_methods__listed": "a list that is written here",
    "int_pivot_sets__listed": "a list that is written here",
    "int_outcomes__listed": "a list that is written here",
}
MANY_LEAVES = {
    "stg_runs": "every result says of which run it is",
    "int_strategies__listed": "strategies are named wherever something is compared",
    "int_outcome_deltas__tested": "one test of all outcomes, of which each mart shows a part",
    "stg_translation_items": "the word list is shown by item and by word, and weighs what is found",
}


@pytest.fixture(scope="module")
def manifest(evaluated: Evaluated) -> dict[str, Any]:
    return json.loads((evaluated.home.dbt_target / "manifest.json").read_text())


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {n: node for n, node in manifest["nodes"].items() if node["resource_type"] == "model"}


def children(manifest: dict[str, Any], node: str) -> list[str]:
    return [child for child in manifest["child_map"][node] if child.startswith("model.")]


def test_a_source_is_read_by_one_model_of_staging(manifest: dict[str, Any], models: dict[str, Any]) -> None:
    unread, twice = set(), set()
    for source, about in manifest["sources"].items():
        name, readers = f"{about['source_name']}.{about['name']}", children(manifest, source)
        assert {models[reader]["schema"] for reader in readers} <= {"staging"}, name
        unread |= {name} if not readers else set()
        twice |= {name} if len(readers) > 1 else set()
    assert unread == set(UNREAD_SOURCES)
    assert twice == set(READ_TWICE)


def test_only_staging_reads_sources_and_it_reads_nothing_else(models: dict[str, Any]) -> None:
    for model in models.values():
        kinds = {parent.partition(".")[0] for parent in model["depends_on"]["nodes"]}
        if model["schema"] == "staging":
            assert kinds <= {"source", "seed"}, model["name"]
        else:
            assert "source" not in kinds, model["name"]


def test_models_have_few_parents_and_few_ends(manifest: dict[str, Any], models: dict[str, Any]) -> None:
    parents = {model["name"]: len(model["depends_on"]["nodes"]) for model in models.values()}
    assert {name for name, n in parents.items() if n > MAX_PARENTS} == set(MANY_PARENTS)
    assert {name for name, n in parents.items() if n == 0} == set(WITHOUT_PARENTS)
    ends = {
        model["name"]: sum(not children(manifest, child) for child in children(manifest, unique_id))
        for unique_id, model in models.items()
    }
    assert {name for name, n in ends.items() if n > MAX_LEAVES} == set(MANY_LEAVES)


def test_every_mart_has_a_key_that_is_tested(manifest: dict[str, Any], models: dict[str, Any]) -> None:
    """A formula's key is tested on the mart that shows it; staging shows raw rows as they are."""
    tests = (node for node in manifest["nodes"].values() if node["resource_type"] == "test")
    keyed = {
        t["attached_node"] for t in tests if (t.get("test_metadata") or {}).get("name") in ("unique_key", "unique")
    }
    assert [m["name"] for n, m in models.items() if m["schema"] == "marts" and n not in keyed] == []
