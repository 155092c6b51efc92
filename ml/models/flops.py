"""How much arithmetic a training step asks for, and how much the device can do: the two halves of MFU.

Model FLOPs utilisation (Chowdhery et al. 2022, PaLM, appendix B): tokens/s x (6 N + 12 L H Q T) / peak, with N the
parameters that multiply every token, L layers, H heads of size Q, T tokens of context. Nothing is added for gradient
checkpointing.
"""

import time
from typing import Any

import torch
from transformers import PreTrainedModel

# Dense bf16 FLOP/s of the makers' data sheets, by a part of the device's name; the first that fits counts.
_PUBLISHED = {"H200": 989e12, "H100 PCIe": 756e12, "H100": 989e12, "A100": 312e12}
_REPEATS = 5


def flops_per_token(model: PreTrainedModel, seq_len: int) -> float:
    """Return the FLOPs of one token's forward and backward pass at a context of `seq_len` tokens.

    Document masks make real contexts shorter; the formula counts the whole sequence, as published figures do.
    """
    config: Any = model.config
    embedding: Any = model.get_input_embeddings()
    head: Any = model.get_output_embeddings()
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    if head is None or head.weight is not embedding.weight:
        n_parameters -= embedding.weight.numel()  # looked up, not multiplied; a tied one is multiplied as the head
    attention = 12 * config.num_hidden_layers * config.hidden_size * seq_len
    return float(6 * n_parameters + attention)


def published_flops_per_s(device: torch.device) -> float | None:
    """Return the data sheet's dense bf16 peak of a GPU, or None for a device that is not listed."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for part, peak in _PUBLISHED.items() if part in name), None)


def measured_flops_per_s(device: torch.device) -> float:
    """Return the best of a few square matrix products in the dtype that training uses: what the device can do here."""
    on_gpu = device.type == "cuda"
    size, dtype = (8192, torch.bfloat16) if on_gpu else (768, torch.float32)
    # random values: constant ones heat the chip less, and it then runs faster than any training does
    left = torch.randn(size, size, device=device, dtype=dtype, generator=torch.Generator(device).manual_seed(0))
    seconds = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        torch.mm(left, left)
        if on_gpu:
            torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - started)
    return 2 * size**3 / min(seconds)
