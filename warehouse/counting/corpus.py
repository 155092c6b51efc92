"""Count a corpus: all counted tables of `warehouse/schemas.py`, in one folder named by the hash of its inputs."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from warehouse import lake
from warehouse.connection import writer_lock
from warehouse.counting.inputs import CountInputs, find_inputs
from warehouse.counting.options import CountOptions
from warehouse.counting.rows import token_pair_edges, word_token_cells
from warehouse.counting.units import Corpus, read_corpus
from warehouse.counting.words import WordPostings, count_item_pairs, read_word_postings
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
                _write_counts(unfinished, inputs, options, count_id, run.run_id)
        run.record(home)
        if lake.current_count(home, corpus) != count_id:
            lake.point_to_count(home, corpus, count_id)
    return _summary(folder, run.run_id, seconds=time.monotonic() - start, was_there=was_there)


def _write_counts(folder: Path, inputs: CountInputs, options: CountOptions, count_id: str, run_id: str) -> None:
    threads = available_threads()
    if not inputs.word_documents:
        say(f"no words are matched in corpus {inputs.corpus!r}: only tokens are counted (see `pivots words import`)")
    corpus = read_corpus(inputs, options, threads=threads)
    if not corpus.n_units:
        raise StepFailed(f"corpus {inputs.corpus!r} holds no tokens: nothing to count")
    _write_token_strata(folder, inputs.corpus, corpus)
    postings = read_word_postings(inputs, corpus, options)
    _write_words(folder, inputs, corpus, postings, threads=threads)
    _write_edges(folder, inputs.corpus, corpus, options, threads=threads)
    counts: Columns = {
        "count_id": [count_id],
        "unit": [options.unit_name],
        "n_units": [corpus.n_units],
        "n_tokens": [corpus.n_tokens],
        "options": [json.dumps(options.as_dict(), sort_keys=True)],
        "run_id": [run_id],
    }
    write_rows(folder, "counts", inputs.corpus, counts)


def _write_token_strata(folder: Path, name: str, corpus: Corpus) -> None:
    langs = np.array([lang for lang, _ in corpus.strata])
    bins = np.array([length_bin for _, length_bin in corpus.strata], np.int32)
    write_rows(folder, "strata", name, {"lang": langs, "length_bin": bins, "n_docs": corpus.stratum_sizes})
    tokens = np.repeat(corpus.token_ids, np.diff(corpus.stratum_starts))
    order = np.lexsort((tokens, corpus.stratum_of))
    strata = corpus.stratum_of[order]
    columns = {
        "lang": langs[strata],
        "length_bin": bins[strata],
        "token_id": tokens[order],
        "n_docs": corpus.stratum_counts[order],
    }
    write_rows(folder, "token_documents", name, columns)


def _write_words(folder: Path, inputs: CountInputs, corpus: Corpus, postings: WordPostings, *, threads: int) -> None:
    pairs = np.array(count_item_pairs(inputs, postings), np.int64).reshape(-1, 3)
    columns = {"word_id_a": pairs[:, 0], "word_id_b": pairs[:, 1], "n_docs": pairs[:, 2]}
    write_rows(folder, "word_pairs", inputs.corpus, columns)
    write_rows(folder, "word_strata", inputs.corpus, _word_strata(corpus, postings))
    n_words = postings.word_ids.size
    with (
        table_writer(folder, "word_tokens", inputs.corpus) as writer,
        progress("counting words x tokens", n_words, "words") as done,
    ):
        for cells in word_token_cells(corpus, postings, threads=threads, done=done):
            writer.append(cells)


def _word_strata(corpus: Corpus, postings: WordPostings) -> Columns:
    unit_strata = np.concatenate([chunk.strata for chunk in corpus.chunks])
    rows = np.repeat(np.arange(postings.word_ids.size), postings.n_docs)
    keys, counts = np.unique(unit_strata[postings.units] * np.int64(rows.size + 1) + rows, return_counts=True)
    strata, rows = np.divmod(keys, np.int64(rows.size + 1))
    return {
        "lang": np.array([lang for lang, _ in corpus.strata])[strata],
        "length_bin": np.array([length_bin for _, length_bin in corpus.strata], np.int32)[strata],
        "word_id": postings.word_ids[rows],
        "n_docs": counts.astype(np.int64),
    }


def _write_edges(folder: Path, name: str, corpus: Corpus, options: CountOptions, *, threads: int) -> None:
    parts = []
    with progress("counting tokens x tokens", corpus.token_ids.size, "tokens") as done:
        for edges in token_pair_edges(corpus, options, threads=threads, done=done):
            parts.append(edges)
    columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    order = np.lexsort((columns["token_id_b"], columns["token_id_a"]))
    write_rows(folder, "token_pairs", name, {key: column[order] for key, column in columns.items()})


def _summary(folder: Path, run_id: str, *, seconds: float, was_there: bool) -> CountSummary:
    counts = pq.read_table(folder / "counts.parquet").to_pylist()[0]

    def n_rows(table: str) -> int:
        return pq.read_metadata(folder / f"{table}.parquet").num_rows

    def n_distinct(table: str, column: str) -> int:
        return len(pq.read_table(folder / f"{table}.parquet", columns=[column])[column].unique())

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
