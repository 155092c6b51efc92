"""Scoring at a few fixed shapes, so that a forward pass can be captured once as a CUDA graph and replayed."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

_MULTIPLE = 16  # rows are as long as the next multiple
_WARM_UP = 2


@dataclass
class _Buffers:
    """The inputs and the output of one shape; a graph reads and writes these addresses."""

    tokens: Tensor
    positions: Tensor
    mask: Tensor
    replay: Callable[[], Tensor]


class FixedShapes:
    """Stands in for a base model's forward: fills a batch up to the next fixed shape. One thread at a time.

    On a CPU the shapes are the same and nothing is captured.
    """

    def __init__(self, model: PreTrainedModel, *, batch_tokens: int, graphs: bool) -> None:
        self._forward = model.base_model.forward
        self._dtype, self._device = model.dtype, model.device
        self._batch_tokens = batch_tokens
        self._graphs = graphs and model.device.type == "cuda"
        self._shapes: dict[tuple[int, int], _Buffers] = {}

    @property
    def n_shapes(self) -> int:
        return len(self._shapes)

    def __call__(
        self, *, input_ids: Tensor, position_ids: Tensor, attention_mask: Tensor, use_cache: bool
    ) -> SimpleNamespace:
        """Return an object with `last_hidden_state` [B, R, D], as the model's own forward does."""
        n_rows, length = input_ids.shape
        width = -(-length // _MULTIPLE) * _MULTIPLE
        # batches are cut by their longest row: with rows this long none holds more
        most = max(n_rows, self._batch_tokens // max(width - _MULTIPLE + 1, 1))
        buffers = self._shapes.get((most, width)) or self._make(most, width)
        buffers.tokens.zero_()
        buffers.positions.zero_()
        buffers.mask.zero_()
        buffers.tokens[:n_rows, :length] = input_ids
        buffers.positions[:n_rows, :length] = position_ids
        # what fills up may look anywhere; no token of the batch may look at it
        buffers.mask[:n_rows, :, :length, length:] = torch.finfo(self._dtype).min
        buffers.mask[:n_rows, :, :length, :length] = attention_mask
        return SimpleNamespace(last_hidden_state=buffers.replay()[:n_rows, :length].clone())

    def _make(self, most: int, width: int) -> _Buffers:
        tokens = torch.zeros(most, width, dtype=torch.long, device=self._device)
        positions = torch.zeros_like(tokens)
        mask = torch.zeros(most, 1, width, width, dtype=self._dtype, device=self._device)

        def run() -> Tensor:
            output = self._forward(input_ids=tokens, position_ids=positions, attention_mask=mask, use_cache=False)
            return output.last_hidden_state

        replay = self._captured(run) if self._graphs else run
        self._shapes[most, width] = _Buffers(tokens, positions, mask, replay)
        return self._shapes[most, width]

    def _captured(self, run: Callable[[], Tensor]) -> Callable[[], Tensor]:
        side = torch.cuda.Stream(self._device)
        side.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP):
                run()
        torch.cuda.current_stream(self._device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            output = run()

        def replay() -> Tensor:
            graph.replay()
            return output

        return replay


@contextlib.contextmanager
def fixed_shapes(model: PreTrainedModel, *, batch_tokens: int, graphs: bool) -> Iterator[FixedShapes]:
    """Score at fixed shapes, meanwhile."""
    shapes = FixedShapes(model, batch_tokens=batch_tokens, graphs=graphs)
    base: Any = model.base_model
    base.forward = shapes
    try:
        yield shapes
    finally:
        del base.forward
