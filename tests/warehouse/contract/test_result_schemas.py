"""The two copies of the contract between the rooms are the same."""

import pytest

import ml.common.schemas
import warehouse.lake.schemas


@pytest.mark.parametrize("table", sorted(ml.common.schemas.RESULT))
def test_schema_equals_the_warehouses(table: str) -> None:
    assert ml.common.schemas.RESULT[table].equals(warehouse.lake.schemas.RESULT[table])


def test_every_result_table_but_the_warehouses_own_is_written_by_ml() -> None:
    assert set(warehouse.lake.schemas.RESULT) - set(ml.common.schemas.RESULT) == {"runs", "exports"}


def test_identities_follow_the_warehouses_rule() -> None:
    import ml.common.result_files
    import warehouse.contract.hashing

    assert ml.common.result_files.id64("shots", "水") == warehouse.contract.hashing.id64("shots", "水")
    assert ml.common.result_files.short_hash({"b": 1, "a": [2]}) == warehouse.contract.hashing.short_hash(
        {"a": [2], "b": 1}
    )
