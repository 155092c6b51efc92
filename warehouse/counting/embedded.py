"""Counting in this process, on all its threads: what `pivots count` does where no engine is named."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from warehouse.base.machine import available_threads
from warehouse.base.progress import progress
from warehouse.counting.changes import Changes
from warehouse.counting.engine import Counted, SaveRows
from warehouse.counting.inputs import CountInputs
from warehouse.counting.memory import MemoryPlan, memory_plan
from warehouse.counting.options import CountOptions
from warehouse.counting.rows.kept_cells import token_pair_edges, word_token_cells
from warehouse.counting.rows.word_pairs import count_word_pairs
from warehouse.counting.tables.edge_sort import sorted_edges
from warehouse.counting.tables.writer import Columns
from warehouse.counting.units.corpus_units import Corpus, read_corpus


@contextmanager
def embedded(inputs: CountInputs, changes: Changes, options: CountOptions, scratch: Path) -> Iterator[Counted]:
    """Read the units of all changes; what does not fit in memory goes to `scratch`. An `Engine`."""
    plan, threads = memory_plan(), available_threads()
    corpus = read_corpus(
        changes.base, changes.added, changes.removed, inputs.vocab_size, options, plan, scratch, threads=threads
    )
    yield _Embedded(corpus, options, inputs.vocab_size, plan, scratch, threads)


@dataclass(frozen=True)
class _Embedded:
    corpus: Corpus
    options: CountOptions
    vocab_size: int
    plan: MemoryPlan
    scratch: Path
    threads: int

    def pair_docs(self, pairs: np.ndarray) -> np.ndarray:
        return count_word_pairs(pairs, self.corpus)

    def word_tokens(self, save: SaveRows | None) -> Iterator[Columns]:
        with progress("counting words x tokens", self.corpus.word_ids.size, "words") as done:
            keep_rows = partial(save, "words") if save else None
            yield from word_token_cells(self.corpus, self.plan, threads=self.threads, save=keep_rows, done=done)

    def token_pairs(self, save: SaveRows | None) -> Iterator[Columns]:
        with progress("counting tokens x tokens", self.corpus.token_ids.size, "tokens") as done:
            keep_rows = partial(save, "tokens") if save else None
            edges = token_pair_edges(
                self.corpus, self.options, self.plan, threads=self.threads, save=keep_rows, done=done
            )
            yield from sorted_edges(edges, n_tokens=self.vocab_size, limit_bytes=self.plan.sort, folder=self.scratch)
