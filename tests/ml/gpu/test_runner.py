"""The runner: order, budget, resuming, and what it says when a stage fails."""

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ml.gpu import runner
from ml.gpu.page import render, summary
from ml.gpu.plan import STAGES, Stage, find_stages
from ml.gpu.runner import REHEARSAL, ROOT, Request, run
from support.places import PROJECT

# A stage that answers `n` items, one every `pause` seconds, as the module name says.
TOY = """
import sys, time
from warehouse.contract.stage_answers import start_stage
arguments, answers = start_stage()
for number in range({n}):
    answers.item(f"item {{number}}", lambda: time.sleep({pause}) or {{"at": time.time()}}, needs_s={needs})
{more}
answers.check("number of items", {n}, "some", is_within=True)
answers.table("Items", ["item", "value"], [["a", 1.5]])
sys.exit({code})
"""


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose modules the stages find."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "toys"))
    monkeypatch.setattr(runner, "NEEDED", ("json",))
    monkeypatch.setattr(runner, "GRACE_S", 1)
    monkeypatch.setattr(runner, "CLOSING_S", 0)
    (tmp_path / "toys").mkdir()
    return tmp_path / "toys"


def toy(
    toys: Path, name: str, *, n: int = 2, pause: float = 0.0, needs: float = 0.0, code: int = 0, more: str = ""
) -> Stage:
    """Write a stage; return its plan."""
    (toys / f"{name}.py").write_text(TOY.format(n=n, pause=pause, needs=needs, code=code, more=more))
    return Stage(name, f"Question {name}?", name, None, 0, (str(toys / f"{name}.py"),))


def request(tmp_path: Path, *stages: Stage, minutes: float = 1.0) -> Request:
    return Request(stages, REHEARSAL, minutes, tmp_path / "out", tmp_path / "work")


