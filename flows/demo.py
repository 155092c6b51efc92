"""The whole pipeline on a planted corpus, as a flow: from documents to a published comparison.

`pivots demo` runs it.
"""

import time
from pathlib import Path

from prefect import flow, task

from flows.experiment import run_experiment
from flows.marts import build_marts
from flows.publish import report
from flows.steps import requested, timed
from warehouse.base import shipped
from warehouse.base.errors import end_in_one_line
from warehouse.base.progress import say
from warehouse.base.settings import Home
from warehouse.counting.count import count_corpus
from warehouse.experiments.requests import DemoRequest, ExperimentRequest
from warehouse.ingest.corpus import ingest_corpus
from warehouse.ingest.word_list import import_words
from warehouse.planted.plant import plant_corpus
from warehouse.planted.truth import import_truth
from warehouse.serving.demo_summary import print_summary


@task(name="plant")
def plant(folder: Path, scale: float, seed: int) -> None:
    """Write the planted corpus, unless an earlier demo has."""
    if not (folder / "manifest.json").exists():
        with timed("plant"):
            plant_corpus(folder, scale=scale, seed=seed)


@task(name="ingest")
def ingest(home: Home, corpus: str, folder: Path) -> None:
    """Documents, words and truth into the lake."""
    with timed("ingest"):
        tokenizer = shipped.base_model() / "tokenizer.json"
        ingest_corpus(home, [folder / "documents"], corpus=corpus, tokenizer=str(tokenizer))
        import_words(home, folder / "words.jsonl")
        import_truth(home, folder / "truth", corpus=corpus)


@task(name="count")
def count(home: Home, corpus: str) -> None:
    """All co-occurrence counts."""
    with timed("count"):
        count_corpus(home, corpus)


@flow(name="demo", validate_parameters=False)
def demo(request: DemoRequest) -> tuple[str, str]:
    """Plant, ingest, count, build, experiment, publish, report; return the corpus and the experiment."""
    home, plan = Home(request.home), request.plan
    corpus = f"planted_{request.scale:g}_{request.seed}".replace(".", "_")
    folder = home.root / "planted" / corpus
    plant(folder, request.scale, request.seed)
    ingest(home, corpus, folder)
    count(home, corpus)
    build_marts(home, variables={"selection_budget_tokens": plan.budget_tokens})
    arms = ExperimentRequest(home=home.root, plan=plan, corpora=(corpus,), model=str(shipped.base_model()))
    name = run_experiment(arms)
    report(home)
    return corpus, name


def main() -> None:
    """Run the demo flow in this process and print what came out."""
    request = requested(DemoRequest)
    start = time.monotonic()
    corpus, name = demo(request)
    say(f"demo: {time.monotonic() - start:.0f} s")
    print_summary(Home(request.home), corpus=corpus, experiment=name)


if __name__ == "__main__":
    end_in_one_line(main)
