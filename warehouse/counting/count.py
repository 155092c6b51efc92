"""Count a corpus: all counted tables of `warehouse/lake/schemas.py`, in one folder named by the hash of its inputs."""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.base.errors import StepFailed
from warehouse.base.progress import say
from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_folder, remove_unfinished
from warehouse.counting.changes import find_changes
from warehouse.counting.embedded import embedded
from warehouse.counting.engine import Counted, Engine
from warehouse.counting.inputs import CountInputs, find_inputs, item_pairs
from warehouse.counting.options import CountOptions
from warehouse.counting.rows.strata import strata_tables
from warehouse.counting.rows.word_pairs import word_pair_rows
from warehouse.counting.sums.kept_sums import find_sums, sums_writer
from warehouse.counting.sums.sums_writer import SumsWriter
from warehouse.counting.tables.writer import Columns, table_writer, write_rows
from warehouse.counting.units.corpus_units import Corpus
from warehouse.lake.connections import writer_lock
from warehouse.lake.files import current_count, point_to_count
from warehouse.lake.runs import Run
from warehouse.lake.superseded_documents import bring_superseded_up_to_date

# Changes up to this share of the sums are counted again each time; more are added to them for good.
KEPT_CHANGES = 1 / 32


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


def count_corpus(
    home: Home, corpus: str, options: CountOptions | None = None, *, engine: Engine = embedded
) -> CountSummary:
    """Make the counts of a corpus with these options and point the corpus to them; nothing is done twice.

    The engine changes no byte of what is counted, and so is no part of a count's identity.

    Raises:
        UsageError: the corpus was not ingested.
        StepFailed: the corpus holds no tokens, or its shards do not fit together.
    """
    options = options or CountOptions()
    start = time.monotonic()
    with writer_lock(home):
        bring_superseded_up_to_date(home, corpus)
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
        for written in (folder.parent, home.lake / "sums" / corpus):
            remove_unfinished(written)
        was_there = folder.exists()
        if not was_there:
            with atomic_folder(folder) as unfinished:
                scratch = unfinished / "scratch"
                _count(home, unfinished, scratch, inputs, options, count_id, run.run_id, engine)
                shutil.rmtree(scratch, ignore_errors=True)
        run.record(home)
        if current_count(home, corpus) != count_id:
            point_to_count(home, corpus, count_id)
    return _summary(folder, run.run_id, seconds=time.monotonic() - start, was_there=was_there)


def _count(
    home: Home,
    folder: Path,
    scratch: Path,
    inputs: CountInputs,
    options: CountOptions,
    count_id: str,
    run_id: str,
    engine: Engine,
) -> None:
    """Count what has changed since sums were kept, or everything; write all tables, and new sums when it was much."""
    name = inputs.corpus
    if not inputs.word_documents:
        say(f"no words are matched in corpus {name!r}: only tokens are counted (see `pivots words import`)")
    changes = find_changes(inputs, find_sums(home, inputs, options))
    with engine(inputs, changes, options, scratch) as counted:
        corpus = counted.corpus
        if not corpus.n_units:
            raise StepFailed(f"corpus {name!r} holds no tokens: nothing to count")
        if options.max_docs_per_word is not None or not _is_much(corpus):
            _write_counts(folder, inputs, counted, None)
        else:
            with sums_writer(home, inputs, options) as writer:
                pair_docs = _write_counts(folder, inputs, counted, writer)
                writer.finish(inputs, changes.shards, options, corpus, pair_docs)
    write_rows(folder, "counts", name, _counts_row(corpus, options, count_id, run_id))


def _is_much(corpus: Corpus) -> bool:
    """Tell whether going through these changes again costs more, by and by, than to write all sums anew."""
    changed = corpus.added.n_tokens + corpus.removed.n_tokens
    return corpus.base is None or changed > KEPT_CHANGES * corpus.base.n_tokens


def _write_counts(folder: Path, inputs: CountInputs, counted: Counted, sums: SumsWriter | None) -> np.ndarray:
    """Write every counted table but `counts` into a folder; return n(s,t) of all pairs.

    Args:
        sums: receives the rows with all their cells.
    """
    name = inputs.corpus
    for table, columns in strata_tables(counted.corpus):
        write_rows(folder, table, name, columns)
    pairs = item_pairs(inputs)
    pair_docs = counted.pair_docs(pairs)
    write_rows(folder, "word_pairs", name, word_pair_rows(pairs, pair_docs))
    save = sums.append if sums else None
    for table, rows in (("word_tokens", counted.word_tokens(save)), ("token_pairs", counted.token_pairs(save))):
        with table_writer(folder, table, name) as writer:
            for columns in rows:
                writer.append(columns)
    return pair_docs


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
    counts = pq.ParquetFile(folder / "counts.parquet").read().to_pylist()[0]

    def n_rows(table: str) -> int:
        return pq.read_metadata(folder / f"{table}.parquet").num_rows

    def n_distinct(table: str, column: str) -> int:
        return pc.count_distinct(pq.ParquetFile(folder / f"{table}.parquet").read(columns=[column])[column]).as_py()

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
