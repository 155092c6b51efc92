"""Run the stages within a budget, resume, keep what they find. Standard library and `warehouse.contract` only."""

import importlib.metadata
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml.gpu.page import render
from ml.gpu.plan import Stage
from warehouse.contract.atomic import atomic_file
from warehouse.contract.hashing import file_hash, short_hash
from warehouse.contract.lifeline import lifeline
from warehouse.contract.stage_answers import FULL, REFUSED, REHEARSAL

ROOT = Path(__file__).parents[2]  # of the checkout, or of the pack
NEEDED = ("torch", "transformers", "accelerate", "tokenizers", "numpy", "numba", "pyarrow", "pydantic", "yaml",
          "safetensors", "tqdm", "rich")  # fmt: skip
GRACE_S = 8  # a stage is told to stop so long before it is stopped
CLOSING_S = 5  # for the last page


class CannotRun(Exception):
    """The request cannot be served on this machine; the message says what to do."""


@dataclass(frozen=True)
class Request:
    """What to run: which stages, at which sizes, within how many minutes, and where the answers go."""

    stages: tuple[Stage, ...]
    sizes: str
    minutes: float
    out: Path
    work: Path


def run(request: Request) -> dict[str, Any]:
    """Run every stage that is not finished yet; return all results. They are in `<out>/results.json` at any moment.

    Raises:
        CannotRun: a package is missing, or there is no GPU for full sizes.
    """
    deadline = time.monotonic() + 60 * request.minutes
    request.out.mkdir(parents=True, exist_ok=True)
    request.work.mkdir(parents=True, exist_ok=True)
    environment = _environment(request.work)
    if request.sizes == REHEARSAL:
        environment.setdefault("OMP_NUM_THREADS", "1")  # at these sizes threads mostly wait for each other
    results = _read(request.out / "results.json")
    results |= {"sizes": request.sizes, "minutes": request.minutes}
    stages: dict[str, Any] = results.setdefault("stages", {})
    for stage in request.stages:
        key = stage_key(stage, request.sizes)
        known = stages.get(stage.name, {})
        if known.get("key") == key and known.get("state") == "finished":
            _say(f"{stage.name}: finished before")
            continue
        left = deadline - time.monotonic() - GRACE_S - CLOSING_S
        seconds = left if stage.limit_s is None else min(left, stage.limit_s)
        if seconds < _least(stage, request.sizes):
            stages[stage.name] = (known if known.get("key") == key else {"key": key}) | {"state": "no time left"}
            _say(f"{stage.name}: no time left")
        else:
            stages[stage.name] = _run_stage(stage, key, seconds, request, environment)
            _say(f"{stage.name}: {stages[stage.name]['state']}, {stages[stage.name]['wall_s']:.0f} s")
        _write(request.out, results)
        if stages[stage.name]["state"] == "refused":
            raise CannotRun("; ".join(stages[stage.name].get("notes", [])))
    _write(request.out, results)
    return results


def stage_key(stage: Stage, sizes: str) -> str:
    """Return 12 hex digits of everything that the answers of a stage depend on, but the machine."""
    content = {}
    for name in (*stage.sources, "ml/gpu", "profiles"):
        place = ROOT / name
        files = [path for path in place.rglob("*") if path.suffix in (".py", ".yml")] if place.is_dir() else [place]
        content[name] = {path.relative_to(place).as_posix(): file_hash(path) for path in files if path.exists()}
    return short_hash([stage.module, sizes, content])


def _least(stage: Stage, sizes: str) -> float:
    return stage.least_s if sizes == FULL else 1.0


def _run_stage(stage: Stage, key: str, seconds: float, request: Request, environment: dict[str, str]) -> dict[str, Any]:
    """Run one stage as a process group of its own; return what it answered, also when it failed or was stopped."""
    _say(f"{stage.name}: {stage.answers} ({seconds:.0f} s at most)")
    folder = request.work / f"{stage.name}-{key}"
    answers = folder / "answers.json"
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", stage.module, "--results", str(answers), "--work", str(folder / "work")]
    command += ["--seconds", f"{seconds:.1f}", "--sizes", request.sizes]
    started = time.monotonic()
    log = folder / "log.txt"
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=stream, stderr=stream, start_new_session=True
        )
        try:
            code: int | None = process.wait(seconds + GRACE_S)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end_group(process)
    found = _read(answers)
    state = _state(code, is_complete=found.pop("is_complete", False))
    if state == "failed":
        found["log"] = log.read_text(errors="replace")[-3000:]
    return {"key": key, "state": state, "wall_s": round(time.monotonic() - started, 1)} | found


def _state(code: int | None, *, is_complete: bool) -> str:
    if code is None:
        return "stopped at its limit"
    if code == REFUSED:
        return "refused"
    if code:
        return "failed"
    return "finished" if is_complete else "unfinished"


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a stage and whatever it started."""
    for sign, patience in ((signal.SIGTERM, 3), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, sign)
            process.wait(patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _environment(work: Path) -> dict[str, str]:
    """Return the environment of the stages: the code first, then packages from the pack's wheels where any is missing.

    Raises:
        CannotRun: a package is neither installed nor among the wheels.
    """
    paths = [str(ROOT)]
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing and (ROOT / "wheels").is_dir():
        site = _install_wheels(work)
        missing = [name for name in missing if not list(site.glob(f"{name}*"))]
        paths.append(str(site))
    if missing:
        raise CannotRun(
            f"this Python ({sys.executable}) lacks {', '.join(missing)}: install them, or make the pack again with "
            "their wheels (make gpu-pack GPU_WHEELS=...)"
        )
    inherited = os.environ.get("PYTHONPATH")
    return os.environ | {
        "PYTHONPATH": os.pathsep.join([*paths, *([inherited] if inherited else [])]),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
        **lifeline(),  # when this process is killed, stages and what they started end
    }


def _install_wheels(work: Path) -> Path:
    """Install, into a folder of our own, those of the pack's wheels whose package this Python does not have."""
    site = work / "site"
    if not site.exists():
        lacking = []
        for wheel in sorted((ROOT / "wheels").glob("*.whl")):
            try:
                importlib.metadata.distribution(wheel.name.split("-")[0])
            except importlib.metadata.PackageNotFoundError:
                lacking.append(str(wheel))
        install = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", str(site)]
        subprocess.run([*install, *lacking], check=False)
        site.mkdir(exist_ok=True)
    return site


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def _write(out: Path, results: dict[str, Any]) -> None:
    for name, text in (("results.json", json.dumps(results, indent=1) + "\n"), ("gpu.md", render(results))):
        with atomic_file(out / name) as unfinished:
            unfinished.write_text(text)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


__all__ = ["FULL", "NEEDED", "REHEARSAL", "ROOT", "CannotRun", "Request", "run", "stage_key"]
