"""The experiment as a flow: every arm is exported, trained, scored and traced; then the marts compare them.

`pivots experiment` runs it, and the deployment `weekly-experiment`.
"""

import os
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.task_runners import ThreadPoolTaskRunner

from flows.experiment_progress import ExperimentProgress
from flows.marts import build_marts, publish_warehouse
from flows.steps import ended_in_one_line, one_writer, requested, retry_unless_refused, timed
from flows.train import train_model
from warehouse.base.errors import end_in_one_line
from warehouse.base.machine import available_threads
from warehouse.base.settings import Home
from warehouse.experiments import evaluations, launch
from warehouse.experiments.budgets import check_arms_can_differ
from warehouse.experiments.declaration import declare
from warehouse.experiments.evaluation_set import EvaluationSet, export_evaluation_set
from warehouse.experiments.model_identity import Model, identify_model
from warehouse.experiments.plan import Plan
from warehouse.experiments.requests import ExperimentRequest, experiment_request
from warehouse.experiments.training_export import HELD_OUT, Export, export_selection
from warehouse.lake.flow_records import recorded

COMPARISON = """
    select strategy, baseline, word_split, score_delta, ci_low, ci_high, p_value, n_seeds, verdict
    from marts.fct_strategy_comparison
    where experiment = ? and source_lang = 'all'
    order by all
"""


@task(name="export", retries=0)
def export_arm(home: Home, corpus: str, strategy: str, budget_tokens: int | None) -> Export:
    """Write one arm's documents as training shards."""
    with timed(f"export {strategy}"):
        return export_selection(home, corpus=corpus, strategy=strategy, budget_tokens=budget_tokens)


@task(name="export evaluation set")
def export_judges(home: Home, corpus: str, plan: Plan) -> EvaluationSet:
    """Write what all arms are judged on."""
    return export_evaluation_set(home, corpus=corpus, n_items=plan.n_items, n_pivots=plan.n_pivots)


@task(name="evaluate", retries=1, retry_condition_fn=retry_unless_refused)
def evaluate_model(
    home: Home, model: Model, judges: EvaluationSet, held_out: Export, held_out_tokens: int | None, experiment: str
) -> None:
    """Score words, trace layers and measure the held-out loss of one model."""
    with timed(f"evaluate {model.model_id}"):
        wanted = evaluations.of_one_model(judges, held_out, held_out_tokens=held_out_tokens)
        launch.evaluate(home, model, wanted, experiment=experiment)


def run_experiment(request: ExperimentRequest) -> str:
    """Run the flow with as many processes side by side as the plan says, and share the CPUs among them."""
    n_arms = request.plan.parallel_arms
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, available_threads() // n_arms)))
    runner: Any = ThreadPoolTaskRunner(max_workers=n_arms)
    return experiment.with_options(task_runner=runner)(request)


@flow(name="experiment", validate_parameters=False)
def experiment(request: ExperimentRequest) -> str:
    """Compare selection strategies on one base model and one corpus or more; return the experiment's name.

    Every step is keyed by its content, so a repeated or interrupted experiment does only what is missing.
    """
    home, plan, corpora = Home(request.home), request.plan, request.corpora
    base = identify_model(request.model)
    name = plan.experiment_id(corpora, base.model_id)
    declare(home, name, plan)
    judges = {corpus: export_judges(home, corpus, plan) for corpus in corpora}
    held_out = {corpus: export_arm(home, corpus, HELD_OUT, None) for corpus in corpora}
    exports = {
        corpus: [export_arm(home, corpus, strategy, plan.budget_tokens) for strategy in plan.strategies]
        for corpus in corpora
    }
    arms = [(corpus, seed, export) for corpus, seed in plan.replications(corpora) for export in exports[corpus]]
    planned = {"trainings": len(arms), "evaluations": len(arms) + len(corpora)}
    progress = ExperimentProgress(planned)
    progress.begin("trainings")
    trainings = [train_model.submit(home, export, base, plan.regime, seed, name) for _, seed, export in arms]
    _follow(trainings, progress, "trainings")
    # Waiting here, not inside a task, so that no worker of the pool is spent on waiting.
    models = [(corpus, base) for corpus in corpora]
    models += [(corpus, training.result()) for (corpus, _, _), training in zip(arms, trainings, strict=True)]
    progress.begin("evaluations")
    judged = [
        evaluate_model.submit(home, one, judges[corpus], held_out[corpus], plan.held_out_tokens, name)
        for corpus, one in models
    ]
    _follow(judged, progress, "evaluations")
    for evaluation in judged:
        evaluation.result()
    build_marts(home, select=("tag:evaluation",))
    publish_warehouse(home)
    _show_result(home, name)
    return name


@flow(name="scheduled-experiment", flow_run_name="experiment {preset}")
@ended_in_one_line
def scheduled_experiment(corpora: list[str], model: str, preset: str, home: str | None = None) -> str:
    """The experiment with parameters that a deployment can hold. What it reads stays as it is until it has ended."""
    folder = Home.resolve(Path(home) if home else None)
    with recorded(folder, "scheduled-experiment"), one_writer():
        request = experiment_request(folder.root, corpora=corpora, model=model, preset=preset)
        check_arms_can_differ(folder, request.plan, corpora)
        return run_experiment(request)


def _follow(futures: list[Any], progress: ExperimentProgress, kind: str) -> None:
    for future in futures:
        future.add_done_callback(lambda _: progress.ended(kind))


def _show_result(home: Home, name: str) -> None:
    from warehouse.lake.connections import open_published

    with open_published(home) as connection:
        rows = connection.execute(COMPARISON, [name]).to_arrow_table().to_pylist()
    create_table_artifact(key="strategy-comparison", table=rows, description=f"Experiment {name}, mean over pairs")


def main() -> None:
    """Run the experiment flow in this process."""
    print(run_experiment(requested(ExperimentRequest)))


if __name__ == "__main__":
    end_in_one_line(main)