def results_of(tmp_path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((tmp_path / "out" / "results.json").read_text())
    return content["stages"]


def test_stages_run_in_order_and_results_stand_after_each(tmp_path: Path, toys: Path) -> None:
    run(request(tmp_path, toy(toys, "one"), toy(toys, "two")))
    found = results_of(tmp_path)
    assert [found[name]["state"] for name in ("one", "two")] == ["finished", "finished"]
    assert found["one"]["items"]["item 1"]["at"] < found["two"]["items"]["item 0"]["at"]
    assert (tmp_path / "out" / "gpu.md").exists()


def test_a_finished_stage_is_not_run_again_until_its_code_changes(tmp_path: Path, toys: Path) -> None:
    run(request(tmp_path, toy(toys, "one")))
    first = results_of(tmp_path)["one"]
    run(request(tmp_path, toy(toys, "one")))
    assert results_of(tmp_path)["one"] == first
    run(request(tmp_path, toy(toys, "one", n=3)))
    assert len(results_of(tmp_path)["one"]["items"]) == 3


@pytest.mark.slow
def test_the_budget_holds_and_later_stages_say_that_no_time_was_left(tmp_path: Path, toys: Path) -> None:
    started = time.monotonic()
    slow = toy(toys, "slow", n=100, pause=0.3, more="time.sleep(60)")
    late = Stage("late", "Late?", "slow", None, 30, ())
    run(request(tmp_path, slow, late, minutes=5 / 60))
    assert time.monotonic() - started < 15
    found = results_of(tmp_path)
    assert found["slow"]["state"] == "stopped at its limit"
    assert 1 <= len(found["slow"]["items"]) < 100
    assert found["late"]["state"] == "no time left"


@pytest.mark.slow
def test_a_stage_stops_by_itself_and_the_next_call_goes_on(tmp_path: Path, toys: Path) -> None:
    stage = toy(toys, "steady", n=8, pause=0.4, needs=1.0)
    run(request(tmp_path, stage, minutes=4 / 60))
    first = results_of(tmp_path)["steady"]
    assert first["state"] == "unfinished"
    assert 0 < len(first["items"]) < 8
    assert "not measured" in first["notes"][0]
    run(request(tmp_path, stage))
    second = results_of(tmp_path)["steady"]
    assert second["state"] == "finished"
    assert len(second["items"]) == 8
    assert second["items"]["item 0"] == first["items"]["item 0"]


def test_a_failed_stage_shows_its_log_and_does_not_stop_the_others(tmp_path: Path, toys: Path) -> None:
    bad = toy(toys, "bad", more='raise KeyError("nowhere")')
    results = run(request(tmp_path, bad, toy(toys, "good")))
    found = results["stages"]
    assert found["bad"]["state"] == "failed"
    assert "nowhere" in found["bad"]["log"]
    assert len(found["bad"]["items"]) == 2
    assert found["good"]["state"] == "finished"


def test_an_item_that_fails_is_an_answer_and_is_tried_again(tmp_path: Path, toys: Path) -> None:
    broken = 'answers.item("broken", lambda: int("x"))'
    run(request(tmp_path, toy(toys, "one", more=broken)))
    assert "invalid literal" in results_of(tmp_path)["one"]["items"]["broken"]["error"]


@pytest.mark.slow
def test_a_killed_runner_leaves_no_stage_behind_and_the_next_call_goes_on(tmp_path: Path, toys: Path) -> None:
    mark = tmp_path / "alive"
    toy(toys, "steady", n=40, pause=0.25)
    source = (
        (toys / "steady.py")
        .read_text()
        .replace("for number", f"import os; open({str(mark)!r}, 'w').write(str(os.getpid()))\nfor number")
    )
    (toys / "steady.py").write_text(source)
    script = f"""
import sys
from pathlib import Path
from ml.gpu import runner
from ml.gpu.plan import Stage
runner.NEEDED = ("json",)
stage = Stage("steady", "?", "steady", None, 0, ())
out, work = Path({str(tmp_path / "out")!r}), Path({str(tmp_path / "work")!r})
runner.run(runner.Request((stage,), "rehearsal", 2.0, out, work))
"""
    paths = os.pathsep.join([str(toys), str(PROJECT)])
    process = subprocess.Popen([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": paths}, cwd=tmp_path)
    answers = tmp_path / "work"
    until = time.monotonic() + 60
    while time.monotonic() < until and not any("item 2" in p.read_text() for p in answers.glob("*/answers.json")):
        time.sleep(0.05)
    process.kill()
    process.wait()
    pid = int(mark.read_text())
    until = time.monotonic() + 10
    while time.monotonic() < until and _is_running(pid):
        time.sleep(0.1)
    assert not _is_running(pid)
    (kept,) = answers.glob("*/answers.json")
    before = json.loads(kept.read_text())["items"]
    assert 3 <= len(before) < 40
    stage = Stage("steady", "?", "steady", None, 0, ())
    found = run(request(tmp_path, stage))["stages"]["steady"]
    assert found["state"] == "finished"
    assert len(found["items"]) == 40
    assert {name: found["items"][name] for name in before} == before


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_a_missing_package_is_named_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "NEEDED", ("json", "no_such_package"))
    with pytest.raises(runner.CannotRun, match="lacks no_such_package"):
        run(request(tmp_path))


def test_a_stage_that_refuses_ends_the_call_with_its_reason(tmp_path: Path, toys: Path) -> None:
    more = 'answers.note("no GPU here"); answers.save(); sys.exit(3)'
    with pytest.raises(runner.CannotRun, match="no GPU here"):
        run(request(tmp_path, toy(toys, "first", more=more), toy(toys, "second")))
    assert list(results_of(tmp_path)) == ["first"]


class TestPage:
    def test_the_page_in_the_repository_is_that_of_no_results(self) -> None:
        assert (ROOT / "docs" / "benchmarks" / "gpu.md").read_text() == render({})

    def test_no_results_are_said_to_be_none(self) -> None:
        page = render({})
        assert "**Not run**" in page
        assert page.count(": not run.") == len(STAGES)

    def test_figures_bounds_and_errors_are_on_it(self) -> None:
        found = {
            "state": "finished",
            "wall_s": 3.0,
            "items": {"good": {"x": 1}, "bad": {"error": "no such kernel"}},
            "checks": {"speed": {"value": 70_000.0, "bound": "at least 68,000", "is_within": True}},
            "tables": {"Variants": {"columns": ["a", "b"], "rows": [["plain | odd", None]]}},
            "notes": ["Said once."],
            "profiles": {"a step": "aten::mm 3 ms"},
        }
        page = render({"sizes": "full", "stages": {"train": found}})
        assert "| speed | 70,000 | at least 68,000 | yes |" in page
        assert "- bad: could not be measured: no such kernel" in page
        assert "| plain \\| odd | – |" in page
        assert "aten::mm 3 ms" in page
        assert "Not run" not in page

    def test_a_figure_out_of_its_bound_is_a_bad_end(self) -> None:
        check = {"value": 1.0, "bound": "at least 2", "is_within": False}
        text, is_good = summary({"stages": {"train": {"state": "finished", "checks": {"speed": check}}}})
        assert not is_good
        assert "NO speed" in text


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(ValueError, match="no stage nonsense: there are machine"):
        find_stages(["nonsense"])


@pytest.mark.slow
def test_a_deaf_stage_is_ended(tmp_path: Path, toys: Path) -> None:
    """A stage that ignores SIGTERM is ended, too."""
    more = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(100)"
    started = time.monotonic()
    run(request(tmp_path, toy(toys, "deaf", more=more), minutes=3 / 60))
    assert time.monotonic() - started < 20
    assert results_of(tmp_path)["deaf"]["state"] == "stopped at its limit"


def test_a_missing_package_is_taken_from_the_wheels_beside_the_code(
    tmp_path: Path, toys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a package that this Python has is not replaced by the wheel of it."""
    wheels = tmp_path / "root" / "wheels"
    wheels.mkdir(parents=True)
    _make_wheel(wheels, "carried_package")
    _make_wheel(wheels, "numpy")
    monkeypatch.setattr(runner, "ROOT", tmp_path / "root")
    monkeypatch.setattr(runner, "NEEDED", ("numpy", "carried_package"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(toys), str(PROJECT)]))
    more = "import carried_package, numpy; answers.note(f'{carried_package.here} {hasattr(numpy, \"zeros\")}')"
    found = run(request(tmp_path, toy(toys, "one", more=more)))["stages"]["one"]
    assert found["state"] == "finished", found
    assert found["notes"] == ["True True"]


def _make_wheel(folder: Path, name: str) -> None:
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}/__init__.py", "here = True\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
