"""First pass: document shards become chunks of units, and the counts by stratum fall out beside them."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.counting import unit_kernels as kernels
from warehouse.counting.chunks import Chunk, ChunkStore
from warehouse.counting.inputs import CountInputs, shard_id_of
from warehouse.counting.matches import ShardMatches, WordNumbers, files_by_shard
from warehouse.counting.memory import MemoryPlan
from warehouse.counting.options import CountOptions
from warehouse.counting.parallel import in_order
from warehouse.errors import StepFailed
from warehouse.progress import progress

_BATCH_TOKENS = 1 << 20
_COLUMNS = ["doc_id", "lang", "token_ids"]


def id_dtype(vocab_size: int) -> type[np.unsignedinteger]:
    """Return the narrowest type of a token id that the kernels are compiled for."""
    return np.uint16 if vocab_size <= 1 << 16 else np.uint32


def unit_hash(doc_id: int, window: int, seed: int) -> int:
    """Return the number that decides which units a word's sample keeps: the first 16 hex digits of an MD5."""
    return int(hashlib.md5(f"{doc_id}:{window}:{seed}".encode(), usedforsecurity=False).hexdigest()[:16], 16)


@dataclass
class _Batch:
    """Documents of one shard as read, then cut into units by `_cut`."""

    path: Path
    matches: ShardMatches
    rows: pa.RecordBatch
    n_tokens: int = 0
    ids: np.ndarray = field(default_factory=lambda: np.empty(0))
    starts: np.ndarray = field(default_factory=lambda: np.empty(0))
    unit_docs: np.ndarray = field(default_factory=lambda: np.empty(0))
    bins: np.ndarray = field(default_factory=lambda: np.empty(0))
    words: np.ndarray = field(default_factory=lambda: np.empty(0))
    word_units: np.ndarray = field(default_factory=lambda: np.empty(0))
    hashes: np.ndarray = field(default_factory=lambda: np.empty(0))


@dataclass
class FirstPass:
    """What the first pass leaves: chunks of token ids, and counts in the order in which things were first seen."""

    store: ChunkStore
    numbers: WordNumbers
    counts: np.ndarray  # uint32[at least strata, vocab], n_k(x)
    strata: dict[tuple[str, int], int] = field(default_factory=dict)  # (lang, length_bin) -> its number
    n_units: int = 0
    n_tokens: int = 0


def read_units(
    inputs: CountInputs, options: CountOptions, plan: MemoryPlan, folder: Path, *, threads: int
) -> FirstPass:
    """Read all document shards and word matches of a corpus.

    Raises:
        StepFailed: a token id is outside the corpus's vocabulary.
    """
    found = FirstPass(ChunkStore(folder), WordNumbers(), np.zeros((16, inputs.vocab_size), np.uint32))
    waiting: list[_Batch] = []
    strata: list[np.ndarray] = []
    bytes_waiting = 0
    with (
        ThreadPoolExecutor(threads) as pool,
        progress("reading units", sum(map(_n_documents, inputs.documents)), "documents") as advance,
    ):
        tasks = _batches(inputs, options)
        for batch in in_order(pool, lambda b: _cut(b, inputs, options), tasks, ahead=threads):
            batch.words = found.numbers.of(batch.words)
            unit_strata = _number_strata(batch, found)
            kernels.count_by_stratum(batch.ids, batch.starts, unit_strata, found.counts)
            found.n_units += batch.bins.size
            found.n_tokens += batch.n_tokens
            if bytes_waiting and bytes_waiting + batch.ids.nbytes > plan.chunk:
                found.store.append(_join(waiting, strata, inputs.vocab_size))
                waiting, strata, bytes_waiting = [], [], 0
            bytes_waiting += batch.ids.nbytes
            advance(len(batch.rows))
            batch.rows = batch.rows.slice(0, 0)
            waiting.append(batch)
            strata.append(unit_strata)
    if waiting:
        found.store.append(_join(waiting, strata, inputs.vocab_size))
    return found


def _n_documents(path: Path) -> int:
    return pq.read_metadata(path).num_rows


