"""What a flow is asked: refused before anything starts, and the same in the flow's process as on the command line."""

from pathlib import Path

import pytest

from support.places import PROFILES
from warehouse.base.errors import UsageError
from warehouse.contract.requests import read_request
from warehouse.experiments.plan import read_plan
from warehouse.experiments.requests import DemoRequest, ExperimentRequest, experiment_request, write_flow_request

MODEL = str(PROFILES / "olmo-tiny.json")


def test_a_request_arrives_as_it_was_asked(tmp_path: Path) -> None:
    asked = experiment_request(tmp_path, corpora=["a", "b"], model=MODEL, preset="planted-cpu", seeds=2)
    assert (asked.plan.seeds, asked.plan.name) == ((0, 1), "planted-cpu")
    file = write_flow_request(tmp_path / "requests", asked)
    arrived = read_request(file, ExperimentRequest)
    assert arrived == asked
    assert arrived.plan.experiment_id(["a"], "m") == read_plan("planted-cpu").experiment_id(["a"], "m")
    assert write_flow_request(tmp_path / "requests", arrived) == file, "the same request is the same file"


def test_a_changed_preset_does_not_change_a_request_on_its_way(tmp_path: Path) -> None:
    preset = tmp_path / "mine.yml"
    preset.write_bytes((PROFILES / "demo-cpu.yml").read_bytes())
    asked = DemoRequest(home=tmp_path, plan=read_plan(str(preset)), scale=0.5, seed=1)
    file = write_flow_request(tmp_path, asked)
    preset.unlink()
    assert read_request(file, DemoRequest) == asked


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"corpora": []}, "at least one corpus"),
        ({"corpora": ["a", "b"], "seeds": 1}, "add --seeds 2"),
        ({"seeds": 0}, "at least one seed"),
        ({"preset": "none"}, "no preset 'none'"),
        ({"preset": "base-model"}, "no section `experiment`"),
        ({"model": "nowhere.json"}, "no model at nowhere.json"),
    ],
)
def test_bad_requests_are_refused(changes: dict[str, object], problem: str, tmp_path: Path) -> None:
    good: dict[str, object] = {"corpora": ["a"], "model": MODEL, "preset": "demo-cpu"}
    with pytest.raises(UsageError, match=problem):
        experiment_request(tmp_path, **(good | changes))  # type: ignore[arg-type]
