"""Linear layers of the blocks in float8 (Micikevicius et al. 2022): e4m3 forward, e5m2 gradients, one scale a tensor.

A scale is the tensor's own largest value, taken anew every time. The head, embeddings and norms stay as they are. On a
CPU the rounding is the same and the product is in float32.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from ml.models.decoder import decoder_blocks


def to_float8(values: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return values in float8 and the factor, float32 scalar, that brings them back."""
    largest = values.abs().amax().float().clamp(min=1e-12)
    factor = largest / torch.finfo(dtype).max
    return (values.float() / factor).to(dtype), factor


def _product(left: tuple[Tensor, Tensor], right_t: tuple[Tensor, Tensor], dtype: torch.dtype, *, fast: bool) -> Tensor:
    """Return left @ right_t.T of two row-major float8 matrices [N, K] and [M, K]."""
    (a, a_factor), (b, b_factor) = left, right_t
    if a.device.type == "cuda":
        return torch._scaled_mm(a, b.t(), a_factor, b_factor, out_dtype=dtype, use_fast_accum=fast)
    return ((a.float() * a_factor) @ (b.float() * b_factor).t()).to(dtype)


class _Float8Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs_nk: Tensor, weight_mk: Tensor) -> Tensor:
        inputs = to_float8(inputs_nk, torch.float8_e4m3fn)
        weight = to_float8(weight_mk, torch.float8_e4m3fn)
        ctx.save_for_backward(*inputs, *weight)
        ctx.dtypes = inputs_nk.dtype, weight_mk.dtype
        return _product(inputs, weight, inputs_nk.dtype, fast=True)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor]:
        inputs, inputs_factor, weight, weight_factor = ctx.saved_tensors
        inputs_dtype, weight_dtype = ctx.dtypes
        grad, factor = to_float8(grads[0], torch.float8_e5m2)
        grad_inputs = _product((grad, factor), (weight.t().contiguous(), weight_factor), inputs_dtype, fast=False)
        transposed = (grad.t().contiguous(), factor)
        grad_weight = _product(transposed, (inputs.t().contiguous(), inputs_factor), inputs_dtype, fast=False)
        return grad_inputs, grad_weight.to(weight_dtype)


def _forward(module: torch.nn.Linear, inputs: Tensor) -> Tensor:
    kind = inputs.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else inputs.dtype
    flat = inputs.to(dtype).reshape(-1, inputs.shape[-1])
    return _Float8Linear.apply(flat, module.weight).reshape(*inputs.shape[:-1], -1)  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def float8_blocks(model: PreTrainedModel) -> Iterator[int]:
    """Compute every linear layer of the blocks in float8, meanwhile; yield how many there are.

    Layers whose sides are no multiples of 16, which the product needs, or that have a bias, stay as they are.
    """
    layers: list[Any] = [
        layer
        for block in decoder_blocks(model)
        for layer in block.modules()
        if isinstance(layer, torch.nn.Linear)
        and layer.bias is None
        and not (layer.in_features % 16 or layer.out_features % 16)
    ]
    for layer in layers:
        layer.forward = _forward.__get__(layer)
    try:
        yield len(layers)
    finally:
        for layer in layers:
            del layer.forward
