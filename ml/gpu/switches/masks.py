"""Attention under document masks and shared prefixes, three ways: dense masks (the product's), flex, varlen.

Flex attention gets a `BlockMask`, which leaves out blocks that nobody may look at; varlen attention gets the lengths of
the documents and no mask. On a CPU flex attention has no backward pass and varlen none at all: there the same masks are
made dense, and documents are attended to one by one, so that a rehearsal runs the same code up to the kernel.
"""

import contextlib
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention.flex_attention import create_block_mask, create_mask
from transformers import AttentionInterface, PreTrainedModel

import ml.training.step
import ml.translation.shared_prefix
from ml.gpu.switches.replaced import replaced
from ml.models.nll import IGNORED
from ml.training.sequences import Batch, make_batch

VARLEN = "documents_by_length"
MaskMod = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]  # (batch, head, query, key) -> may look


def make_mask(mod: MaskMod, n_rows: int, length: int, *, dtype: torch.dtype, device: torch.device) -> Any:
    """Return a block mask of [n_rows, 1, length, length] on a GPU, and the same as a dense additive one on a CPU."""
    if device.type == "cuda":
        return create_block_mask(mod, n_rows, None, length, length, device=device, _compile=True)
    may_look = create_mask(mod, n_rows, None, length, length, device=device)
    return torch.zeros(may_look.shape, dtype=dtype).masked_fill_(~may_look, torch.finfo(dtype).min)


@contextlib.contextmanager
def attention(model: PreTrainedModel, name: str) -> Iterator[None]:
    """Let a model's blocks attend in another way, meanwhile."""
    before = model.config._attn_implementation
    model.config._attn_implementation = name
    try:
        yield
    finally:
        model.config._attn_implementation = before


def flex_name(device: torch.device) -> str:
    """Return the attention that takes the masks of `make_mask`."""
    return "flex_attention" if device.type == "cuda" else "sdpa"


def document_mod(tokens_bs: Tensor, eos_token_id: int) -> MaskMod:
    """Return the rule of document masks: earlier tokens of the own document, its closing separator included."""
    document = torch.zeros_like(tokens_bs)
    document[:, 1:] = (tokens_bs == eos_token_id)[:, :-1].cumsum(1)

    def mod(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (document[row, query] == document[row, key]) & (query >= key)

    return mod


def row_mod(segments_br: Tensor) -> MaskMod:
    """Return the rule of `ml.translation.shared_prefix.row_mask`."""

    def mod(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        asks, asked = segments_br[row, query], segments_br[row, key]
        return ((asked == asks) | ((asked == 0) & (asks > 0))) & (query >= key)

    return mod


@contextlib.contextmanager
def flex_documents(model: PreTrainedModel) -> Iterator[None]:
    """Train with block masks of the documents in place of dense ones."""

    def batch(tokens: np.ndarray | Tensor, *, eos_token_id: int, document_masks: bool, **options: Any) -> Batch:
        made = _without_mask(tokens, eos_token_id, options["device"])
        mod = document_mod(made.tokens, eos_token_id)
        dtype = options.get("mask_dtype", torch.float32)
        mask = make_mask(mod, *made.tokens.shape, dtype=dtype, device=made.tokens.device)
        return Batch(made.tokens, made.labels, made.positions, mask)

    with attention(model, flex_name(model.device)), replaced(ml.training.step, "make_batch", batch):
        yield


@contextlib.contextmanager
def varlen_documents(model: PreTrainedModel) -> Iterator[None]:
    """Train with the documents' lengths in place of any mask."""
    AttentionInterface.register(VARLEN, _varlen)

    def batch(tokens: np.ndarray | Tensor, *, eos_token_id: int, document_masks: bool, **options: Any) -> Batch:
        made = _without_mask(tokens, eos_token_id, options["device"])
        assert made.positions is not None
        starts = (made.positions.reshape(-1) == 0).nonzero()[:, 0].to(torch.int32)
        end = torch.tensor([made.tokens.numel()], dtype=torch.int32, device=starts.device)
        _documents.bounds = torch.cat([starts, end])
        _documents.longest = int(_documents.bounds.diff().max())
        return made

    with attention(model, VARLEN), replaced(ml.training.step, "make_batch", batch):
        yield


@contextlib.contextmanager
def flex_rows(model: PreTrainedModel) -> Iterator[None]:
    """Score with block masks of the shared-prefix rows in place of dense ones."""

    def mask(segments_br: Tensor, *, dtype: torch.dtype) -> Any:
        return make_mask(row_mod(segments_br), *segments_br.shape, dtype=dtype, device=segments_br.device)

    prefix = ml.translation.shared_prefix
    with attention(model, flex_name(model.device)), replaced(prefix, "row_mask", mask):
        yield


class _Documents(threading.local):
    """Where the documents of the batch under way begin, for the attention function, which no argument reaches."""

    bounds: Tensor
    longest: int


_documents = _Documents()


def _without_mask(tokens: np.ndarray | Tensor, eos_token_id: int, device: torch.device) -> Batch:
    """Return what `make_batch` returns with document masks, but the mask, which is the costly part."""
    made = make_batch(tokens, eos_token_id=eos_token_id, document_masks=False, device=device)
    is_end = made.tokens == eos_token_id
    made.labels[is_end] = IGNORED
    place = torch.arange(made.tokens.shape[1], device=device).expand_as(made.tokens)
    is_first = torch.ones_like(is_end)
    is_first[:, 1:] = is_end[:, :-1]
    starts = torch.where(is_first, place, torch.zeros_like(place)).cummax(1).values
    return Batch(made.tokens, made.labels, place - starts, None)


@torch.compiler.disable  # type: ignore[untyped-decorator]
def _varlen(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **options: Any
) -> tuple[Tensor, None]:
    """Attend within documents. query, key, value: [B, heads, S, size]; returns [B, S, heads, size]."""
    n_rows, n_heads, length, size = query.shape
    repeats = n_heads // key.shape[1]
    key, value = (part.repeat_interleave(repeats, dim=1) if repeats > 1 else part for part in (key, value))
    flat_query, flat_key, flat_value = (
        part.to(value.dtype).transpose(1, 2).reshape(n_rows * length, n_heads, size) for part in (query, key, value)
    )
    attend = _varlen_on_gpu if query.device.type == "cuda" else _varlen_on_cpu
    attended = attend(flat_query, flat_key, flat_value, _documents.bounds, _documents.longest, options.get("scaling"))
    return attended.reshape(n_rows, length, n_heads, size), None


def _varlen_on_gpu(
    query: Tensor, key: Tensor, value: Tensor, bounds: Tensor, longest: int, scale: float | None
) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn

    known = inspect.signature(varlen_attn).parameters
    options: dict[str, Any] = {"is_causal": True} if "is_causal" in known else {"window_size": (-1, 0)}
    if "scale" in known:
        options["scale"] = scale
    attended = varlen_attn(query, key, value, bounds, bounds, longest, longest, **options)
    assert isinstance(attended, Tensor)  # a pair only when asked for the log-sum-exp
    return attended


def _varlen_on_cpu(
    query: Tensor, key: Tensor, value: Tensor, bounds: Tensor, longest: int, scale: float | None
) -> Tensor:
    parts = []
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        own_query, own_key, own_value = (part[start:end].transpose(0, 1)[None] for part in (query, key, value))
        out = torch.nn.functional.scaled_dot_product_attention(
            own_query, own_key, own_value, is_causal=True, scale=scale
        )
        parts.append(out[0].transpose(0, 1))
    return torch.cat(parts)
