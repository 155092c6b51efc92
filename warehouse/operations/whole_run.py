"""From files to a report: every step between, in order; what was done before is not done again."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from warehouse.base.errors import UsageError
from warehouse.base.progress import say
from warehouse.base.settings import Home
from warehouse.build import build_record
from warehouse.build.build import build
from warehouse.counting.count import count_corpus
from warehouse.counting.options import CountOptions
from warehouse.ingest.corpus import IngestOptions, ingest_corpus
from warehouse.ingest.readers.detect import find_files
from warehouse.ingest.word_list import import_words, read_word_list
from warehouse.lake.files import read_table
from warehouse.serving.outcome import build_lines, pivot_lines, published_lines
from warehouse.serving.publish import publish, read_manifest
from warehouse.serving.report import write_report
from warehouse.text.tokenizing import load_tokenizer


@dataclass(frozen=True, kw_only=True)
class WholeRun:
    """What a user asks for.

    Attributes:
        documents: a folder or a file.
        words: a word list; None uses the lists that the home has.
        corpus: name of the corpus; None takes the folder's.
        window_tokens: counted are windows of N tokens; 0 counts whole documents. None: as the corpus was counted
            before, windows of 512 tokens when it was not.
    """

    documents: Path
    tokenizer: str
    words: Path | None
    corpus: str | None
    window_tokens: int | None
    lang: str | None
    lang_column: str | None


@dataclass(frozen=True)
class WholeOutcome:
    """What came out, as lines to print, and where the report is."""

    lines: list[str]
    report: Path


def run_whole(home: Home, asked: WholeRun) -> WholeOutcome:
    """Import words, ingest, count, build, publish and report; say on stderr which step is at work.

    Raises:
        UsageError: something of the request cannot be served; found before any work as far as it can be.
        StepFailed: a step failed; the same command goes on there.
    """
    corpus = asked.corpus or _name_of(asked.documents)
    _check(home, asked)
    steps = _Steps(6)
    with steps.next("words") as done:
        if asked.words is None:
            done("the lists that are imported")
        else:
            words = import_words(home, asked.words)
            done(f"{words.n_items:,} items of {', '.join(sorted(words.n_words_by_lang))}")
    with steps.next("ingest") as done:
        options = IngestOptions(lang=asked.lang, lang_column=asked.lang_column)
        ingested = ingest_corpus(home, [asked.documents], corpus=corpus, tokenizer=asked.tokenizer, options=options)
        rejected = f", {ingested.tally.n_rejects:,} rejects" if ingested.tally.n_rejects else ""
        done(f"{ingested.tally.n_docs:,} documents in {ingested.tally.n_files:,} files{rejected}")
    with steps.next("count") as done:
        counted = count_corpus(home, corpus, _count_options(home, corpus, asked.window_tokens))
        done(f"{counted.n_units:,} units ({counted.unit}), {counted.n_words:,} words found")
    with steps.next("build") as done:
        if build_record.changed_since_build(home) or build_record.is_build_unfinished(home):
            build(home)
            done("scores, rankings, selections")
        else:
            done("nothing has changed")
    lines = build_lines(home)
    with steps.next("publish") as done:
        before = read_manifest(home)
        made = publish(home)
        done(f"copy {made.manifest['number']}")
    lines += published_lines(home, made, before)
    with steps.next("report") as done:
        report = write_report(home)
        done(str(report))
    return WholeOutcome([*lines, *pivot_lines(home), f"report     {report}"], report)


class _Steps:
    """Says which step is at work, how many there are, and how long each and all of them took."""

    def __init__(self, n_steps: int) -> None:
        self._n_steps, self._number, self._start = n_steps, 0, time.monotonic()

    @contextmanager
    def next(self, name: str) -> Iterator[Callable[[str], None]]:
        """Yield a function that notes what came out of the step."""
        self._number += 1
        head, start, outcome = f"[{self._number}/{self._n_steps}] {name}", time.monotonic(), [""]
        say(f"{head} ...")
        yield lambda what: outcome.append(what)
        now = time.monotonic()
        say(f"{head}: {outcome[-1]} ({now - start:.1f} s; {now - self._start:.0f} s in all)")


def _name_of(documents: Path) -> str:
    """Return the name of a corpus that is called like its folder or file."""
    name = documents.resolve().name.split(".")[0] or documents.resolve().name
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._-") or "corpus"


def _check(home: Home, asked: WholeRun) -> None:
    """Find what would stop a later step. Raises UsageError."""
    files, _ = find_files([asked.documents], "auto")
    load_tokenizer(asked.tokenizer)
    if asked.words is None:
        if not read_table(home, "translation_items", columns=["item_id"]).num_rows:
            raise UsageError("no word list is imported yet: give --words FILE, such as a CSV with a first line en,de")
        return
    if not asked.words.is_file():
        raise UsageError(f"--words {asked.words}: no such file")
    if asked.words.resolve() in {file.path.resolve() for file in files}:
        raise UsageError(f"--words {asked.words} would be read as documents: put it into another folder")
    read_word_list(asked.words)


def _count_options(home: Home, corpus: str, window_tokens: int | None) -> CountOptions:
    """Return the options asked for, else those of the corpus's current count, else windows of 512 tokens."""
    stored = [row["options"] for row in read_table(home, "counts").to_pylist() if row["corpus"] == corpus]
    if window_tokens is None and stored:
        return CountOptions.from_stored(stored[0])
    if window_tokens == 0:
        return CountOptions()
    return CountOptions(unit="window", window_tokens=window_tokens or 512)
