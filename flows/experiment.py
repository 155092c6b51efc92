"""The experiment as a flow: every arm is exported, trained, scored and traced; then the marts compare them.

Run it with `pivots experiment`, or `python -m flows.experiment --help`.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.task_runners import ThreadPoolTaskRunner

from flows.marts import build_marts, publish_warehouse
from flows.steps import entry_point, one_writer, retry_unless_refused, timed
from flows.train import train_model
from warehouse.base.machine import available_threads
from warehouse.base.settings import Home
from warehouse.experiments import launch
from warehouse.experiments.evaluation_set import EvaluationSet, export_evaluation_set
from warehouse.experiments.model_identity import Model, identify_model
from warehouse.experiments.plan import Plan, read_plan
from warehouse.experiments.training_export import HELD_OUT, Export, export_selection

COMPARISON = """
    select strategy, baseline, word_split, score_delta, ci_low, ci_high, p_value, n_seeds
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
def evaluate_model(home: Home, model: Model, judges: EvaluationSet, held_out: Export, experiment: str) -> None:
    """Score words, trace layers and measure the held-out loss of one model."""
    with timed(f"evaluate {model.model_id}"):
        wanted = [launch.word_scores(judges), launch.layer_traces(judges), launch.held_out_losses(held_out)]
        launch.evaluate(home, model, wanted, experiment=experiment)


def run_experiment(home: Home, corpora: Sequence[str], model: str, plan: Plan) -> str:
    """Run the flow with as many processes side by side as the plan says, and share the CPUs among them."""
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, available_threads() // plan.parallel_arms)))
    runner: Any = ThreadPoolTaskRunner(max_workers=plan.parallel_arms)
    return experiment.with_options(task_runner=runner)(home, tuple(corpora), model, plan)


@flow(name="experiment", validate_parameters=False)
def experiment(home: Home, corpora: tuple[str, ...], model: str, plan: Plan) -> str:
    """Compare selection strategies on one base model and one corpus or more; return the experiment's name.

    Every step is keyed by its content, so a repeated or interrupted experiment does only what is missing.
    """
    base = identify_model(model)
    name = plan.experiment_id(corpora, base.model_id)
    judges = {corpus: export_judges(home, corpus, plan) for corpus in corpora}
    held_out = {corpus: export_arm(home, corpus, HELD_OUT, None) for corpus in corpora}
    exports = {
        corpus: [export_arm(home, corpus, strategy, plan.budget_tokens) for strategy in plan.strategies]
        for corpus in corpora
    }
    arms = [(corpus, seed, export) for corpus, seed in plan.replications(corpora) for export in exports[corpus]]
    trainings = [train_model.submit(home, export, base, plan.preset, seed, name) for _, seed, export in arms]
    # Waiting here, not inside a task, so that no worker of the pool is spent on waiting.
    models = [(corpus, base) for corpus in corpora]
    models += [(corpus, training.result()) for (corpus, _, _), training in zip(arms, trainings, strict=True)]
    evaluations = [evaluate_model.submit(home, one, judges[corpus], held_out[corpus], name) for corpus, one in models]
    for evaluation in evaluations:
        evaluation.result()
    build_marts(home, select=("tag:evaluation",))
    publish_warehouse(home)
    _show_result(home, name)
    return name


@flow(name="scheduled-experiment")
def scheduled_experiment(corpora: list[str], model: str, preset: str, home: str | None = None) -> str:
    """The experiment with parameters that a deployment can hold. What it reads stays as it is until it has ended."""
    with one_writer():
        return run_experiment(Home.resolve(Path(home) if home else None), corpora, model, read_plan(preset))


def _show_result(home: Home, name: str) -> None:
    from warehouse.lake.connections import open_published

    with open_published(home) as connection:
        rows = connection.execute(COMPARISON, [name]).to_arrow_table().to_pylist()
    create_table_artifact(key="strategy-comparison", table=rows, description=f"Experiment {name}, mean over pairs")


def main() -> None:
    """Run the experiment flow in this process."""
    parser = argparse.ArgumentParser(prog="python -m flows.experiment", description=__doc__)
    parser.add_argument("--home", type=Path, help="the warehouse's folder")
    parser.add_argument("--corpus", required=True, action="append", help="again for a corpus of its own per seed")
    parser.add_argument("--model", required=True, help="the base model: folder, configuration file or hub name")
    parser.add_argument("--preset", required=True, help="name in profiles/, or a file")
    parser.add_argument("--seeds", type=int, help="number of seeds [default: the preset's]")
    options = parser.parse_args()
    plan = read_plan(options.preset, seeds=options.seeds)
    print(run_experiment(Home.resolve(options.home), options.corpus, options.model, plan))


if __name__ == "__main__":
    entry_point(main)
