from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.base.errors import StepFailed
from warehouse.base.settings import Home
from warehouse.experiments.results import is_registered, write_back
from warehouse.lake.files import read_table
from warehouse.lake.runs import Run
from warehouse.lake.schemas import SCHEMAS


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def run() -> Run:
    return Run(kind="held_out", corpus="c", strategy="base", config={}, inputs={"model": "m"})


def _result(folder: Path, name: str, table: pa.Table) -> None:
    (folder / "results").mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "results" / f"{name}.parquet")


def test_results_and_then_the_run_are_registered(home: Home, run: Run, tmp_path: Path) -> None:
    row = {"run_id": run.run_id, "lang": "en", "n_docs": 1, "n_tokens": 2, "n_bytes": 3, "nll_sum": 0.5}
    _result(tmp_path, "held_out_losses", pa.Table.from_pylist([row], schema=SCHEMAS["held_out_losses"]))
    assert not is_registered(home, run)
    assert write_back(home, run, tmp_path) == {"held_out_losses": 1}
    assert is_registered(home, run)
    assert read_table(home, "held_out_losses").to_pylist() == [row]
    recorded = read_table(home, "runs").to_pylist()
    assert [(r["run_id"], r["strategy"]) for r in recorded] == [(run.run_id, "base")]
    assert recorded[0]["finished_at"] >= recorded[0]["started_at"]


def test_a_repeated_write_back_changes_nothing(home: Home, run: Run, tmp_path: Path) -> None:
    row = {"run_id": run.run_id, "lang": "en", "n_docs": 1, "n_tokens": 2, "n_bytes": 3, "nll_sum": 0.5}
    _result(tmp_path, "held_out_losses", pa.Table.from_pylist([row], schema=SCHEMAS["held_out_losses"]))
    write_back(home, run, tmp_path)
    before = {p: p.read_bytes() for p in home.lake.rglob("*.parquet")}
    write_back(home, run, tmp_path)
    assert {p: p.read_bytes() for p in home.lake.rglob("*.parquet")} == before


@pytest.mark.parametrize(
    ("name", "table", "message"),
    [
        ("nonsense", pa.table({"a": [1]}), "no result table"),
        ("held_out_losses", pa.table({"run_id": ["r"]}), "does not fit"),
    ],
)
def test_results_of_another_shape_stop_before_the_run_is_recorded(
    home: Home, run: Run, tmp_path: Path, name: str, table: pa.Table, message: str
) -> None:
    _result(tmp_path, name, table)
    with pytest.raises(StepFailed, match=message):
        write_back(home, run, tmp_path)
    assert not is_registered(home, run)


def test_run_id_is_the_request(run: Run) -> None:
    same = Run(kind="held_out", corpus="c", strategy="base", config={}, inputs={"model": "m"})
    other = Run(kind="held_out", corpus="c", strategy="base", config={}, inputs={"model": "n"})
    assert run.run_id == same.run_id != other.run_id
