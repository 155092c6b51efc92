"""Several processes: one, data parallel (DDP) or fully sharded (FSDP2), as the accelerate configuration says.

DDP is accelerate's. Sharding is torch's `fully_shard`, called here and not through accelerate: accelerate has none for
CPU processes, where it is tested, and its policy for bf16 would also add up the loss and the gradients in bf16.
"""

import contextlib
import os
from collections.abc import Iterator

import torch
from accelerate import Accelerator
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from ml.models.decoder import decoder_blocks
from ml.training.loss import LossModel
from warehouse.contract.errors import StepFailed, UsageError

_USE_FSDP = "ACCELERATE_USE_FSDP"
_LOST = ("gloo", "Connection closed by peer", "Connection reset by peer")
# What else a configuration of accelerate may ask of FSDP, and what does it here.
_REFUSED = {
    "FSDP_OFFLOAD_PARAMS": "parameters stay on their device",
    "FSDP_ACTIVATION_CHECKPOINTING": "gradient_checkpointing of the preset does it",
}


def start_processes() -> tuple[Accelerator, bool]:
    """Join the other processes of this run, if there are any. Return the accelerator, and whether to shard the model.

    Raises:
        UsageError: the launch configuration asks FSDP for something that is not done here.
    """
    is_sharded = _is_set(_USE_FSDP)
    if is_sharded:
        problems = [f"{name.lower()}: true is not supported ({why})" for name, why in _REFUSED.items() if _is_set(name)]
        if os.environ.get("FSDP_VERSION", "1") != "2":
            problems.append("fsdp_version must be 2")
        if problems:
            raise UsageError(*(f"launch configuration: {problem}" for problem in problems))
        os.environ[_USE_FSDP] = "false"  # accelerate then leaves the model to shard()
    on_gpu = torch.cuda.is_available()
    # cpu=True lets several CPU processes find each other; without it each would train alone
    accelerator = Accelerator(mixed_precision="bf16" if on_gpu else "no", cpu=not on_gpu)
    return accelerator, is_sharded and torch.distributed.is_initialized()


def spread(accelerator: Accelerator, model: LossModel, *, is_sharded: bool) -> torch.nn.Module:
    """Return the model as this run's processes share it; make the optimiser from what is returned."""
    if not is_sharded:
        return accelerator.prepare(model)
    # Under autocast matrices are multiplied in bf16 anyway: gathered as bf16, half the bytes travel and no copy stays
    # behind for the backward pass. What is outside the blocks keeps float32, and so do all sums of gradients.
    gathered = torch.bfloat16 if accelerator.mixed_precision == "bf16" else None
    policy = MixedPrecisionPolicy(param_dtype=gathered, reduce_dtype=torch.float32, cast_forward_inputs=False)
    reshard = _is_set("FSDP_RESHARD_AFTER_FORWARD", default="true")
    for block in decoder_blocks(model.model):
        fully_shard(block, mp_policy=policy, reshard_after_forward=reshard)
    fully_shard(model)
    return model


@contextlib.contextmanager
def no_exchange(accelerator: Accelerator, model: torch.nn.Module) -> Iterator[None]:
    """Keep gradients of the micro-batches inside to this process; the first backward pass outside exchanges all."""
    if not isinstance(model, FSDPModule):
        with accelerator.no_sync(model):
            yield
        return
    model.set_requires_gradient_sync(False)
    try:
        yield
    finally:
        model.set_requires_gradient_sync(True)


@contextlib.contextmanager
def notice_lost_processes() -> Iterator[None]:
    """Turn the failure of an exchange with another process into one line: that process has said why it ended.

    Raises:
        StepFailed: another process of this run ended.
    """
    try:
        yield
    except RuntimeError as problem:  # gloo's, and so plain; NCCL ends the process by itself
        if not any(sign in str(problem) for sign in _LOST):
            raise
        raise StepFailed("another process of this run ended; run the same command again to go on") from problem


def clip_gradients(model: torch.nn.Module, limit: float) -> float:
    """Scale the gradients down to a norm of at most `limit`; return the norm they had, over all processes' shards."""
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
    return float(norm.full_tensor() if isinstance(norm, DTensor) else norm)


def _is_set(name: str, *, default: str = "false") -> bool:
    return os.environ.get(name, default).lower() in ("true", "1", "yes")
