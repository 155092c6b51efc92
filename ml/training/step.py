"""One optimiser step's gradients: which sequences it reads, and how micro-batches add up to it."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from accelerate import Accelerator

from ml.training.sequences import Batch, Export, Sequences, count_predicted, make_batch, step_indices
from ml.training.sharding import clip_gradients, no_exchange
from warehouse.contract.errors import StepFailed
from warehouse.contract.presets import TrainPreset


@dataclass(frozen=True)
class StepData:
    """What the steps of a run read: an export cut into sequences, in the order of a seed."""

    export: Export
    sequences: Sequences
    seed: int


def own_tokens(accelerator: Accelerator, preset: TrainPreset, data: StepData, step: int) -> np.ndarray:
    """Return the tokens int64 [B, seq_len] that this process reads in step `step` (1-based)."""
    indices = step_indices(
        data.export.content_hash,
        data.seed,
        step - 1,
        per_step=preset.sequences_per_step,
        n_sequences=data.sequences.n_sequences,
    )
    return data.sequences.stack(indices[accelerator.process_index :: accelerator.num_processes])


def micro_batches(
    accelerator: Accelerator, preset: TrainPreset, data: StepData, tokens_bs: np.ndarray
) -> Iterator[Batch]:
    """Yield this process's tokens of a step as batches on its device."""
    mask_dtype = torch.bfloat16 if accelerator.mixed_precision == "bf16" else torch.float32
    for start in range(0, len(tokens_bs), preset.micro_batch_sequences):
        yield make_batch(
            tokens_bs[start : start + preset.micro_batch_sequences],
            eos_token_id=data.export.eos_token_id,
            document_masks=preset.document_masks,
            n_leading=data.sequences.n_leading,
            device=accelerator.device,
            mask_dtype=mask_dtype,
        )


def accumulate_gradients(
    accelerator: Accelerator, loss_model: torch.nn.Module, preset: TrainPreset, data: StepData, step: int
) -> tuple[float, float]:
    """Accumulate the gradients of one global step. Return its loss (mean NLL per predicted token, nats) and grad norm.

    The mean is over all predicted tokens of the step, not a mean of micro-batch means: with masks and documents of
    different lengths micro-batches hold different numbers of them.

    Raises:
        StepFailed: the loss is not finite.
    """
    mine = own_tokens(accelerator, preset, data, step)
    n_own = count_predicted(
        mine,
        eos_token_id=data.export.eos_token_id,
        document_masks=preset.document_masks,
        n_leading=data.sequences.n_leading,
    )
    n_predicted = accelerator.reduce(torch.tensor(n_own, device=accelerator.device), reduction="sum").clamp(min=1)
    total = torch.zeros((), device=accelerator.device)
    n_batches = -(-len(mine) // preset.micro_batch_sequences)
    for number, batch in enumerate(micro_batches(accelerator, preset, data, mine), start=1):
        # gradients are exchanged between processes with the last micro-batch only
        is_last = number == n_batches
        with contextlib.nullcontext() if is_last else no_exchange(accelerator, loss_model):
            with accelerator.autocast():
                nll = loss_model(batch.tokens, batch.labels, batch.positions, batch.mask)
            # DDP and FSDP average gradients over processes: undo that, the divisor counts everybody's tokens
            accelerator.backward(nll * accelerator.num_processes / n_predicted)
        total += nll.detach()
    loss = float(accelerator.reduce(total, reduction="sum") / n_predicted)
    norm = clip_gradients(loss_model, preset.clip_norm if preset.clip_norm is not None else float("inf"))
    if not np.isfinite(loss):
        raise StepFailed(f"the loss of step {step} is {loss}: lower learning_rate or clip_norm in the preset")
    return loss, norm
