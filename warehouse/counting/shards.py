"""The shards of a corpus as a count sees them: which documents of each count, and where its word matches are."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from warehouse.counting.inputs import CountInputs

NO_DOCS = np.empty(0, np.int64)


@dataclass(frozen=True)
class ShardPart:
    """Documents of one shard: all but some, or some only."""

    path: Path
    matches: list[Path]
    doc_ids: np.ndarray  # int64, sorted
    only: bool  # doc_ids are the ones to read; else the ones to leave out
    groups: tuple[int, int] | None = None  # the row groups [from, to) to read; None: all


@dataclass(frozen=True)
class Shards:
    """Every file of a corpus by name (without suffix), and the shard it belongs to; None for a file without rows."""

    files: dict[str, Path]
    documents: dict[str, str | None]
    word_documents: dict[str, str | None]
    superseded: dict[str, np.ndarray]  # shard_id -> doc_ids (int64, sorted) that another record replaces

    @cached_property
    def matches(self) -> dict[str | None, list[Path]]:
        """The word match files of each shard."""
        found: dict[str | None, list[Path]] = defaultdict(list)
        for name, shard_id in self.word_documents.items():
            found[shard_id].append(self.files[name])
        return found

    def without(self, name: str) -> ShardPart:
        """Return the documents that count of the shard in document file `name`."""
        superseded = self.superseded.get(self.documents[name] or "", NO_DOCS)
        return ShardPart(self.files[name], self.matches.get(self.documents[name], []), superseded, only=False)

    def only(self, name: str, doc_ids: np.ndarray) -> ShardPart:
        """Return some documents of the shard in document file `name`."""
        return ShardPart(self.files[name], self.matches.get(self.documents[name], []), doc_ids, only=True)


def find_shards(inputs: CountInputs, known: Mapping[str, str | None] | None = None) -> Shards:
    """Find what shard each file of a corpus belongs to; files whose shard is `known` are not opened."""
    known = known or {}

    def by_name(paths: tuple[Path, ...]) -> dict[str, str | None]:
        return {p.stem: known[p.stem] if p.stem in known else _shard_id_of(p) for p in paths}

    return Shards(
        # documents and word matches have names of their own: <shard> and <shard>-<list>
        files={p.stem: p for p in (*inputs.documents, *inputs.word_documents)},
        documents=by_name(inputs.documents),
        word_documents=by_name(inputs.word_documents),
        superseded=superseded_docs(inputs.superseded),
    )


def superseded_docs(path: Path | None) -> dict[str, np.ndarray]:
    """Return the superseded documents of a state file by shard; without a file there are none."""
    if path is None:
        return {}
    rows = pq.ParquetFile(path).read(columns=["shard_id", "doc_id"])
    found: dict[str, list[int]] = defaultdict(list)
    for shard_id, doc_id in zip(rows["shard_id"].to_pylist(), rows["doc_id"].to_pylist(), strict=True):
        found[shard_id].append(doc_id)
    return {shard_id: np.sort(np.array(docs, np.int64)) for shard_id, docs in found.items()}


def _shard_id_of(path: Path) -> str | None:
    for batch in pq.ParquetFile(path).iter_batches(batch_size=1, columns=["shard_id"]):
        return batch.column(0)[0].as_py()
    return None