def _batches(inputs: CountInputs, options: CountOptions) -> Iterator[_Batch]:
    """Yield the documents that count, about a million tokens at a time."""
    match_files = files_by_shard(inputs)
    for path in inputs.documents:
        shard_id = shard_id_of(path)
        if shard_id is None:
            continue
        superseded = pa.array(inputs.superseded_docs(shard_id), pa.int64())
        matches = ShardMatches(match_files.get(shard_id, []), options)
        file = pq.ParquetFile(path)
        for batch in file.iter_batches(batch_size=_batch_docs(file), columns=_COLUMNS):
            if len(superseded):
                batch = batch.filter(pc.invert(pc.is_in(batch.column("doc_id"), superseded)))
            yield _Batch(path, matches, batch)


def _batch_docs(file: pq.ParquetFile) -> int:
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    tokens = next(i for i in range(groups[0].num_columns) if groups[0].column(i).path_in_schema.startswith("token_ids"))
    n_tokens = sum(group.column(tokens).num_values for group in groups)
    return max(1, min(1 << 16, _BATCH_TOKENS * file.metadata.num_rows // max(n_tokens, 1)))


def _cut(batch: _Batch, inputs: CountInputs, options: CountOptions) -> _Batch:
    """Cut a batch's documents into units, with their words."""
    token_lists = batch.rows.column("token_ids")
    doc_starts = token_lists.offsets.to_numpy().astype(np.int64)
    lengths = np.diff(doc_starts)
    unit_tokens = options.unit_tokens
    doc_units = -(-lengths // unit_tokens) if unit_tokens else (lengths > 0).astype(np.int64)
    n_units = int(doc_units.sum())
    batch.n_tokens = int(lengths.sum())
    low, high = kernels.make_bitmap(inputs.vocab_size)
    ids = np.empty(batch.n_tokens, id_dtype(inputs.vocab_size))
    batch.starts = np.empty(n_units + 1, np.int64)
    tokens = token_lists.values.to_numpy()
    if not kernels.distinct_tokens(tokens, doc_starts, unit_tokens, low, high, ids, batch.starts):
        raise StepFailed(
            f"{batch.path}: a token id is outside the vocabulary of {inputs.vocab_size}: ingest the corpus again"
        )
    batch.ids = ids[: batch.starts[-1]].copy()
    batch.bins = np.empty(n_units, np.int32)
    kernels.length_bins(batch.starts, batch.bins)
    batch.unit_docs = np.repeat(np.arange(lengths.size), doc_units)
    doc_ids = batch.rows.column("doc_id").to_numpy()
    first_units = np.cumsum(doc_units) - doc_units
    batch.words, batch.word_units = batch.matches.of_documents(doc_ids, first_units, doc_units)
    batch.hashes = np.empty(0, np.uint64)
    if options.max_docs_per_word is not None:
        windows = np.arange(n_units) - first_units[batch.unit_docs]
        names = zip(doc_ids[batch.unit_docs].tolist(), windows.tolist(), strict=True)
        batch.hashes = np.array([unit_hash(doc, window, options.seed) for doc, window in names], np.uint64)
    return batch


def _number_strata(batch: _Batch, found: FirstPass) -> np.ndarray:
    """Return each unit's stratum number (int32[units]); a stratum gets its number when it is first met."""
    langs = batch.rows.column("lang").dictionary_encode()
    codes = langs.indices.to_numpy()[batch.unit_docs].astype(np.int64)
    keys, inverse = np.unique(codes << 8 | batch.bins, return_inverse=True)
    numbers = []
    for code, length_bin in zip((keys >> 8).tolist(), (keys & 0xFF).tolist(), strict=True):
        numbers.append(found.strata.setdefault((langs.dictionary[code].as_py(), length_bin), len(found.strata)))
    while len(found.strata) > len(found.counts):
        found.counts = np.concatenate([found.counts, np.zeros_like(found.counts)])
    return np.array(numbers, np.int32)[inverse]


def _join(batches: list[_Batch], strata: list[np.ndarray], vocab_size: int) -> Chunk:
    ids = np.concatenate([b.ids for b in batches])
    starts = np.concatenate([[0], np.cumsum(np.concatenate([np.diff(b.starts) for b in batches]))])
    first_units = np.cumsum([0, *(b.bins.size for b in batches)])
    return Chunk(
        ids=ids.astype(id_dtype(vocab_size), copy=False),
        starts=starts.astype(np.int64),
        strata=np.concatenate(strata),
        words=np.concatenate([b.words for b in batches]),
        word_units=np.concatenate(
            [b.word_units + np.int32(first) for b, first in zip(batches, first_units[:-1], strict=True)]
        ),
        hashes=np.concatenate([b.hashes for b in batches]),
    )
