"""Checkpoints are scored and traced. The deployment `new-checkpoints` runs it by the hour and after each training."""

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_table_artifact

from flows.marts import build_marts
from flows.steps import dated, ended_in_one_line, one_writer, retry_unless_refused, timed
from warehouse.base.errors import UsageError
from warehouse.base.progress import say
from warehouse.base.settings import Home
from warehouse.experiments import evaluations, launch
from warehouse.experiments.evaluation_set import export_evaluation_set
from warehouse.experiments.model_identity import identify_model
from warehouse.experiments.training_export import HELD_OUT, export_selection
from warehouse.lake.corpora import read_corpora
from warehouse.lake.files import read_table
from warehouse.lake.flow_records import recorded


@task(name="evaluate", retries=1, retry_condition_fn=retry_unless_refused)
def evaluate_checkpoint(home: Home, model: Path, corpus: str, n_items: int | None) -> list[str]:
    """Score words, trace layers and measure the held-out loss of one model; return the runs."""
    with timed(f"evaluate {model.name} on {corpus}"):
        judges = export_evaluation_set(home, corpus=corpus, n_items=n_items)
        held_out = export_selection(home, corpus=corpus, strategy=HELD_OUT, budget_tokens=None)
        wanted = evaluations.of_one_model(judges, held_out)
        return launch.evaluate(home, identify_model(str(model)), wanted)


@flow(name="evaluate", flow_run_name=dated("evaluate"))
@ended_in_one_line
def evaluate(
    checkpoints: str | None = None, corpus: str | None = None, n_items: int | None = None, home: str | None = None
) -> list[str]:
    """Evaluate the models below a folder that were not yet, and build the results; return all their runs.

    Args:
        checkpoints: folder with model folders at any depth; `checkpoints` in the home when not given.
        corpus: whose words and held-out documents evaluate; the only corpus when not given.
        n_items: how many words to score; all when not given.
        home: the warehouse's folder; PIVOTS_HOME when not given.

    Raises:
        UsageError: there is no such folder, or no telling which corpus.
    """
    here = Home.resolve(Path(home) if home else None)
    with recorded(here, "evaluate"):
        folder = Path(checkpoints) if checkpoints else here.checkpoints
        if not folder.is_dir():
            raise UsageError(
                f"there is no folder {folder}: make it, and put model folders (config.json, *.safetensors) there"
            )
        models = sorted({path.parent for path in folder.rglob("config.json")})
        if not models:
            say(f"no model below {folder}")
            return []
        judging = corpus or _only_corpus(here)
        with one_writer():
            before = _runs(here)
            runs = [run for model in models for run in evaluate_checkpoint(here, model, judging, n_items)]
            _show_runs(runs, before)
            if _runs(here) != before:
                build_marts(here, select=("tag:evaluation",))
        return runs


def _only_corpus(home: Home) -> str:
    names = list(read_corpora(home))
    if len(names) != 1:
        raise UsageError(f"set the parameter `corpus` to one of: {', '.join(names) or 'none is ingested yet'}")
    return names[0]


def _runs(home: Home) -> set[str]:
    return set(read_table(home, "runs", columns=["run_id"])["run_id"].to_pylist())


def _show_runs(runs: list[str], before: set[str]) -> None:
    rows = [{"run": run, "was": "done before" if run in before else "done now"} for run in runs]
    create_table_artifact(key="evaluations", table=rows, description="Runs of the checkpoints' evaluations")
