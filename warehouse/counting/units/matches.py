"""The word matches of one shard: which document and window holds which word."""

import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.counting.options import CountOptions
from warehouse.lake.schemas import MATCH_POLICY

_COLUMNS = ["doc_id", "word_id", "match_policy", "token_starts"]


class WordNumbers:
    """Numbers words in the order in which they are first seen."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}

    def of(self, word_ids: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return int32 numbers of `word_ids[codes]`; words that no code names get no number."""
        used = np.flatnonzero(np.bincount(codes, minlength=word_ids.size))
        numbers = np.zeros(word_ids.size, np.int32)
        numbers[used] = [self._numbers.setdefault(word, len(self._numbers)) for word in word_ids[used].tolist()]
        return numbers[codes]

    @property
    def word_ids(self) -> np.ndarray:
        """int64[numbers]: the word of each number."""
        return np.fromiter(self._numbers, np.int64, len(self._numbers))


class ShardMatches:
    """All matches of a shard, found by document. Files are read by the first thread that asks."""

    def __init__(self, files: list[Path], options: CountOptions) -> None:
        self._files = files
        self._options = options
        self._lock = threading.Lock()
        self._loaded = False

    def of_documents(
        self, doc_ids: np.ndarray, first_units: np.ndarray, n_units: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the word-unit pairs of some documents, each once, by unit.

        Args:
            doc_ids, first_units, n_units: documents and where their units are; one without units matches nothing.

        Returns:
            word ids int64[distinct words of the shard]; of each pair: index into them, and unit (int32).
        """
        with self._lock:
            if not self._loaded:
                self._load()
        begins = np.searchsorted(self._doc_ids, doc_ids, side="left")
        lengths = np.searchsorted(self._doc_ids, doc_ids, side="right") - begins
        lengths[n_units == 0] = 0
        ends = np.cumsum(lengths)
        at = np.arange(ends[-1] if ends.size else 0) + np.repeat(begins - (ends - lengths), lengths)
        units = np.repeat(first_units, lengths) + self._windows[at]
        pairs = np.unique((units.astype(np.int64) << 32) | self._codes[at])
        return self._word_ids, pairs & 0xFFFFFFFF, (pairs >> 32).astype(np.int32)

    def _load(self) -> None:
        docs, words, windows = [], [], []
        for path in self._files:
            for batch in pq.ParquetFile(path).iter_batches(batch_size=1 << 18, columns=_COLUMNS):
                batch = batch.filter(pc.equal(batch.column("match_policy"), MATCH_POLICY))
                starts = batch.column("token_starts")
                if self._options.unit_tokens:
                    lengths = np.diff(starts.offsets.to_numpy())
                    windows.append(starts.flatten().to_numpy() // np.int32(self._options.unit_tokens))
                else:
                    lengths = np.ones(len(batch), np.int64)
                    windows.append(np.zeros(len(batch), np.int32))
                docs.append(np.repeat(batch.column("doc_id").to_numpy(), lengths))
                words.append(np.repeat(batch.column("word_id").to_numpy(), lengths))
        doc_ids = np.concatenate([np.empty(0, np.int64), *docs])
        order = np.argsort(doc_ids, kind="stable")
        distinct = pa.array(np.concatenate([np.empty(0, np.int64), *words])).dictionary_encode()
        self._doc_ids = doc_ids[order]
        self._word_ids = distinct.dictionary.to_numpy()
        self._codes = distinct.indices.to_numpy()[order]
        self._windows = np.concatenate([np.empty(0, np.int32), *windows])[order]
        self._loaded = True
