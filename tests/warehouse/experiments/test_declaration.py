"""What an experiment is judged by is written down once, before its first training."""

from pathlib import Path

import pytest

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.experiments.declaration import declare
from warehouse.experiments.plan import Plan, read_plan
from warehouse.lake.files import read_table


def plan(**changes: object) -> Plan:
    return read_plan("short-cpu").model_copy(update=changes)


def test_a_declaration_is_a_row(tmp_path: Path) -> None:
    home = Home(tmp_path)
    declare(home, "short-cpu-1a", plan(primary_outcome="margin", smallest_effect=0.25))
    declare(home, "short-cpu-2b", plan(primary_outcome=None, primary_word_split=None))
    rows = {row["experiment"]: row for row in read_table(home, "experiments").to_pylist()}
    assert rows["short-cpu-1a"]["preset"] == "short-cpu"
    assert (rows["short-cpu-1a"]["primary_outcome"], rows["short-cpu-1a"]["smallest_effect"]) == ("margin", 0.25)
    assert rows["short-cpu-2b"]["primary_outcome"] is None


def test_what_was_declared_stays(tmp_path: Path) -> None:
    home = Home(tmp_path)
    declare(home, "e", plan(primary_outcome="margin"))
    declare(home, "e", plan(primary_outcome="margin"))
    with pytest.raises(UsageError, match=r"e was declared with primary_outcome margin \(now score\)"):
        declare(home, "e", plan(primary_outcome="score"))
    assert read_table(home, "experiments").num_rows == 1
