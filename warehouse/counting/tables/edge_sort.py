"""Sort more edges than memory holds: spill them to Parquet by range of their first token, then sort range by range."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.counting.tables.counting_sort import stable_order
from warehouse.counting.tables.writer import Columns


def sorted_edges(edges: Iterable[Columns], *, n_tokens: int, limit_bytes: int, folder: Path) -> Iterator[Columns]:
    """Yield all edges sorted by (token_id_a, token_id_b), in a few large pieces.

    Args:
        edges: pieces in any order.
        n_tokens: token ids are below it.
        limit_bytes: edges kept in memory at once; more are spilled.
        folder: where spilled pieces go; it need not exist.
    """
    waiting: list[Columns] = []
    n_bytes = 0
    spilled: list[Path] = []
    for piece in edges:
        waiting.append(piece)
        n_bytes += sum(column.nbytes for column in piece.values())
        if n_bytes > limit_bytes:
            spilled.append(spill(sort_edges(waiting, n_tokens), folder / f"edges-{len(spilled):05d}.parquet"))
            waiting, n_bytes = [], 0
    if not spilled:
        if waiting:
            yield sort_edges(waiting, n_tokens)
        return
    if waiting:
        spilled.append(spill(sort_edges(waiting, n_tokens), folder / f"edges-{len(spilled):05d}.parquet"))
    for low, high in token_ranges(spilled, n_tokens, limit_bytes):
        yield sorted_range(spilled, low, high, n_tokens)


def sorted_range(spilled: list[Path], low: int, high: int, n_tokens: int) -> Columns:
    """Return the spilled edges whose first token is in [low, high), sorted."""
    filters = [("token_id_a", ">=", low), ("token_id_a", "<", high)]
    pieces = [pq.read_table(path, filters=filters) for path in spilled]
    return sort_edges([{name: t[name].to_numpy() for name in t.column_names} for t in pieces], n_tokens)


def sort_edges(pieces: list[Columns], n_tokens: int) -> Columns:
    """Return edges sorted by both tokens; takes the pieces apart."""
    columns = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    pieces.clear()
    by_b = stable_order(columns["token_id_b"], n_tokens)
    order = by_b[stable_order(columns["token_id_a"][by_b], n_tokens)]
    return {name: columns.pop(name)[order] for name in list(columns)}


def spill(columns: Columns, path: Path) -> Path:
    """Write sorted edges so that a range of them is read fast; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, compression="none", use_dictionary=False, row_group_size=1 << 16)
    return path


def token_ranges(spilled: list[Path], n_tokens: int, limit_bytes: int) -> list[tuple[int, int]]:
    """Cut the token ids into ranges whose edges fit the limit (a single token's edges are always taken together)."""
    counts = np.zeros(n_tokens, np.int64)
    for path in spilled:
        counts += np.bincount(pq.read_table(path, columns=["token_id_a"])["token_id_a"].to_numpy(), minlength=n_tokens)
    row_bytes = 32
    ends = []
    total = 0
    for token, count in enumerate(counts.tolist()):
        if total and (total + count) * row_bytes > limit_bytes:
            ends.append(token)
            total = 0
        total += count
    return list(pairwise([0, *ends, n_tokens]))
