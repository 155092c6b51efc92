"""One model continues its training on one selection. The deployment `train` has no schedule; evaluation follows it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.events import emit_event

from flows.steps import ended_in_one_line, one_writer, retry_unless_refused, timed
from warehouse.base.settings import Home
from warehouse.contract.presets import TrainPreset
from warehouse.experiments import launch
from warehouse.experiments.model_identity import Model, identify_model
from warehouse.experiments.plan import read_plan
from warehouse.experiments.training_export import Export, export_selection
from warehouse.lake.flow_records import recorded
from warehouse.lake.runs import Run

TRAINED = "pivots.model.trained"  # the deployment `new-checkpoints` waits for it
_POLL_S = 5.0


@task(name="train", retries=1, retry_condition_fn=retry_unless_refused)
def train_model(
    home: Home, export: Export, base: Model, preset: TrainPreset, seed: int, experiment: str | None = None
) -> Model:
    """Continue training a model on an export. A second try resumes from the last checkpoint."""
    run = launch.training_run(export, base, preset=preset, seed=seed, experiment=experiment)
    with timed(f"train {export.manifest['strategy']}, seed {seed}"), _shown(home, run):
        return launch.train(home, export, base, preset=preset, seed=seed, experiment=experiment)


@flow(name="train", flow_run_name="train {strategy} of {corpus}, seed {seed}")
@ended_in_one_line
def train(corpus: str, strategy: str, model: str, preset: str, seed: int = 0, home: str | None = None) -> str:
    """Export a selection, train on it, and say so; return the trained model's folder."""
    here = Home.resolve(Path(home) if home else None)
    with recorded(here, "train"):
        plan = read_plan(preset)
        with one_writer():
            export = export_selection(here, corpus=corpus, strategy=strategy, budget_tokens=plan.budget_tokens)
        trained = train_model(here, export, identify_model(model), plan.regime, seed)
    resource = {"prefect.resource.id": f"pivots.model.{trained.model_id}", "pivots.folder": trained.source}
    emit_event(TRAINED, resource=resource | {"pivots.corpus": corpus})
    return trained.source


@contextmanager
def _shown(home: Home, run: Run) -> Iterator[None]:
    """Show a training's progress as an artifact while it runs."""
    key = run.run_id.replace("_", "-")
    artifact: Any = create_progress_artifact(0.0, key=key, description=f"Training {run.run_id}")
    over = threading.Event()

    def update() -> None:
        if (done := launch.training_progress(home, run)) is not None:
            update_progress_artifact(artifact, done[0], description=f"Training {run.run_id}: {done[1]}")

    def follow() -> None:
        while not over.wait(_POLL_S):
            update()

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        yield
    finally:
        over.set()
        follower.join()
        update()
