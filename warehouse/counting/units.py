"""Units of a corpus: documents or windows as sorted sets of distinct tokens, with their strata and words."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.counting import unit_kernels as kernels
from warehouse.counting.inputs import CountInputs, shard_id_of
from warehouse.counting.options import CountOptions
from warehouse.errors import StepFailed
from warehouse.progress import progress

_BATCH_DOCS = 4096


@dataclass
class ShardUnits:
    """The units of one document shard, in the order of the file."""

    shard_id: str
    ids: np.ndarray  # distinct token ids of all units, ascending within each
    starts: np.ndarray  # int64[units + 1]
    bins: np.ndarray  # int32[units], floor(2 log2 of the set's size)
    langs: list[str]  # by document
    doc_ids: np.ndarray  # int64[docs]
    unit_docs: np.ndarray  # int32[units], index into doc_ids
    n_tokens: int

    @property
    def n_units(self) -> int:
        return self.starts.size - 1


def id_dtype(vocab_size: int) -> type[np.unsignedinteger]:
    """Return the narrowest type of a token id that the kernels are compiled for."""
    return np.uint16 if vocab_size <= 1 << 16 else np.uint32


def read_shard(path: Path, inputs: CountInputs, options: CountOptions) -> ShardUnits:
    """Read a document shard and cut it into units; superseded documents are left out.

    Raises:
        StepFailed: a token id is outside the corpus's vocabulary.
    """
    shard_id = shard_id_of(path) or path.stem
    superseded = pa.array(inputs.superseded_docs(shard_id))
    low, high = kernels.make_bitmap(inputs.vocab_size)
    ids: list[np.ndarray] = []
    sizes: list[np.ndarray] = []
    unit_docs: list[np.ndarray] = []
    doc_ids: list[np.ndarray] = []
    langs: list[str] = []
    n_tokens = 0
    columns = ["doc_id", "lang", "token_ids"]
    for batch in pq.ParquetFile(path).iter_batches(batch_size=_BATCH_DOCS, columns=columns):
        if len(superseded):
            batch = batch.filter(pc.invert(pc.is_in(batch.column("doc_id"), superseded)))
        token_lists = batch.column("token_ids")
        tokens = token_lists.values.to_numpy(zero_copy_only=False)
        doc_starts = token_lists.offsets.to_numpy().astype(np.int64)
        lengths = np.diff(doc_starts)
        n_batch = int(lengths.sum())
        max_units = len(batch)
        if options.unit_tokens:
            max_units = int((-(-lengths // options.unit_tokens)).sum())
        batch_ids = np.empty(n_batch, id_dtype(inputs.vocab_size))
        batch_starts = np.empty(max_units + 1, np.int64)
        batch_docs = np.empty(max_units, np.int32)
        n_units = kernels.distinct_tokens(
            tokens, doc_starts, options.unit_tokens, low, high, batch_ids, batch_starts, batch_docs
        )
        if n_units < 0:
            raise StepFailed(f"{path}: a token id is outside the vocabulary of {inputs.vocab_size}: ingest it again")
        ids.append(batch_ids[: batch_starts[n_units]].copy())
        sizes.append(np.diff(batch_starts[: n_units + 1]))
        unit_docs.append(batch_docs[:n_units] + np.int32(sum(map(len, doc_ids))))
        doc_ids.append(batch.column("doc_id").to_numpy())
        langs.extend(batch.column("lang").to_pylist())
        n_tokens += n_batch
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(_joined(sizes, np.int64))])
    bins = np.empty(starts.size - 1, np.int32)
    kernels.length_bins(starts, bins)
    return ShardUnits(
        shard_id=shard_id,
        ids=_joined(ids, id_dtype(inputs.vocab_size)),
        starts=starts,
        bins=bins,
        langs=langs,
        doc_ids=_joined(doc_ids, np.int64),
        unit_docs=_joined(unit_docs, np.int32),
        n_tokens=n_tokens,
    )


def _joined(parts: list[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate(parts).astype(dtype, copy=False) if parts else np.empty(0, dtype)


@dataclass
class Chunk:
    """A run of units that is counted at once: sets of token ranks, ascending."""

    ids: np.ndarray
    starts: np.ndarray
    strata: np.ndarray  # int32[units]


@dataclass
class Corpus:
    """All that the counting of rows needs, except the rows."""

    chunks: list[Chunk]
    n_units: int
    n_tokens: int
    strata: list[tuple[str, int]]  # (lang, length_bin), sorted
    stratum_sizes: np.ndarray  # int64[strata], N_k
    token_ids: np.ndarray  # int32[ranks]: the token of each rank, most units first
    n_docs: np.ndarray  # int64[ranks], n(x)
    # the strata of each rank, in stratum order: n_k(x) = stratum_counts[stratum_starts[x]:stratum_starts[x + 1]]
    stratum_starts: np.ndarray
    stratum_of: np.ndarray
    stratum_counts: np.ndarray
    # units of documents, for words: shard -> (doc_ids sorted, first unit of each, number of units of each)
    unit_index: dict[str, "UnitIndex"]

    @property
    def rates(self) -> np.ndarray:
        """r_k(x) = n_k(x)/N_k, beside `stratum_of`."""
        return self.stratum_counts / self.stratum_sizes[self.stratum_of]


@dataclass
class UnitIndex:
    """Where the units of a shard's documents are: unit numbers count through all chunks."""

    doc_ids: np.ndarray  # int64, sorted
    first_units: np.ndarray  # int64, beside doc_ids
    n_units: np.ndarray  # int64, beside doc_ids


