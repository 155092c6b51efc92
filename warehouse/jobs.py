"""Launch `ml` programs, each as its own process, and write their results back.

`ml` never opens the warehouse: it gets an export or evaluation-set folder and leaves result files in the run's folder.
"""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from warehouse.errors import ReportedError, StepFailed, UsageError
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
        launcher = [
            sys.executable,
            "-m",
            "accelerate.commands.launch",
            "--quiet",
            "--config_file",
            _accelerate_config(),
        ]
        arguments = ["--export", export.folder, "--model", model.source, "--preset", preset, "--seed", seed]
        _launch([*launcher, "-m", "ml.train", *arguments, "--run-id", run.run_id, "--out", folder])
        run = dataclasses.replace(run, model_id=identify_model(str(trained)).model_id)
        write_back(home, run, folder)
    return identify_model(str(trained))


@dataclass(frozen=True)
class Evaluation:
    """One program of `ml` on one model: what it reads, as run inputs and as arguments."""

    program: str  # score, trace, held_out
    corpus: str
    inputs: dict[str, str]
    arguments: list[Any]


def word_scores(judges: EvaluationSet) -> Evaluation:
    """Word translation scores on an evaluation set."""
    return _on_judges("score", judges)


def layer_traces(judges: EvaluationSet) -> Evaluation:
    """Layer traces with the logit lens on an evaluation set."""
    return _on_judges("trace", judges)


def held_out_losses(held_out: Export) -> Evaluation:
    """Loss per language on an export of held-out documents."""
    manifest = held_out.manifest
    return Evaluation("held_out", manifest["corpus"], {"export": manifest["export_id"]}, ["--export", held_out.folder])


def _on_judges(program: str, judges: EvaluationSet) -> Evaluation:
    manifest = judges.manifest
    inputs = {"evaluation_set": manifest["eval_set_id"]}
    return Evaluation(program, manifest["corpus"], inputs, ["--eval-set", judges.folder])


def evaluate(
    home: Home, model: Model, evaluations: Sequence[Evaluation], *, experiment: str | None = None
) -> list[str]:
    """Run what is missing of some evaluations of one model, all in one process; return their run ids."""
    origin = provenance(home, model)
    runs = [
        Run(
            kind=evaluation.program,
            corpus=evaluation.corpus,
            experiment=experiment or origin.experiment,
            strategy=origin.strategy,
            seed=origin.seed,
            model_id=model.model_id,
            config={},
            inputs={"model": model.model_id, **evaluation.inputs},
        )
        for evaluation in evaluations
    ]
    missing = [pair for pair in zip(runs, evaluations, strict=True) if not is_registered(home, pair[0])]
    parts = [
        [one.program, "--model", model.source, *one.arguments, "--run-id", run.run_id, "--out", home.runs / run.run_id]
        for run, one in missing
    ]
    if parts:
        _launch([sys.executable, "-m", "ml.several", *_joined(parts)])
    for run, _ in missing:
        write_back(home, run, home.runs / run.run_id)
    return [run.run_id for run in runs]


def _joined(parts: list[list[Any]]) -> list[Any]:
    """Return the arguments of `ml.several`: its parts with a separator between them."""
    first, *others = parts
    return [*first, *(word for part in others for word in ("--then", *part))]


def _launch(command: list[Any]) -> None:
    """Run an `ml` program and wait. Its progress goes to stderr; a user's mistake keeps its one line.

    Raises:
        UsageError: the program refused the request (exit code 2).
        StepFailed: it failed.
    """
    environment = {**os.environ, "PYTHONPATH": str(PROJECT_ROOT), "TOKENIZERS_PARALLELISM": "false"}
    finished = subprocess.run([str(part) for part in command], env=environment, check=False, stdout=sys.stderr)
    if finished.returncode == 2:
        raise ReportedError(2)
    if finished.returncode != 0:
        raise StepFailed(f"a program of `ml` stopped with exit code {finished.returncode}; run the same to resume")


def _accelerate_config() -> Path:
    """Return the launch configuration: PIVOTS_ACCELERATE_CONFIG, else one process on the GPU or the CPU."""
    chosen = os.environ.get("PIVOTS_ACCELERATE_CONFIG")
    return Path(chosen) if chosen else PRESETS_DIR / "accelerate" / "single.yml"
