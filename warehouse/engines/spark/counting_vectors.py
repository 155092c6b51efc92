"""Vectors of counts that tasks count over their documents and Spark adds up: rows of one schema, counts packed.

Kinds: counts by name (added up), word ids (united), unit hashes of words (the smallest kept).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from warehouse.counting.sums.packed_rows import pack_rows, packed_sizes, unpack_rows
from warehouse.counting.units.sampling import smallest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SCHEMA = "kind string, lang string, number int, removed boolean, width int, n_units long, n_tokens long, content binary"
WORDS, SAMPLES = "words", "samples"
_KEY = ("kind", "lang", "number", "removed")


@dataclass(frozen=True)
class Name:
    """What a vector counts: of which kind, and which stratum or block of it; in units added or removed."""

    kind: str
    lang: str = ""
    number: int = 0
    removed: bool = False


@dataclass
class Vector:
    """A sum so far."""

    values: np.ndarray  # uint32 counts, or int64 word ids
    n_units: int = 0
    n_tokens: int = 0


def counts_row(name: Name, counts: np.ndarray, *, n_units: int = 0, n_tokens: int = 0) -> pa.RecordBatch:
    """Return counts (uint32) as a row; units and tokens are added up beside them."""
    begins, widths = np.zeros(1, np.int64), np.full(1, counts.size)
    sizes = np.empty(1, np.int64)
    packed_sizes(counts, begins, widths, sizes)
    content = np.empty(sizes[0], np.uint8)
    pack_rows(counts, begins, widths, content)
    return _row(name, counts.size, content.tobytes(), n_units, n_tokens)


def words_row(name: Name, word_ids: np.ndarray) -> pa.RecordBatch:
    """Return word ids (int64) as a row."""
    return _row(name, 0, word_ids.tobytes())


def samples_row(name: Name, words: np.ndarray, hashes: np.ndarray, most: int) -> pa.RecordBatch:
    """Return the smallest unit hashes (uint64) of some words (int64) as a row; `most` of each word are kept."""
    return _row(name, most, np.concatenate([words.view(np.uint64), hashes]).tobytes())


def _row(name: Name, width: int, content: bytes, n_units: int = 0, n_tokens: int = 0) -> pa.RecordBatch:
    values = [name.kind, name.lang, name.number, name.removed, width, n_units, n_tokens, content]
    types = [pa.string(), pa.string(), pa.int32(), pa.bool_(), pa.int32(), pa.int64(), pa.int64(), pa.binary()]
    columns = [field.split()[0] for field in SCHEMA.split(", ")]
    return pa.record_batch([pa.array([v], t) for v, t in zip(values, types, strict=True)], names=columns)


def add_up(rows: "DataFrame", n_partitions: int) -> "DataFrame":
    """Return one row for each name: the sum of its rows, whatever tasks they come from."""
    return rows.repartition(n_partitions, *_KEY).sortWithinPartitions(*_KEY).mapInArrow(_add, SCHEMA)


def vectors(table: pa.Table) -> dict[Name, Vector]:
    """Return the sums by name."""
    return dict(_vector(Name(*(row[key] for key in _KEY)), [row])[:2] for row in table.to_pylist())


def sample(vector: Vector) -> tuple[np.ndarray, np.ndarray]:
    """Return words (int64) and unit hashes (uint64) of a vector of samples, sorted by both."""
    words, hashes = vector.values.view(np.uint64).reshape(2, -1)
    return words.view(np.int64), hashes


def _add(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    rows = (row for batch in batches for row in batch.to_pylist())
    for key, same in groupby(rows, key=itemgetter(*_KEY)):
        name, vector, width = _vector(Name(*key), same)
        if name.kind == WORDS:
            yield words_row(name, vector.values)
        elif name.kind == SAMPLES:
            yield samples_row(name, *sample(vector), width)
        else:
            yield counts_row(name, vector.values, n_units=vector.n_units, n_tokens=vector.n_tokens)


def _vector(name: Name, rows: Iterable[dict[str, Any]]) -> tuple[Name, Vector, int]:
    """Sum rows of one name, holding one of them at a time; return the name, the sum and the rows' width."""
    found: Vector | None = None
    for row in rows:
        content = np.frombuffer(row["content"], np.uint8)
        if found is None:
            is_counts = name.kind not in (WORDS, SAMPLES)
            found = Vector(np.zeros(row["width"], np.uint32) if is_counts else np.empty(0, np.int64))
        if name.kind == WORDS:
            found.values = np.union1d(found.values, content.view(np.int64))
        elif name.kind == SAMPLES:
            (words, hashes), (more_words, more_hashes) = sample(found), sample(Vector(content))
            both = np.concatenate([words, more_words]), np.concatenate([hashes, more_hashes])
            words, hashes = smallest(*both, most=row["width"])
            found.values = np.concatenate([words.view(np.uint64), hashes])
        else:
            unpack_rows(content, np.array([0, content.size]), found.values, np.zeros(1, np.int64))
        found.n_units += row["n_units"]
        found.n_tokens += row["n_tokens"]
    assert found is not None
    return name, found, row["width"]
