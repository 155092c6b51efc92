"""The two copies of the contract between the rooms are the same."""

import pytest

import ml.schemas
import warehouse.schemas


@pytest.mark.parametrize("table", sorted(ml.schemas.RESULT))
def test_schema_equals_the_warehouses(table: str) -> None:
    assert ml.schemas.RESULT[table].equals(warehouse.schemas.RESULT[table])


def test_every_result_table_but_the_warehouses_own_is_written_by_ml() -> None:
    assert set(warehouse.schemas.RESULT) - set(ml.schemas.RESULT) == {"runs", "exports"}


def test_identities_follow_the_warehouses_rule() -> None:
    import ml.files
    import warehouse.hashing

    assert ml.files.id64("shots", "水") == warehouse.hashing.id64("shots", "水")
    assert ml.files.short_hash({"b": 1, "a": [2]}) == warehouse.hashing.short_hash({"a": [2], "b": 1})
