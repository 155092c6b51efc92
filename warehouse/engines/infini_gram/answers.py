"""Answers of an index, kept as they come: a question that was answered is never asked again, not even after kill -9.

While a command asks, each answer is a line of a journal beside the shards of raw.infini_gram_counts. At its end,
however it ends, the journal becomes a shard; one that a killed command left does so when the next begins.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from warehouse.base.errors import StepFailed
from warehouse.base.settings import Home
from warehouse.contract.hashing import short_hash
from warehouse.engines.infini_gram.questions import Answer, Index, Question
from warehouse.lake.connections import writer_lock
from warehouse.lake.files import shard_path, write_table
from warehouse.lake.runs import Run
from warehouse.lake.schemas import SHARDED

TABLE = "infini_gram_counts"
Key = tuple[int, ...]


@dataclass
class Answers:
    """What an index has answered so far, by question."""

    _journal: IO[str]
    known: dict[Key, Answer] = field(default_factory=dict)

    def keep(self, question: Question, answer: Answer) -> None:
        """Add an answer; it outlives the process from here on."""
        self.known[question.key] = answer
        self._write(question, n_occurrences=answer.n_occurrences, is_approx=answer.is_approx, n_docs=answer.n_docs)

    def refuse(self, question: Question, reason: str) -> None:
        """Note that the index did not answer a question; it becomes a row of raw.rejects, and is asked again later."""
        self._write(question, refusal=reason, words=[word.word for word in question.words])

    def _write(self, question: Question, **values: Any) -> None:
        line = json.dumps({"key": question.key, "query": question.query, **values}, ensure_ascii=False)
        self._journal.write(line + "\n")
        self._journal.flush()


@contextmanager
def open_answers(home: Home, corpus: str, index: Index, run: Run) -> Iterator[Answers]:
    """Yield what a run's index has answered, and keep what it answers from now on.

    Raises:
        StepFailed: another process asks the same.
    """
    folder = shard_path(home, TABLE, "", corpus=corpus).parent
    folder.mkdir(parents=True, exist_ok=True)
    journal = folder / f"{run.run_id}.journal"
    try:
        with FileLock(journal.with_suffix(".lock"), timeout=0):
            _to_shards(home, corpus, index, run, journal)
            answers = {key: answer for _, key, answer in _kept(folder, run)}
            try:
                with journal.open("w", encoding="utf-8") as stream:
                    yield Answers(stream, answers)
            finally:
                _to_shards(home, corpus, index, run, journal)
    except Timeout:
        raise StepFailed(f"another command is asking {index.name} the same; run this again when it is done") from None


def _kept(folder: Path, run: Run) -> Iterator[tuple[Path, Key, Answer]]:
    columns = ["word_id_a", "word_id_b", "n_occurrences", "is_approx", "n_docs"]
    for path in sorted(folder.glob(f"{run.run_id}-*.parquet")):
        for a, b, n_occurrences, is_approx, n_docs in zip(
            *pq.read_table(path, columns=columns).to_pydict().values(), strict=True
        ):
            yield (
                path,
                tuple(word_id for word_id in (a, b) if word_id is not None),
                Answer(n_occurrences, is_approx, n_docs),
            )


def _to_shards(home: Home, corpus: str, index: Index, run: Run, journal: Path) -> None:
    """Turn a journal into a shard of answers and one of rejects, then delete it."""
    if not journal.exists():
        return
    entries = {tuple(entry["key"]): entry for entry in _entries(journal)}
    for _, key, _ in _kept(journal.parent, run):
        entries.pop(key, None)  # killed between the writing of the shard and the deletion of the journal
    answered = [(key, entry) for key, entry in sorted(entries.items()) if "refusal" not in entry]
    refused = [(key, entry) for key, entry in sorted(entries.items()) if "refusal" in entry]
    with writer_lock(home):
        if refused:
            name = f"{run.run_id}-{short_hash([(key, entry['refusal']) for key, entry in refused])}"
            rows = [_reject(corpus, index, run, entry) for _, entry in refused]
            path = shard_path(home, "rejects", name, corpus=corpus)
            write_table(path, "rejects", pa.Table.from_pylist(rows, schema=SHARDED["rejects"]))
        if answered:
            name = f"{run.run_id}-{short_hash([key for key, _ in answered])}"
            rows = [_row(corpus, index, run, key, entry) for key, entry in answered]
            path = shard_path(home, TABLE, name, corpus=corpus)
            write_table(path, TABLE, pa.Table.from_pylist(rows, schema=SHARDED[TABLE]))
            run.record(home)
    journal.unlink()


def _entries(journal: Path) -> Iterator[dict[str, Any]]:
    for line in journal.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        if line.endswith("\n"):  # a last line without its end was being written when the process was killed
            yield json.loads(line)


def _row(corpus: str, index: Index, run: Run, key: Key, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "corpus": corpus,
        "run_id": run.run_id,
        "index_name": index.name,
        "engine": index.engine,
        "word_id_a": key[0] if key else None,
        "word_id_b": key[1] if len(key) > 1 else None,
        "query": entry["query"],
        "max_diff_tokens": index.max_diff_tokens,
        "max_clause_freq": index.max_clause_freq,
        "n_occurrences": entry["n_occurrences"],
        "is_approx": entry["is_approx"],
        "n_docs": entry["n_docs"],
    }


def _reject(corpus: str, index: Index, run: Run, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "corpus": corpus,
        "shard_id": run.run_id,
        "step": "infini_gram",
        "source_file": index.name,
        "line_number": None,
        "reason": "refused by the index",
        "detail": f"{' / '.join(entry['words'])}: {entry['refusal']}"[:200],
    }
