"""AdamW with decay groups, and learning-rate schedules as pure functions of the step."""

import math
from typing import Any

import torch

from warehouse.contract.presets import TrainPreset


def learning_rate(preset: TrainPreset, step: int, n_steps: int) -> float:
    """Return the learning rate of step `step` (1-based).

    Linear warm-up to the peak, then the preset's shape, which would reach `final_lr_share` of the peak one step after
    the last: with a share of 0 the last step still learns.
    """
    if step <= preset.warmup_steps:
        return preset.learning_rate * step / preset.warmup_steps
    if preset.schedule == "constant":
        return preset.learning_rate
    progress = (step - preset.warmup_steps) / (n_steps + 1 - preset.warmup_steps)
    left = 1 - progress if preset.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * progress))
    return preset.learning_rate * (preset.final_lr_share + (1 - preset.final_lr_share) * left)


def make_optimizer(model: torch.nn.Module, preset: TrainPreset) -> torch.optim.AdamW:
    """Return a fused AdamW; matrices of linear layers decay, everything else (embeddings, norms, biases) does not."""
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, torch.nn.Embedding)}
    decayed: list[torch.nn.Parameter] = []
    undecayed: list[torch.nn.Parameter] = []
    for parameter in model.parameters():
        if parameter.requires_grad:
            is_matrix = parameter.ndim >= 2 and id(parameter) not in embeddings
            (decayed if is_matrix else undecayed).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": preset.weight_decay},
        {"params": undecayed, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=preset.learning_rate, betas=(preset.beta1, preset.beta2), eps=preset.eps, fused=True
    )
