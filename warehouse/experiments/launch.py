"""Launch `ml` programs, each as its own process, and write their results back.

`ml` never opens the warehouse: it gets an export or evaluation-set folder and leaves result files in the run's folder.
"""

import contextlib
import dataclasses
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from warehouse.base import shipped
from warehouse.base.child_process import run_child
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.programs import module_command, program_environment
from warehouse.base.settings import Home
from warehouse.contract.folders import MODEL, MODEL_CACHE, PROGRESS, REQUEST
from warehouse.contract.presets import TrainPreset
from warehouse.contract.requests import EvaluationRequest, TrainRequest, write_request
from warehouse.experiments.evaluations import Evaluation
from warehouse.experiments.model_identity import Model, hub_commit, identify_model, provenance
from warehouse.experiments.model_series import Checkpoint
from warehouse.experiments.results import is_registered, write_back
from warehouse.experiments.training_export import Export
from warehouse.lake.runs import Run

_CONFIGURATIONS = shipped.profiles() / "accelerate"


def training_run(export: Export, model: Model, *, preset: TrainPreset, seed: int, experiment: str | None = None) -> Run:
    """Return the run that training `model` on an export is: its id names the run's folder before anything has begun."""
    manifest = export.manifest
    return Run(
        kind="train",
        corpus=manifest["corpus"],
        experiment=experiment,
        strategy=manifest["strategy"],
        seed=seed,
        config={"train": preset.model_dump()},
        inputs={"export": manifest["export_id"], "model": model.model_id},
        export_id=manifest["export_id"],
        tokenizer_hash=manifest["tokenizer_hash"],
    )


def train(
    home: Home, export: Export, model: Model, *, preset: TrainPreset, seed: int, experiment: str | None = None
) -> Model:
    """Continue training `model` on an export; return the trained model. Resumes and repeats cheaply.

    Raises:
        UsageError: the request was refused; the message says why.
        StepFailed: the training ended before it was done.
    """
    run = training_run(export, model, preset=preset, seed=seed, experiment=experiment)
    folder = home.runs / run.run_id
    trained = folder / MODEL
    if not is_registered(home, run):
        request = TrainRequest(
            export=export.folder, model=model.source, preset=preset, seed=seed, run_id=run.run_id, out=folder
        )
        config = _chosen_config() or _CONFIGURATIONS / "single.yml"
        with _written([request]) as (file,):
            program = ["-m", "ml.train", "--request", file]
            for line in other_machines(config, program):
                print(line, file=sys.stderr)
            _launch(home, [*_launcher(config), *program])
        run = dataclasses.replace(run, model_id=identify_model(str(trained)).model_id, versions=hub_commit(model))
        write_back(home, run, folder)
    return identify_model(str(trained))


def training_progress(home: Home, run: Run) -> tuple[float, str] | None:
    """Return how much of a running training is done, in percent, and what it says of its last step; None at first."""
    file = home.runs / run.run_id / PROGRESS
    if not file.exists():
        return None
    state = json.loads(file.read_text())
    return 100 * state["done"] / state["total"], state["note"]


def evaluate(
    home: Home,
    model: Model,
    evaluations: Sequence[Evaluation],
    *,
    experiment: str | None = None,
    place: Checkpoint | None = None,
) -> list[str]:
    """Run what is missing of some evaluations of one model; return their run ids.

    One after another in the same process, or processes when PIVOTS_ACCELERATE_CONFIG names a launch configuration.

    Args:
        place: where the model stands in its series, if it is one of a series: part of the run.
    """
    origin = provenance(home, model)
    step = {} if place is None or place.step is None else {"model_step": place.step}
    runs = [
        Run(
            kind=evaluation.program,
            corpus=evaluation.corpus,
            experiment=experiment or origin.experiment,
            strategy=origin.strategy,
            seed=origin.seed,
            model_id=model.model_id,
            config=evaluation.config | step,
            inputs={"model": model.model_id, **evaluation.inputs},
            model_series=place.series if place else None,
            model_step=place.step if place else None,
            n_tokens_seen=place.n_tokens_seen if place else None,
        )
        for evaluation in evaluations
    ]
    missing = [pair for pair in zip(runs, evaluations, strict=True) if not is_registered(home, pair[0])]
    requests = [asked.request(model.source, run.run_id, home.runs / run.run_id) for run, asked in missing]
    if requests:
        config = _chosen_config()
        launcher = _launcher(config) if config else [sys.executable]
        with _written(requests) as files:
            _launch(home, [*launcher, "-m", "ml.several", *files])
    for run, _ in missing:
        write_back(home, dataclasses.replace(run, versions=hub_commit(model)), home.runs / run.run_id)
    return [run.run_id for run in runs]


@contextlib.contextmanager
def _written(requests: Sequence[TrainRequest | EvaluationRequest]) -> Iterator[list[Path]]:
    """Yield the files of some requests, each in its run's folder; a refused one leaves no folder that holds only it."""
    files = [request.out / REQUEST for request in requests]
    for file, request in zip(files, requests, strict=True):
        write_request(file, request)
    try:
        yield files
    except UsageError:
        for file in files:
            if list(file.parent.iterdir()) == [file]:
                file.unlink()
                file.parent.rmdir()
        raise


def _launch(home: Home, command: list[Any]) -> None:
    """Run an `ml` program and wait. Its progress and summary go to stderr.

    Raises:
        UsageError: the program refused the request; the message is its own.
        StepFailed: it failed, and has said why.
    """
    with tempfile.TemporaryDirectory(prefix="pivots-") as folder:
        refusal = Path(folder) / "refusal"  # ml/common/errors.py: launchers do not pass exit codes on
        environment = program_environment(
            {
                "TOKENIZERS_PARALLELISM": "false",
                "PIVOTS_REFUSAL_FILE": str(refusal),
                MODEL_CACHE: str(home.models),
            }
        )
        # a group of its own: launchers start more processes, and each of them watches us
        code = run_child(command, env=environment, own_group=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
        if refusal.exists():
            raise UsageError(refusal.read_text())
    if code != 0:
        raise StepFailed(f"a program of `ml` stopped with exit code {code}; run the same to resume")


def other_machines(config: Path, program: Sequence[Any]) -> list[str]:
    """Return what to run on each machine but this one, when a launch configuration names several: all wait for all."""
    n_machines = int(yaml.safe_load(config.read_text()).get("num_machines", 1))
    commands = [[*_launcher(config.resolve()), "--machine_rank", rank, *program] for rank in range(1, n_machines)]
    return [
        f"on machine {rank} of {n_machines}: cd {Path.cwd()} && {shlex.join(str(word) for word in command)}"
        for rank, command in enumerate(commands, start=2)
    ]


def _launcher(config: Path) -> list[Any]:
    return module_command("accelerate.commands.launch", "--quiet", "--config_file", config)


def _chosen_config() -> Path | None:
    """Return the launch configuration that PIVOTS_ACCELERATE_CONFIG names: a file, or a name in profiles/accelerate.

    Raises:
        UsageError: there is no such file.
    """
    chosen = os.environ.get("PIVOTS_ACCELERATE_CONFIG")
    if not chosen:
        return None
    named = _CONFIGURATIONS / f"{chosen}.yml"
    path = named if named.exists() else Path(chosen)
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in named.parent.glob("*.yml")))
        raise UsageError(f"PIVOTS_ACCELERATE_CONFIG={chosen}: no such file (or one of profiles/accelerate: {known})")
    return path