def read_corpus(inputs: CountInputs, options: CountOptions, *, threads: int) -> Corpus:
    """Read all document shards, count the strata tables, and rewrite the units as sets of ranks."""
    with (
        ThreadPoolExecutor(threads) as pool,
        progress("reading units", len(inputs.documents), "shards") as advance,
    ):
        shards = []
        for shard in pool.map(lambda path: read_shard(path, inputs, options), inputs.documents):
            shards.append(shard)
            advance(1)
    strata = sorted({(s.langs[d], int(b)) for s in shards for d, b in _doc_bins(s)})
    numbers = {stratum: k for k, stratum in enumerate(strata)}
    counts = np.zeros((len(strata), inputs.vocab_size), np.uint32)
    stratum_sizes = np.zeros(len(strata), np.int64)
    chunks = []
    unit_index = {}
    first = 0
    for shard in shards:
        unit_strata = _unit_strata(shard, numbers)
        kernels.count_by_stratum(shard.ids, shard.starts, unit_strata, counts)
        stratum_sizes += np.bincount(unit_strata, minlength=len(strata))
        chunks.append(Chunk(shard.ids, shard.starts, unit_strata))
        unit_index[shard.shard_id] = _unit_index(shard, first)
        first += shard.n_units
    n_docs = counts.sum(axis=0, dtype=np.int64)
    order = np.lexsort((np.arange(inputs.vocab_size), -n_docs))[: int((n_docs > 0).sum())]
    new_ids = np.zeros(inputs.vocab_size, id_dtype(inputs.vocab_size))
    new_ids[order] = np.arange(order.size)
    low, high = kernels.make_bitmap(order.size)
    for chunk in chunks:
        kernels.replace_ids(chunk.ids, chunk.starts, new_ids, low, high)
    by_rank = np.ascontiguousarray(counts[:, order].T)
    ranks, stratum_of = np.nonzero(by_rank)
    return Corpus(
        chunks=chunks,
        n_units=first,
        n_tokens=sum(s.n_tokens for s in shards),
        strata=strata,
        stratum_sizes=stratum_sizes,
        token_ids=order.astype(np.int32),
        n_docs=n_docs[order],
        stratum_starts=np.searchsorted(ranks, np.arange(order.size + 1)),
        stratum_of=stratum_of.astype(np.int32),
        stratum_counts=by_rank[ranks, stratum_of].astype(np.int64),
        unit_index=unit_index,
    )


def _doc_bins(shard: ShardUnits) -> set[tuple[int, int]]:
    return set(zip(shard.unit_docs.tolist(), shard.bins.tolist(), strict=True))


def _unit_strata(shard: ShardUnits, numbers: dict[tuple[str, int], int]) -> np.ndarray:
    langs = sorted(set(shard.langs))
    codes = {lang: i for i, lang in enumerate(langs)}
    table = np.full((len(langs), 64), -1, np.int32)
    for (lang, length_bin), number in numbers.items():
        if lang in codes:
            table[codes[lang], length_bin] = number
    doc_langs = np.array([codes[lang] for lang in shard.langs], np.int32)
    return table[doc_langs[shard.unit_docs], shard.bins]


def _unit_index(shard: ShardUnits, first: int) -> UnitIndex:
    n_units = np.bincount(shard.unit_docs, minlength=shard.doc_ids.size)
    first_units = first + np.cumsum(n_units) - n_units
    order = np.argsort(shard.doc_ids)
    return UnitIndex(shard.doc_ids[order], first_units[order], n_units[order])
