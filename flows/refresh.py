"""Files that appeared in the inbox become documents, counts and marts. The deployment `nightly` runs it.

The inbox holds a folder per corpus, of that name. Every step is keyed by content, so that a night without new files
does next to nothing.
"""

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_table_artifact

from flows.engines import EMBEDDED, Engines
from flows.marts import build_marts
from flows.steps import dated, ended_in_one_line, one_writer, retry_unless_refused, timed
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.progress import say
from warehouse.base.settings import Home
from warehouse.build import build_record
from warehouse.counting.options import CountOptions
from warehouse.ingest.corpus import IngestSummary
from warehouse.lake.files import read_table
from warehouse.lake.flow_records import recorded
from warehouse.lake.inbox import InboxFolder, inbox_folders


@task(name="ingest", retries=1, retry_condition_fn=retry_unless_refused)
def ingest_new(home: Home, folder: Path, corpus: str, tokenizer: str, engines: Engines) -> IngestSummary:
    """Ingest what a corpus does not hold yet."""
    with timed(f"ingest {corpus}"):
        return engines.ingest(home, folder, corpus, tokenizer)


@task(name="count", retries=1, retry_condition_fn=retry_unless_refused)
def count_again(home: Home, corpus: str, engines: Engines) -> None:
    """Count with the options of the corpus's current count; the defaults when it has none."""
    with timed(f"count {corpus}"):
        stored = [row["options"] for row in read_table(home, "counts").to_pylist() if row["corpus"] == corpus]
        engines.count(home, corpus, CountOptions.from_stored(stored[0]) if stored else CountOptions())


@flow(name="refresh", flow_run_name=dated("refresh"))
@ended_in_one_line
def refresh(
    inbox: str | None = None,
    tokenizer: str | None = None,
    engine: str = EMBEDDED,
    catalog: str | None = None,
    home: str | None = None,
) -> bool:
    """Bring counts and marts up to date with the inbox; return whether anything was built.

    A corpus that cannot be brought up to date stops no other: they are counted and built, and then the run fails and
    names it.

    Args:
        inbox: folder with a folder per corpus; `inbox` in the home when not given.
        tokenizer: file or hub name for a corpus that is new; one that exists keeps its own.
        engine: embedded, or spark.
        catalog: address of a shared lake, which gets what is new and is built in place of the home's marts.
        home: the warehouse's folder; PIVOTS_HOME when not given.

    Raises:
        UsageError: there is no such inbox or engine, or a corpus is new and no tokenizer is given.
        StepFailed: a corpus could not be ingested or counted, or a model or test failed.
    """
    here = Home.resolve(Path(home) if home else None)
    engines = Engines(engine, catalog)
    folder = Path(inbox) if inbox else here.inbox
    with recorded(here, "refresh"):
        if not folder.is_dir():
            raise UsageError(f"there is no inbox {folder}: make it, with a folder per corpus, and put files there")
        with one_writer():
            problems = _bring_up_to_date(here, inbox_folders(here, folder), tokenizer, engines)
            is_built = catalog is not None or bool(build_record.changed_since_build(here))
            if is_built:
                build_marts(here, engines=engines)
            else:
                say("nothing to build")
        if problems:
            raise _as_one(problems)
    return is_built


def _bring_up_to_date(
    home: Home, folders: list[InboxFolder], tokenizer: str | None, engines: Engines
) -> list[UsageError | StepFailed]:
    """Ingest and count every corpus of the inbox; return what kept some from it."""
    summaries: list[IngestSummary] = []
    problems: list[UsageError | StepFailed] = []
    for one in folders:
        known = str(one.tokenizer) if one.tokenizer else tokenizer
        try:
            if known is None:
                raise UsageError("it is new: set the parameter `tokenizer` to a file or a hub name")
            summaries.append(ingest_new(home, one.folder, one.corpus, known, engines))
            count_again(home, one.corpus, engines)
        except (UsageError, StepFailed) as problem:
            problems.append(type(problem)(f"corpus {one.corpus}: {problem}"))
            say(f"left out: {problems[-1]}")
    _show_ingest(summaries)
    return problems


def _as_one(problems: list[UsageError | StepFailed]) -> UsageError | StepFailed:
    """Return one error that names all: of refused requests only, a refused request."""
    said = "; ".join(map(str, problems))
    kind = UsageError if all(isinstance(problem, UsageError) for problem in problems) else StepFailed
    return kind(f"{said} (the other corpora are up to date)")


def _show_ingest(summaries: list[IngestSummary]) -> None:
    rows = [
        {
            "corpus": one.corpus,
            "files": one.tally.n_files,
            "new files": one.n_new_files,
            "documents": one.tally.n_docs,
            "rejects": one.tally.n_rejects,
            "run": one.run_id,
        }
        for one in summaries
    ]
    create_table_artifact(key="ingest", table=rows, description="The corpora of the inbox")
