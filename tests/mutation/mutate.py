"""Does a wrong formula go unnoticed? Break each mart's central expressions, one at a time, and run the tests.

`make mutate`, or `PYTHONPATH=.:tests python -m mutation.mutate --only fct_item_scores`.

Every mutant (mutants.yml) gets a copy of
the dbt project with one expression changed, on a copy of a small random home that is built first. The unit tests of the
model come first; when they pass, the model and all that comes from it are built with their unit and data tests. A
mutant is killed when a test fails; one that breaks the SQL is an error of the list, as is one whose text is gone.
Warnings kill nothing. Exit code 1 when a mutant survives, is in error, or a mart has none.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from warehouse.base.errors import StepFailed
from warehouse.base.settings import Home
from warehouse.build import dbt_runner
from warehouse.build.build import build

HERE = Path(__file__).resolve().parent

RESULTS_ROOM = "evaluation"
RESULTS_FOLDERS = {"scores", "comparisons", "layers", "sentences", "run_checks", "training"}


@dataclass(frozen=True)
class Mutant:
    """One wrong formula: the model it belongs to, the file it stands in, and the change."""

    model: str
    file: str
    find: str
    replace: str
    why: str


@dataclass(frozen=True)
class Verdict:
    """What the tests said: killed by some, survived, or no mutant at all (the SQL broke)."""

    mutant: Mutant
    status: str
    by: tuple[str, ...]
    seconds: float


def read_mutants() -> list[Mutant]:
    """Read the list. Raises ValueError where a text does not stand exactly once in its file."""
    mutants = []
    for row in yaml.safe_load((HERE / "mutants.yml").read_text()):
        file = row.get("file") or _file_of(row["model"])
        n_found = (dbt_runner.PROJECT_DIR / file).read_text().count(row["find"])
        if n_found != 1:
            raise ValueError(f"{row['model']}: {row['find']!r} stands {n_found} times in {file}, not once")
        mutants.append(Mutant(row["model"], file, row["find"], row["replace"], row["why"]))
    return mutants


def marts_without(mutants: list[Mutant]) -> list[str]:
    """Return the marts that no mutant breaks, sorted."""
    marts = {path.stem for path in (dbt_runner.PROJECT_DIR / "models" / "marts").rglob("*.sql")}
    return sorted(marts - {mutant.model for mutant in mutants})


def run(mutants: list[Mutant], n_workers: int) -> list[Verdict]:
    """Try all mutants; verdicts in the order of the list."""
    with tempfile.TemporaryDirectory() as scratch:
        homes = {room: _make_home(Path(scratch) / f"home-{room}", room) for room in _rooms(mutants)}
        with ProcessPoolExecutor(n_workers) as pool:
            tasks = [pool.submit(_try, mutant, homes[_room(mutant)], Path(scratch)) for mutant in mutants]
            verdicts = []
            for task in tasks:
                verdicts.append(task.result())
                verdict = verdicts[-1]
                by = f" by {verdict.by[0]}" if verdict.by else ""
                print(f"{verdict.status:9}{verdict.mutant.model}: {verdict.mutant.why}{by}", flush=True)
    return verdicts


def _try(mutant: Mutant, original: Path, scratch: Path) -> Verdict:
    """Try one mutant on copies of project and home."""
    began = time.monotonic()
    sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  dbt's account of every failing test
    with tempfile.TemporaryDirectory(dir=scratch) as folder, _project(Path(folder) / "dbt_project", mutant):
        shutil.copytree(original, Path(folder) / "home")
        home = Home(Path(folder) / "home")
        options = ["--vars", json.dumps(dbt_runner.build_variables(home))]
        for arguments in (
            ["test", "--select", f"{mutant.model},test_type:unit"],
            ["build", "--select", f"{mutant.model}+"],
        ):
            failed, errors = _failed_tests(home, [*arguments, *options])
            if errors:
                return Verdict(mutant, "error", tuple(errors), time.monotonic() - began)
            if failed:
                return Verdict(mutant, "killed", tuple(failed), time.monotonic() - began)
    return Verdict(mutant, "SURVIVED", (), time.monotonic() - began)


def _failed_tests(home: Home, arguments: list[str]) -> tuple[list[str], list[str]]:
    """Run dbt; return the tests that failed and the nodes that could not run."""
    try:
        dbt_runner.run_dbt(home, arguments, quiet=True)
    except StepFailed:
        results = dbt_runner.run_results(home.dbt_target)
        failed = [r["unique_id"].split(".")[2] for r in results if r["status"] == "fail"]
        # dbt reports a unit test whose rows differ as a failure, and one that cannot be run as an error
        errors = [r["unique_id"].split(".")[2] for r in results if r["status"] == "error"]
        return failed, errors or ([] if failed else ["dbt did not start"])
    return [], []


@contextmanager
def _project(folder: Path, mutant: Mutant) -> Iterator[None]:
    """Let dbt work on a copy of the project with the mutant in it."""
    project = dbt_runner.PROJECT_DIR
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("target", "logs"))
    file = folder / mutant.file
    file.write_text(file.read_text().replace(mutant.find, mutant.replace))
    dbt_runner.PROJECT_DIR = folder
    try:
        yield
    finally:
        dbt_runner.PROJECT_DIR = project


def _make_home(folder: Path, room: str) -> Path:
    """Build a small random home: an experiment's results, or corpora with planted pivots."""
    from support.corpora.evaluation_results import write_results
    from support.corpora.random_rows import VARIABLES, make_corpus, write_corpus, write_vocabulary

    home = Home(folder)
    variables: dict[str, Any] = {}
    if room == RESULTS_ROOM:
        write_results(home, seed=7)
        variables = {"bootstrap_resamples": 200}
    else:
        write_vocabulary(home)
        languages = ["en", "fr", "ja", "zh"]
        write_corpus(home, make_corpus("balanced", 1, n_docs=300, languages=languages, planted=True))
        variables = VARIABLES
    build(home, variables=variables, unit_tests=True)  # a test that fails without a mutant would kill them all
    return folder


def _room(mutant: Mutant) -> str:
    return RESULTS_ROOM if Path(_file_of(mutant.model)).parent.name in RESULTS_FOLDERS else "corpora"


def _rooms(mutants: list[Mutant]) -> set[str]:
    return {_room(mutant) for mutant in mutants}


def _file_of(model: str) -> str:
    found = list((dbt_runner.PROJECT_DIR / "models").rglob(f"{model}.sql"))
    if len(found) != 1:
        raise ValueError(f"mutants.yml: there is no model {model}")
    return str(found[0].relative_to(dbt_runner.PROJECT_DIR))


def main() -> int:
    """Try the mutants, print what happened, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", metavar="MODEL", help="only mutants of these models")
    parser.add_argument("--workers", type=int, default=3)
    options = parser.parse_args()
    mutants = read_mutants()
    missing = marts_without(mutants)
    verdicts = run([m for m in mutants if not options.only or m.model in options.only], options.workers)
    counts = {status: sum(v.status == status for v in verdicts) for status in ("killed", "SURVIVED", "error")}
    by_unit_tests = sum(
        v.status == "killed" and not v.by[0].startswith(("assert_", "unique_", "not_")) for v in verdicts
    )
    print(f"{len(verdicts)} mutants: {counts}; {by_unit_tests} killed by unit tests")
    if missing:
        print(f"marts without a mutant: {', '.join(missing)}")
    return 1 if missing or counts["SURVIVED"] or counts["error"] else 0


if __name__ == "__main__":
    sys.exit(main())
