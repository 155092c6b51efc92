"""The whole pipeline on a planted corpus, as a flow: from documents to a published comparison.

Run it with `pivots demo`, or `python -m flows.demo --help`.
"""

import argparse
import time
from pathlib import Path

from prefect import flow, task

from flows.experiment import run_experiment
from flows.marts import build_marts
from flows.publish import report
from flows.steps import entry_point, timed
from warehouse.base import shipped
from warehouse.base.progress import say
from warehouse.base.settings import Home
from warehouse.counting.count import count_corpus
from warehouse.experiments.plan import Plan, read_plan
from warehouse.ingest.corpus import ingest_corpus
from warehouse.ingest.word_list import import_words
from warehouse.planted.plant import plant_corpus
from warehouse.planted.truth import import_truth
from warehouse.serving.demo_summary import print_summary

DEFAULT_SCALE = 6.0  # 60,000 documents


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
def demo(home: Home, scale: float, seed: int, plan: Plan) -> tuple[str, str]:
    """Plant, ingest, count, build, experiment, publish, report; return the corpus and the experiment."""
    corpus = f"planted_{scale:g}_{seed}".replace(".", "_")
    folder = home.root / "planted" / corpus
    plant(folder, scale, seed)
    ingest(home, corpus, folder)
    count(home, corpus)
    build_marts(home, variables={"selection_budget_tokens": plan.budget_tokens})
    name = run_experiment(home, [corpus], str(shipped.base_model()), plan)
    report(home)
    return corpus, name


def main() -> None:
    """Run the demo flow in this process and print what came out."""
    parser = argparse.ArgumentParser(prog="python -m flows.demo", description=__doc__)
    parser.add_argument("--home", type=Path, help="the warehouse's folder")
    parser.add_argument("--scale", type=float, default=DEFAULT_SCALE, help="1 is 10,000 documents")
    parser.add_argument("--seed", type=int, default=0, help="seed of the planted documents")
    parser.add_argument("--preset", default="demo-cpu", help="name in profiles/, or a file")
    options = parser.parse_args()
    start = time.monotonic()
    home = Home.resolve(options.home)
    corpus, name = demo(home, options.scale, options.seed, read_plan(options.preset))
    say(f"demo: {time.monotonic() - start:.0f} s")
    print_summary(home, corpus=corpus, experiment=name)


if __name__ == "__main__":
    entry_point(main)
