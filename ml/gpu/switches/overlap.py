"""The next step's tokens are read and pinned while this step is computed, and travel without waiting."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator

import ml.training.sequences
import ml.training.step
from ml.gpu.switches.replaced import replaced
from ml.training.step import StepData, own_tokens
from warehouse.contract.presets import TrainPreset


@contextlib.contextmanager
def overlapped() -> Iterator[None]:
    """Read ahead, meanwhile."""
    pool = ThreadPoolExecutor(1)
    ahead: dict[int, Future[torch.Tensor]] = {}

    def read(accelerator: Accelerator, preset: TrainPreset, data: StepData, step: int) -> torch.Tensor:
        tokens = torch.from_numpy(own_tokens(accelerator, preset, data, step))
        return tokens.pin_memory() if accelerator.device.type == "cuda" else tokens

    def tokens_of(accelerator: Accelerator, preset: TrainPreset, data: StepData, step: int) -> np.ndarray:
        own = ahead.pop(step, None)
        ahead[step + 1] = pool.submit(read, accelerator, preset, data, step + 1)
        return (own.result() if own else read(accelerator, preset, data, step)).numpy()

    make_batch = ml.training.sequences.make_batch

    def batch(tokens: np.ndarray, *, device: torch.device, **options: Any) -> Any:
        pinned = torch.from_numpy(tokens)
        return make_batch(pinned.to(device, non_blocking=True), device=device, **options)

    with replaced(ml.training.step, "own_tokens", tokens_of), replaced(ml.training.step, "make_batch", batch):
        try:
            yield
        finally:
            pool.shutdown(cancel_futures=True)
