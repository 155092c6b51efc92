"""Documents as stored become units: the part of reading a corpus that runs on all threads."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.base.errors import StepFailed
from warehouse.counting.options import CountOptions
from warehouse.counting.shards import ShardPart
from warehouse.counting.units import kernels
from warehouse.counting.units.matches import ShardMatches

_BATCH_TOKENS = 1 << 20
_COLUMNS = ["doc_id", "lang", "token_ids"]


@dataclass(frozen=True)
class RowGroup:
    """A row group of a document shard: what one thread reads at a time."""

    shard: ShardPart
    number: int
    matches: ShardMatches


@dataclass
class UnitBatch:
    """Units of some documents."""

    n_docs: int
    n_tokens: int
    ids: np.ndarray  # distinct token ids of all units, ascending within each unit
    starts: np.ndarray  # int64[units + 1]
    strata: list[tuple[str, int]]  # (lang, length_bin) that occur
    unit_strata: np.ndarray  # int64[units], index into strata
    word_ids: np.ndarray  # int64, distinct words of the shard
    words: np.ndarray  # of each word-unit pair, index into word_ids
    word_units: np.ndarray  # int32, beside words
    hashes: np.ndarray  # uint64[units] for sampling, else empty


def id_dtype(vocab_size: int) -> type[np.unsignedinteger]:
    """Return the narrowest type of a token id that the kernels are compiled for."""
    return np.uint16 if vocab_size <= 1 << 16 else np.uint32


def unit_hash(doc_id: int, window: int, seed: int) -> int:
    """Return the number that decides which units a word's sample keeps: the first 16 hex digits of an MD5."""
    return int(hashlib.md5(f"{doc_id}:{window}:{seed}".encode(), usedforsecurity=False).hexdigest()[:16], 16)


def row_groups(shards: list[ShardPart], options: CountOptions) -> Iterator[RowGroup]:
    """Yield the row groups of some shards, with the word matches of their shard."""
    for shard in shards:
        matches = ShardMatches(shard.matches, options)
        for number in range(*(shard.groups or (0, pq.read_metadata(shard.path).num_row_groups))):
            yield RowGroup(shard, number, matches)


def cut_row_group(group: RowGroup, vocab_size: int, options: CountOptions) -> list[UnitBatch]:
    """Read a row group, about a million tokens at a time, and cut its documents into units.

    Raises:
        StepFailed: a token id is outside the corpus's vocabulary.
    """
    named = pa.array(group.shard.doc_ids)
    batches = []
    with pq.ParquetFile(group.shard.path) as file:
        if group.shard.only:
            doc_ids = file.read_row_group(group.number, columns=["doc_id"])["doc_id"]
            if not pc.any(pc.is_in(doc_ids, named)).as_py():
                return []
        size = _batch_docs(file.metadata.row_group(group.number))
        for rows in file.iter_batches(batch_size=size, row_groups=[group.number], columns=_COLUMNS, use_threads=False):
            if len(named):
                is_named = pc.is_in(rows.column("doc_id"), named)
                rows = rows.filter(is_named if group.shard.only else pc.invert(is_named))
            batches.append(_cut(group, rows, vocab_size, options))
    return batches


def group_tokens(metadata: pq.RowGroupMetaData) -> int:
    """Return about how many tokens a row group of documents holds (a document without tokens is one value, too)."""
    columns = map(metadata.column, range(metadata.num_columns))
    return next(c.num_values for c in columns if c.path_in_schema.startswith("token_ids"))


def _batch_docs(metadata: pq.RowGroupMetaData) -> int:
    return max(1, min(1 << 16, _BATCH_TOKENS * metadata.num_rows // max(group_tokens(metadata), 1)))


def _cut(group: RowGroup, rows: pa.RecordBatch, vocab_size: int, options: CountOptions) -> UnitBatch:
    token_lists = rows.column("token_ids")
    doc_starts = token_lists.offsets.to_numpy().astype(np.int64)
    lengths = np.diff(doc_starts)
    unit_tokens = options.unit_tokens
    doc_units = -(-lengths // unit_tokens) if unit_tokens else (lengths > 0).astype(np.int64)
    n_units = int(doc_units.sum())
    ids = np.empty(int(lengths.sum()), id_dtype(vocab_size))
    starts = np.empty(n_units + 1, np.int64)
    bitmap = kernels.make_bitmap(vocab_size)
    tokens = token_lists.values.to_numpy()
    if not kernels.distinct_tokens(tokens, doc_starts, unit_tokens, *bitmap, vocab_size, ids, starts):
        raise StepFailed(
            f"{group.shard.path}: a token id is outside the vocabulary of {vocab_size}: ingest the corpus again"
        )
    doc_ids = rows.column("doc_id").to_numpy()
    first_units = np.cumsum(doc_units) - doc_units
    unit_docs = np.repeat(np.arange(lengths.size), doc_units)
    strata, unit_strata = _strata(rows.column("lang"), unit_docs, starts)
    word_ids, words, word_units = group.matches.of_documents(doc_ids, first_units, doc_units)
    hashes = np.empty(0, np.uint64)
    if options.max_docs_per_word is not None:
        windows = np.arange(n_units) - first_units[unit_docs]
        names = zip(doc_ids[unit_docs].tolist(), windows.tolist(), strict=True)
        hashes = np.array([unit_hash(doc, window, options.seed) for doc, window in names], np.uint64)
    return UnitBatch(
        n_docs=len(rows),
        n_tokens=ids.size,
        ids=ids[: starts[-1]].copy(),
        starts=starts,
        strata=strata,
        unit_strata=unit_strata,
        word_ids=word_ids,
        words=words,
        word_units=word_units,
        hashes=hashes,
    )


def _strata(langs: pa.Array, unit_docs: np.ndarray, starts: np.ndarray) -> tuple[list[tuple[str, int]], np.ndarray]:
    """Return the strata of some units, and of each unit the index of its own."""
    bins = np.empty(unit_docs.size, np.int32)
    kernels.length_bins(starts, bins)
    names = langs.dictionary_encode()
    codes = names.indices.to_numpy()[unit_docs].astype(np.int64)
    keys, unit_strata = np.unique(codes << 8 | bins, return_inverse=True)
    strata = [(names.dictionary[key >> 8].as_py(), key & 0xFF) for key in keys.tolist()]
    return strata, unit_strata
