"""n(x,y) of all pairs of tokens: units x tokens as 0/1 int8, and exact int32 products of its blocks.

With Y [tokens, units], Y[x, u] = 1 where unit u holds token x, the counts are Y Y^T. A product of int8 matrices adds up
in int32, which is exact below 2^31 units. Only blocks on and below the diagonal are made.
"""

from collections.abc import Iterator

import numpy as np
import torch

from warehouse.counting.units.chunks import Chunk

_ALIGNED = 32  # rows and units are multiples, which the integer matrix units want
_BLOCK_BYTES = 2 << 30  # of Y
_BLOCK_RANKS = 8192


def pair_counts(
    chunks: Iterator[Chunk],
    n_ranks: int,
    device: torch.device,
    *,
    block_bytes: int = _BLOCK_BYTES,
    block_ranks: int = _BLOCK_RANKS,
) -> torch.Tensor:
    """Return int32 [n_ranks rounded up, the same] on the device; n(x,y) for x > y, other cells mean nothing.

    Args:
        chunks: units as token ranks, each token once a unit.
        block_bytes: of units that are laid out at a time.
        block_ranks: sides of the blocks that are multiplied; a multiple of 32.
    """
    height = -(-n_ranks // _ALIGNED) * _ALIGNED
    width = max(_ALIGNED, block_bytes // height // _ALIGNED * _ALIGNED)
    counts = torch.zeros(height, height, dtype=torch.int32, device=device)
    held = torch.empty(0, 0, dtype=torch.int8, device=device)
    for chunk in chunks:
        needed = min(width, -(-chunk.n_units // _ALIGNED) * _ALIGNED)
        if held.shape[1] < needed:
            held = torch.empty(height, needed, dtype=torch.int8, device=device)
        for first in range(0, chunk.n_units, held.shape[1] or 1):
            last = min(first + held.shape[1], chunk.n_units)
            _lay_out(chunk, first, last, held)
            # the columns behind the last unit are zero
            _add_products(held, counts, block_ranks)
    return counts


def _lay_out(chunk: Chunk, first: int, last: int, held: torch.Tensor) -> None:
    """Set held[x, u - first] to 1 where unit u of [first, last) holds token x, else to 0."""
    device = held.device
    begin, end = int(chunk.starts[first]), int(chunk.starts[last])
    ids = torch.from_numpy(chunk.ids[begin:end].astype(np.int32)).to(device, non_blocking=True)
    lengths = torch.from_numpy(np.diff(chunk.starts[first : last + 1])).to(device, non_blocking=True)
    units = torch.repeat_interleave(torch.arange(last - first, device=device), lengths, output_size=end - begin)
    held.zero_()
    held.view(-1)[ids.long() * held.shape[1] + units] = 1


def _add_products(held: torch.Tensor, counts: torch.Tensor, block: int) -> None:
    height = held.shape[0]
    for row in range(0, height, block):
        rows = slice(row, min(row + block, height))
        for column in range(0, row + 1, block):
            columns = slice(column, min(column + block, height))
            counts[rows, columns] += torch._int_mm(held[rows], held[columns].t())
