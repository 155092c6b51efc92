"""First pass: document shards become chunks of units, and the counts by stratum fall out beside them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from warehouse.base.ordered_map import in_order
from warehouse.base.progress import progress
from warehouse.counting.memory import MemoryPlan
from warehouse.counting.options import CountOptions
from warehouse.counting.shards import ShardPart
from warehouse.counting.units import kernels
from warehouse.counting.units.chunks import Chunk, ChunkStore, join_chunks
from warehouse.counting.units.cutting import UnitBatch, cut_row_group, row_groups
from warehouse.counting.units.matches import WordNumbers


@dataclass
class FirstPass:
    """What the first pass leaves: chunks of token ids, and numbers in the order in which things were first seen."""

    store: ChunkStore
    numbers: WordNumbers
    counts: np.ndarray  # uint32[at least strata, vocab], n_k(x)
    strata: dict[tuple[str, int], int] = field(default_factory=dict)  # (lang, length_bin) -> its number
    n_units: int = 0
    n_tokens: int = 0


def read_units(
    shards: list[ShardPart],
    vocab_size: int,
    options: CountOptions,
    plan: MemoryPlan,
    folder: Path,
    *,
    threads: int,
) -> FirstPass:
    """Read document shards and their word matches.

    Args:
        folder: where chunks go when there are several; it need not exist.

    Raises:
        StepFailed: a token id is outside the corpus's vocabulary.
    """
    found = FirstPass(ChunkStore(folder), WordNumbers(), np.zeros((16, vocab_size), np.uint32))
    n_documents = sum(len(s.doc_ids) if s.only else pq.read_metadata(s.path).num_rows for s in shards)
    cut = partial(cut_row_group, vocab_size=vocab_size, options=options)
    waiting: list[Chunk] = []
    n_bytes = 0
    with ThreadPoolExecutor(threads) as pool, progress("reading units", n_documents, "documents") as advance:
        for batches in in_order(pool, cut, row_groups(shards, options), ahead=threads):
            for batch in batches:
                chunk = _take(found, batch)
                if waiting and n_bytes + chunk.n_bytes > plan.chunk:
                    found.store.append(join_chunks(waiting))
                    waiting, n_bytes = [], 0
                waiting.append(chunk)
                n_bytes += chunk.n_bytes
                advance(batch.n_docs)
    if waiting:
        found.store.append(join_chunks(waiting))
    return found


def _take(found: FirstPass, batch: UnitBatch) -> Chunk:
    """Add a batch to the counts, with numbers for its strata and words."""
    numbers = [found.strata.setdefault(stratum, len(found.strata)) for stratum in batch.strata]
    while len(found.strata) > len(found.counts):
        found.counts = np.concatenate([found.counts, np.zeros_like(found.counts)])
    strata = np.array(numbers, np.int32)[batch.unit_strata]
    kernels.count_by_stratum(batch.ids, batch.starts, strata, found.counts)
    found.n_units += strata.size
    found.n_tokens += batch.n_tokens
    words = found.numbers.of(batch.word_ids, batch.words)
    return Chunk(batch.ids, batch.starts, strata, words, batch.word_units, batch.hashes)
