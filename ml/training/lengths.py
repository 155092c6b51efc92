"""How long a training is."""

from warehouse.contract.presets import TrainPreset


def n_steps(preset: TrainPreset, n_sequences: int) -> int:
    """Return the number of optimiser steps: of the preset, of its token budget, or of its epochs over the export."""
    if preset.steps is not None:
        return preset.steps
    tokens_per_step = preset.seq_len * preset.sequences_per_step
    if preset.budget_tokens is not None:
        return max(1, preset.budget_tokens // tokens_per_step)
    assert preset.epochs is not None
    return max(1, int(preset.epochs * n_sequences) // preset.sequences_per_step)
