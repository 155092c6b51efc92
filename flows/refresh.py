"""Files that appeared in the inbox become documents, counts and marts. The deployment `nightly` runs it.

The inbox holds a folder per corpus, of that name. Every step is keyed by content, so that a night without new files
does next to nothing.
"""

from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_table_artifact

from flows.marts import build_marts
from flows.steps import one_writer, retry_unless_refused, timed
from warehouse.base.errors import UsageError
from warehouse.base.progress import say
from warehouse.base.settings import Home
from warehouse.build import build_record
from warehouse.counting.count import count_corpus
from warehouse.counting.options import CountOptions
from warehouse.ingest.corpus import IngestSummary, ingest_corpus
from warehouse.lake.corpora import read_corpora, tokenizer_file
from warehouse.lake.files import read_table


@task(name="ingest", retries=1, retry_condition_fn=retry_unless_refused)
def ingest_new(home: Home, folder: Path, corpus: str, tokenizer: str) -> IngestSummary:
    """Ingest what a corpus does not hold yet."""
    with timed(f"ingest {corpus}"):
        return ingest_corpus(home, [folder], corpus=corpus, tokenizer=tokenizer)


@task(name="count", retries=1, retry_condition_fn=retry_unless_refused)
def count_again(home: Home, corpus: str) -> None:
    """Count with the options of the corpus's current count; the defaults when it has none."""
    with timed(f"count {corpus}"):
        stored = [row["options"] for row in read_table(home, "counts").to_pylist() if row["corpus"] == corpus]
        count_corpus(home, corpus, CountOptions.from_stored(stored[0]) if stored else CountOptions())


@flow(name="refresh")
def refresh(inbox: str | None = None, tokenizer: str | None = None, home: str | None = None) -> bool:
    """Bring counts and marts up to date with the inbox; return whether anything was built.

    Args:
        inbox: folder with a folder per corpus; `inbox` in the home when not given.
        tokenizer: file or hub name for a corpus that is new; one that exists keeps its own.
        home: the warehouse's folder; PIVOTS_HOME when not given.

    Raises:
        UsageError: there is no such inbox, or a corpus is new and no tokenizer is given.
    """
    here = Home.resolve(Path(home) if home else None)
    corpora = _corpora(here, Path(inbox) if inbox else here.inbox, tokenizer)
    with one_writer():
        summaries = [ingest_new(here, folder, folder.name, one) for folder, one in corpora]
        _show_ingest(summaries)
        for folder, _ in corpora:
            count_again(here, folder.name)
        if not build_record.changed_since_build(here):
            say("nothing to build")
            return False
        build_marts(here)
    return True


def _corpora(home: Home, inbox: Path, tokenizer: str | None) -> list[tuple[Path, str]]:
    """Return each corpus's folder in the inbox with its tokenizer. A folder without files does not count."""
    if not inbox.is_dir():
        raise UsageError(f"there is no inbox {inbox}: make it, with a folder per corpus, and put files there")
    known = read_corpora(home)
    found = []
    for folder in sorted(path for path in inbox.iterdir() if path.is_dir() and any(path.iterdir())):
        if folder.name not in known and tokenizer is None:
            raise UsageError(f"corpus {folder.name} is new: set the parameter `tokenizer` to a file or a hub name")
        kept = tokenizer_file(home, known[folder.name].tokenizer_hash) if folder.name in known else tokenizer
        found.append((folder, str(kept)))
    return found


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
