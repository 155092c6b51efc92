"""Launch `ml` programs, each as its own process, and write their results back.

`ml` never opens the warehouse: it gets an export or evaluation-set folder and leaves result files in the run's folder.
"""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from warehouse.errors import StepFailed, UsageError
from warehouse.evaluation_set import EvaluationSet
from warehouse.export import Export
from warehouse.models import Model, identify_model, provenance
from warehouse.runs import Run
from warehouse.settings import PROJECT_ROOT, Home
from warehouse.writeback import is_registered, write_back

PRESETS_DIR = PROJECT_ROOT / "profiles"


def preset_file(preset: str) -> Path:
    """Return the file of a preset: a name in `profiles/` or a path of one's own.

    Raises:
        UsageError: there is none.
    """
    path = Path(preset) if preset.endswith((".yml", ".yaml")) else PRESETS_DIR / f"{preset}.yml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in PRESETS_DIR.glob("*.yml") if p.stem != "profiles"))
        raise UsageError(f"no preset {preset!r} (there are: {known}; or give a path ending in .yml)")
    return path


def train(home: Home, export: Export, model: Model, *, preset: Path, seed: int, experiment: str | None = None) -> Model:
    """Continue training `model` on an export; return the trained model. Resumes and repeats cheaply."""
    manifest = export.manifest
    run = Run(
        kind="train",
        corpus=manifest["corpus"],
        experiment=experiment,
        strategy=manifest["strategy"],
        seed=seed,
        config={"train": yaml.safe_load(preset.read_text()).get("train")},
        inputs={"export": manifest["export_id"], "model": model.model_id},
        export_id=manifest["export_id"],
        tokenizer_hash=manifest["tokenizer_hash"],
    )
    folder = home.runs / run.run_id
    trained = folder / "model"
    if not is_registered(home, run):
        arguments = ["--export", export.folder, "--model", model.source, "--preset", preset, "--seed", seed]
        _launch("ml.train", run, folder, arguments, accelerate=True)
        run = dataclasses.replace(run, model_id=identify_model(str(trained)).model_id)
        write_back(home, run, folder)
    return identify_model(str(trained))


def score(home: Home, model: Model, evaluation: EvaluationSet, *, experiment: str | None = None) -> str:
    """Score word translation; return the run id."""
    return _evaluate(home, "score", model, evaluation.manifest["corpus"], experiment, evaluation=evaluation)


def trace(home: Home, model: Model, evaluation: EvaluationSet, *, experiment: str | None = None) -> str:
    """Trace the layers with the logit lens; return the run id."""
    return _evaluate(home, "trace", model, evaluation.manifest["corpus"], experiment, evaluation=evaluation)


def held_out_loss(home: Home, model: Model, held_out: Export, *, experiment: str | None = None) -> str:
    """Measure the loss per language on held-out documents; return the run id."""
    return _evaluate(home, "held_out", model, held_out.manifest["corpus"], experiment, held_out=held_out)


def _evaluate(
    home: Home,
    kind: str,
    model: Model,
    corpus: str,
    experiment: str | None,
    *,
    evaluation: EvaluationSet | None = None,
    held_out: Export | None = None,
) -> str:
    origin = provenance(home, model)
    inputs = {"model": model.model_id}
    arguments: list[Any] = ["--model", model.source]
    if evaluation:
        inputs["evaluation_set"] = evaluation.manifest["eval_set_id"]
        arguments += ["--eval-set", evaluation.folder]
    if held_out:
        inputs["export"] = held_out.manifest["export_id"]
        arguments += ["--export", held_out.folder]
    run = Run(
        kind=kind,
        corpus=corpus,
        experiment=experiment or origin.experiment,
        strategy=origin.strategy,
        seed=origin.seed,
        model_id=model.model_id,
        config={},
        inputs=inputs,
    )
    if not is_registered(home, run):
        folder = home.runs / run.run_id
        _launch(f"ml.{kind}", run, folder, arguments)
        write_back(home, run, folder)
    return run.run_id


def _launch(module: str, run: Run, folder: Path, arguments: list[Any], *, accelerate: bool = False) -> None:
    """Run an `ml` program and wait. Its progress goes to stderr; a user's mistake keeps its one line.

    Raises:
        UsageError: the program refused the request (exit code 2).
        StepFailed: it failed.
    """
    launcher: list[Any] = [sys.executable, "-m"]
    if accelerate:
        launcher += ["accelerate.commands.launch", "--quiet", "--config_file", _accelerate_config(), "-m"]
    command = [*launcher, module, *arguments, "--run-id", run.run_id, "--out", folder]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT), "TOKENIZERS_PARALLELISM": "false"}
    finished = subprocess.run([str(part) for part in command], env=environment, check=False, stdout=sys.stderr)
    if finished.returncode == 2:
        raise UsageError(f"{module} refused the request; its line above says why")
    if finished.returncode != 0:
        raise StepFailed(f"{module} stopped with exit code {finished.returncode}; run the same command to resume")


def _accelerate_config() -> Path:
    """Return the launch configuration: PIVOTS_ACCELERATE_CONFIG, else one process on the GPU or the CPU."""
    chosen = os.environ.get("PIVOTS_ACCELERATE_CONFIG")
    return Path(chosen) if chosen else PRESETS_DIR / "accelerate" / "single.yml"
