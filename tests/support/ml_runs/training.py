"""Requests to the trainer, and what it left behind."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import yaml
from safetensors.torch import load_file

import ml.train
import ml.training.checkpoints
from support.ml_runs.inputs import make_config

BASE = {
    "seq_len": 32,
    "sequences_per_step": 4,
    "micro_batch_sequences": 4,
    "document_masks": True,
    "steps": 6,
    "budget_tokens": None,
    "epochs": None,
    "learning_rate": 3.0e-3,
    "schedule": "linear",
    "warmup_steps": 2,
    "final_lr_share": 0.0,
    "weight_decay": 0.1,
    "beta1": 0.9,
    "beta2": 0.95,
    "eps": 1.0e-8,
    "clip_norm": 1.0,
    "gradient_checkpointing": False,
    "compile_blocks": False,
    "checkpoint_every_steps": 2,
    "keep_checkpoints": 1,
    "optimizer_state": "fresh",
    "save_optimizer": False,
}


def arguments(
    folder: Path, export: Path, *, out: str = "out", model: Path | None = None, **changes: object
) -> list[str]:
    folder.mkdir(exist_ok=True)
    preset = folder / f"preset-{out}.yml"
    preset.write_text(yaml.safe_dump({"train": BASE | changes}))
    model = model or make_config(folder / "model-config", initializer_range=0.05)
    given = {
        "--export": export,
        "--model": model,
        "--preset": preset,
        "--seed": 5,
        "--run-id": "r1",
        "--out": folder / out,
    }
    return [str(part) for pair in given.items() for part in pair]


def losses(out: Path) -> list[float]:
    return pq.read_table(out / "results" / "training_steps.parquet")["loss"].to_pylist()


def same_weights(one: Path, other: Path) -> bool:
    a, b = (load_file(out / "model" / "model.safetensors") for out in (one, other))
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def interrupted(request: list[str], *, after_step: int) -> None:
    """Run until just after a step's checkpoint, as if killed there."""

    class Killed(Exception):
        pass

    whole = ml.train.accumulate_gradients
    calls = 0

    def step(*args: object) -> tuple[float, float]:
        nonlocal calls
        calls += 1
        if calls > after_step:
            raise Killed
        return whole(*args)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(ml.train, "accumulate_gradients", step)
        ml.train.main(request)
