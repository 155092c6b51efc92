"""The lines by which an experiment and a schedule say how far they are."""

from typing import Any

import httpx
import pytest

from flows.experiment_progress import ExperimentProgress
from warehouse.operations.run_watch import RunWatch


def test_an_experiment_says_how_much_is_left_once_it_can_tell(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    progress = ExperimentProgress({"trainings": 4, "evaluations": 2}, clock=lambda: now[0])
    progress.begin("trainings")
    for now[0] in (30.0, 40.0, 70.0, 80.0):  # two side by side: 20 s for each of the four
        progress.ended("trainings")
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "experiment: 1 of 6 steps (1 of 4 trainings, 0 of 2 evaluations); 30 s so far"
    progress.begin("evaluations")
    now[0] = 110.0
    progress.ended("evaluations")
    assert capsys.readouterr().err.splitlines() == [
        "experiment: 5 of 6 steps (4 of 4 trainings, 1 of 2 evaluations); 2 min so far, about 30 s left"
    ]
    now[0] = 120.0
    progress.ended("evaluations")
    assert progress.line().endswith("2 min so far, about 0 s left")


def run(name: str, kind: str, **more: Any) -> dict[str, Any]:
    start = "2026-01-02T03:04:05Z"
    about = {"id": name, "name": name, "state_type": kind, "start_time": start, "end_time": None, "total_run_time": 0}
    return about | {"state": {"message": ""}} | more


def test_a_schedule_tells_each_start_and_each_end_once() -> None:
    answers: list[Any] = [
        [run("a", "RUNNING")],
        [run("a", "RUNNING"), run("b", "RUNNING")],
        httpx.ConnectError("gone"),
        [
            run("a", "COMPLETED", end_time="2026-01-02T03:05:05Z", total_run_time=60.2),
            run("b", "FAILED", end_time="2026-01-02T03:05:06Z", state={"message": "corpus x:\nit is new"}),
        ],
        [run("a", "COMPLETED", end_time="2026-01-02T03:05:05Z", total_run_time=60.2)],
    ]

    def ask() -> list[dict[str, Any]]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    watch = RunWatch(ask)
    told = [[line.split("  ", 1)[1] for line in watch.lines()] for _ in range(5)]
    assert told == [
        ["started    a"],
        ["started    b"],
        [],
        ["completed  a (60 s)", "failed     b: corpus x: it is new"],
        [],
    ]
