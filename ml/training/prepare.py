"""What is switched on before the first step: deterministic kernels, and what the preset asks of the decoder blocks."""

import os
from typing import Any

import torch

from ml.models.decoder import decoder_blocks
from warehouse.contract.presets import TrainPreset


def make_deterministic(device: torch.device) -> None:
    """Ask for deterministic kernels; on a GPU some attention kernels have none and warn instead."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=device.type == "cuda")
    # no kernel used here reads memory before writing it, and filling all of it costs a tenth of the time
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def prepare_blocks(model: Any, preset: TrainPreset) -> None:
    """Switch on what the preset asks of the decoder blocks, before the model is spread over processes."""
    if preset.gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    if preset.compile_blocks:
        # blocks, not the model: compiling the whole can lose the flash attention kernel
        for block in decoder_blocks(model):
            block.compile()
