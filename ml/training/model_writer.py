"""The models that a training writes: the trained one, and those that are kept on the way to it."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator

from ml.common.result_files import write_json
from ml.training.checkpoints import whole_optimizer, whole_weights
from warehouse.contract.atomic import atomic_folder
from warehouse.contract.folders import MODEL, MODELS, TOKENIZER, TRAINING_PLACE


@dataclass(frozen=True)
class ModelWriter:
    """Writes the model that is trained, with its tokenizer, below a run's folder. Every process must call it."""

    accelerator: Accelerator
    loss_model: torch.nn.Module
    tokenizer_file: Path
    out: Path

    def save(self, optimizer: torch.optim.Optimizer | None) -> None:
        """Write `<out>/model` atomically, with the optimiser's state where one is given."""
        weights = whole_weights(self.loss_model)
        state = None if optimizer is None else whole_optimizer(self.loss_model, optimizer)
        if not self.accelerator.is_main_process:
            return
        with atomic_folder(self.out / MODEL) as folder:
            self._write(weights, folder)
            if state is not None:
                torch.save(state, folder / "optimizer.pt")

    def keep(self, *, step: int, n_tokens_seen: int) -> None:
        """Write the model as it is after a step into `<out>/models`, with what it has read by then."""
        weights = whole_weights(self.loss_model)
        if not self.accelerator.is_main_process:
            return
        kept = self.out / MODELS / f"step{step:08d}"
        if kept.exists():  # by this run before it was killed: the same weights
            return
        kept.parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(kept) as folder:
            self._write(weights, folder)
            write_json(folder / TRAINING_PLACE, {"step": step, "n_tokens_seen": n_tokens_seen})

    def _write(self, weights: dict[str, Any], folder: Path) -> None:
        """Write gathered weights as a model's folder."""
        model = self.accelerator.unwrap_model(self.loss_model).model
        # a head tied to its embedding is one tensor: gathered it comes as two, and would be written twice
        own = {name for name, _ in (*model.named_parameters(), *model.named_buffers())}
        weights = {name.removeprefix("model."): tensor for name, tensor in weights.items()}
        weights = {name: tensor for name, tensor in weights.items() if name in own}
        model.save_pretrained(folder, state_dict=weights)
        (folder / "generation_config.json").unlink(missing_ok=True)
        shutil.copyfile(self.tokenizer_file, folder / TOKENIZER)
