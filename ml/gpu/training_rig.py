"""A training of the product, step by step, with some of its parts switched: what is timed, profiled and weighed.

The step is `ml.training.step.accumulate_gradients` and the optimiser `ml.training.optimizer`'s, as in `ml.train`.
"""

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

import ml.training.loss
from ml.gpu.inputs import make_preset, random_export, random_model
from ml.gpu.sizes import Sizes
from ml.gpu.switches.float8 import float8_blocks
from ml.gpu.switches.masks import flex_documents, varlen_documents
from ml.gpu.switches.overlap import overlapped
from ml.gpu.switches.replaced import replaced
from ml.gpu.timing import Timed, time_runs
from ml.models.decoder import decoder_blocks
from ml.models.flops import flops_per_token
from ml.training.loss import LossModel
from ml.training.optimizer import make_optimizer
from ml.training.prepare import make_deterministic, prepare_blocks
from ml.training.sequences import Sequences, open_export
from ml.training.sharding import start_processes
from ml.training.step import StepData, accumulate_gradients
from warehouse.contract.presets import TrainPreset

_EXPORT_STEPS = 8


class TrainingRig:
    """One model, one export; variants of the training are measured on it one after another."""

    def __init__(self, work: Path, sizes: Sizes) -> None:
        self.sizes = sizes
        self.accelerator, _ = start_processes()
        self.device = self.accelerator.device
        self.model: PreTrainedModel = random_model(work / "rig", sizes.large, dtype="float32", device=self.device)
        sequences = max(sizes.batches_per_step * max(sizes.micro_batches), 1) * _EXPORT_STEPS
        folder = work / "rig" / f"export-{sequences}"
        vocabulary = min(int(sizes.large["vocab_size"]), 1 << 16)
        export = open_export(random_export(folder, n_tokens=sequences * sizes.seq_len, vocab_size=vocabulary))
        self._data = StepData(export, Sequences(export, sizes.seq_len), seed=0)
        self._loss_model: torch.nn.Module = LossModel(self.model).train()
        self._optimizer: torch.optim.Optimizer | None = None
        self._step = 0

    def preset(self, **changes: Any) -> TrainPreset:
        """Return the preset of OLMo-1B at the rig's sequence length, a step of a few passes, with some changes."""
        micro = changes.get("micro_batch_sequences", self.sizes.micro_batch)
        values = {
            "seq_len": self.sizes.seq_len,
            "compile_blocks": self.sizes.compile_blocks,
            "micro_batch_sequences": micro,
            "sequences_per_step": micro * self.sizes.batches_per_step,
        }
        return make_preset(**(values | changes))

    @contextlib.contextmanager
    def variant(
        self,
        preset: TrainPreset,
        *,
        masks: str = "dense",
        deterministic: bool = True,
        fused_adamw: bool = True,
        chunk_bytes: int | None = None,
        overlap: bool = False,
        float8: bool = False,
    ) -> Iterator[None]:
        """Prepare the model as `ml.train` does for a preset, with parts of the product switched.

        Args:
            masks: of documents, where the preset asks for them: dense (the product's), flex or varlen.
            chunk_bytes: of the loss's logits; None leaves the product's.
        """
        switches: list[AbstractContextManager[Any]] = []
        if preset.document_masks and masks != "dense":
            switches.append({"flex": flex_documents, "varlen": varlen_documents}[masks](self.model))
        if chunk_bytes is not None:
            name = "_CHUNK_BYTES_GPU" if self.device.type == "cuda" else "_CHUNK_BYTES_CPU"
            switches.append(replaced(ml.training.loss, name, chunk_bytes))
        if overlap:
            switches.append(overlapped())
        if float8:
            switches.append(float8_blocks(self.model))
        with contextlib.ExitStack() as stack:
            for switch in switches:
                stack.enter_context(switch)
            stack.callback(self._reset)
            make_deterministic(self.device)
            if not deterministic:
                torch.use_deterministic_algorithms(False)
            prepare_blocks(self.model, preset)
            self._optimizer = make_optimizer(self._loss_model, preset)
            if not fused_adamw:
                for group in self._optimizer.param_groups:
                    group |= {"fused": False, "foreach": True}
            yield

    def step(self, preset: TrainPreset) -> float:
        """Take one step; return its loss."""
        assert self._optimizer is not None, "a step belongs into `variant`"
        self._step += 1
        loss, _ = accumulate_gradients(self.accelerator, self._loss_model, preset, self._data, self._step)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return loss

    def time(self, preset: TrainPreset, *, warm_up: int, repeats: int) -> Timed:
        """Time steps."""
        return time_runs(lambda: self.step(preset), self.device, warm_up=warm_up, repeats=repeats)

    def passes_only(self, preset: TrainPreset, *, warm_up: int, repeats: int) -> Timed:
        """Time the same without the optimiser, whose share shrinks as steps grow."""

        def passes() -> None:
            self._step += 1
            accumulate_gradients(self.accelerator, self._loss_model, preset, self._data, self._step)

        return time_runs(passes, self.device, warm_up=warm_up, repeats=repeats)

    def flops_per_token(self) -> float:
        """Return the model's FLOPs of a token, forward and backward."""
        return flops_per_token(self.model, self.sizes.seq_len)

    def _reset(self) -> None:
        """Take back what `prepare_blocks` and `make_optimizer` did."""
        self._optimizer = None
        self._loss_model.zero_grad(set_to_none=True)
        self.model.gradient_checkpointing_disable()
        for block in decoder_blocks(self.model):
            block._compiled_call_impl = None
        torch._dynamo.reset()


def tokens_of(preset: TrainPreset) -> int:
    """Return the tokens of a step."""
    return preset.seq_len * preset.sequences_per_step


__all__ = ["TrainingRig", "tokens_of"]
