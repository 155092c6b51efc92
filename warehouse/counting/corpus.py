"""Count a corpus: all counted tables of `warehouse/schemas.py`, in one folder named by the hash of its inputs."""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse import lake
from warehouse.connection import writer_lock
from warehouse.counting.cells import eligible_tokens, token_pair_edges, word_token_cells
from warehouse.counting.inputs import CountInputs, find_inputs
from warehouse.counting.memory import memory_plan
from warehouse.counting.options import CountOptions
from warehouse.counting.sorting import sorted_edges
from warehouse.counting.strata import expectation, strata_tables
from warehouse.counting.units import Corpus, read_corpus
from warehouse.counting.words import count_word_pairs
from warehouse.counting.writing import Columns, table_writer, write_rows
from warehouse.errors import StepFailed
from warehouse.progress import progress, say
from warehouse.runs import Run
from warehouse.settings import Home, available_threads


@dataclass(frozen=True)
class CountSummary:
    """What a count holds."""

    count_id: str
    run_id: str
    unit: str
    n_units: int
    n_tokens: int
    n_strata: int
    n_distinct_tokens: int
    n_words: int
    n_word_tokens: int
    n_token_pairs: int
    seconds: float
    was_there: bool


def count_corpus(home: Home, corpus: str, options: CountOptions | None = None) -> CountSummary:
    """Make the counts of a corpus with these options and point the corpus to them; nothing is done twice.

    Raises:
        UsageError: the corpus was not ingested.
        StepFailed: the corpus holds no tokens, or its shards do not fit together.
    """
    options = options or CountOptions()
    start = time.monotonic()
    with writer_lock(home):
        inputs = find_inputs(home, corpus)
        count_id = inputs.count_id(options)
        folder = home.lake / "counts" / corpus / count_id
        run = Run(
            kind="count",
            corpus=corpus,
            config=options.as_dict(),
            inputs=inputs.hashes(),
            tokenizer_hash=inputs.tokenizer_hash,
        )
        was_there = folder.exists()
        if not was_there:
            lake.remove_unfinished(folder.parent)
            with lake.atomic_folder(folder) as unfinished:
                scratch = unfinished / "scratch"
                _write_counts(unfinished, scratch, inputs, options, count_id, run.run_id)
                shutil.rmtree(scratch, ignore_errors=True)
        run.record(home)
        if lake.current_count(home, corpus) != count_id:
            lake.point_to_count(home, corpus, count_id)
    return _summary(folder, run.run_id, seconds=time.monotonic() - start, was_there=was_there)


def _write_counts(
    folder: Path, scratch: Path, inputs: CountInputs, options: CountOptions, count_id: str, run_id: str
) -> None:
    """Write every counted table into a folder; `scratch` may hold what does not fit in memory."""
    threads = available_threads()
    plan = memory_plan()
    name = inputs.corpus
    if not inputs.word_documents:
        say(f"no words are matched in corpus {name!r}: only tokens are counted (see `pivots words import`)")
    corpus = read_corpus(inputs, options, plan, scratch, threads=threads)
    if not corpus.n_units:
        raise StepFailed(f"corpus {name!r} holds no tokens: nothing to count")
    write_rows(folder, "counts", name, _counts_row(corpus, options, count_id, run_id))
    for table, columns in strata_tables(corpus):
        write_rows(folder, table, name, columns)
    write_rows(folder, "word_pairs", name, count_word_pairs(inputs, corpus))
    expected = expectation(corpus)
    with (
        table_writer(folder, "word_tokens", name) as writer,
        progress("counting words x tokens", corpus.word_ids.size, "words") as done,
    ):
        for cells in word_token_cells(corpus, expected, plan, threads=threads, done=done):
            writer.append(cells)
    with (
        table_writer(folder, "token_pairs", name) as writer,
        progress("counting tokens x tokens", eligible_tokens(corpus, options), "tokens") as done,
    ):
        edges = token_pair_edges(corpus, expected, options, plan, threads=threads, done=done)
        for rows in sorted_edges(edges, n_tokens=inputs.vocab_size, limit_bytes=plan.sort, folder=scratch):
            writer.append(rows)


def _counts_row(corpus: Corpus, options: CountOptions, count_id: str, run_id: str) -> Columns:
    return {
        "count_id": [count_id],
        "unit": [options.unit_name],
        "n_units": [corpus.n_units],
        "n_tokens": [corpus.n_tokens],
        "options": [json.dumps(options.as_dict(), sort_keys=True)],
        "run_id": [run_id],
    }


def _summary(folder: Path, run_id: str, *, seconds: float, was_there: bool) -> CountSummary:
    counts = pq.read_table(folder / "counts.parquet").to_pylist()[0]

    def n_rows(table: str) -> int:
        return pq.read_metadata(folder / f"{table}.parquet").num_rows

    def n_distinct(table: str, column: str) -> int:
        return pc.count_distinct(pq.read_table(folder / f"{table}.parquet", columns=[column])[column]).as_py()

    return CountSummary(
        count_id=counts["count_id"],
        run_id=run_id,
        unit=counts["unit"],
        n_units=counts["n_units"],
        n_tokens=counts["n_tokens"],
        n_strata=n_rows("strata"),
        n_distinct_tokens=n_distinct("token_documents", "token_id"),
        n_words=n_distinct("word_strata", "word_id"),
        n_word_tokens=n_rows("word_tokens"),
        n_token_pairs=n_rows("token_pairs"),
        seconds=seconds,
        was_there=was_there,
    )
