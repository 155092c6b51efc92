"""Training presets: section `train` of a YAML file, every key explicit, all mistakes reported at once."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from warehouse.contract.errors import UsageError, raise_all

SCHEDULES = ("constant", "linear", "cosine")


@dataclass(frozen=True, kw_only=True)
class TrainPreset:
    """How to train. Sizes are in tokens and sequences of the global step, whatever the number of devices."""

    seq_len: int
    sequences_per_step: int
    micro_batch_sequences: int  # per device and pass; gradients are accumulated up to sequences_per_step
    document_masks: bool
    steps: int | None  # exactly one of steps, budget_tokens, epochs says how long
    budget_tokens: int | None
    epochs: float | None
    learning_rate: float  # the peak
    schedule: str  # constant, linear, cosine: the shape after the warm-up
    warmup_steps: int
    final_lr_share: float  # learning rate of the last step, as a share of the peak (linear, cosine)
    weight_decay: float  # of matrices; biases, norms and embeddings are never decayed
    beta1: float
    beta2: float
    eps: float
    clip_norm: float | None
    gradient_checkpointing: bool
    compile_blocks: bool
    checkpoint_every_steps: int | None  # None: none but the finished model
    keep_checkpoints: int
    optimizer_state: str  # fresh, or model: go on with the state saved beside the model's weights
    save_optimizer: bool  # keep the final optimiser state beside the model


_MINIMUM = {
    "seq_len": 2,
    "sequences_per_step": 1,
    "micro_batch_sequences": 1,
    "steps": 1,
    "budget_tokens": 1,
    "warmup_steps": 0,
    "checkpoint_every_steps": 1,
    "keep_checkpoints": 1,
}


def _type_problem(name: str, annotation: Any, value: Any) -> str | None:
    text = str(annotation)
    if value is None:
        return None if "None" in text else f"{name} must be given"
    if "bool" in text or annotation is bool:
        return None if isinstance(value, bool) else f"{name}: {value!r} is not true or false"
    if annotation is str:
        return None if isinstance(value, str) else f"{name}: {value!r} is not a text"
    if "int" in text or annotation is int:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        return None if is_whole else f"{name}: {value!r} is not a whole number"
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if is_number else f"{name}: {value!r} is not a number (YAML wants 3.0e-3, not 3e-3)"


def read_preset(path: Path, *, steps: int | None = None, budget_tokens: int | None = None) -> TrainPreset:
    """Read section `train`; an override of the length replaces the preset's. Raises UsageError with all mistakes."""
    if not path.is_file():
        raise UsageError(f"--preset {path}: no such file")
    try:
        content = yaml.safe_load(path.read_text())
    except yaml.YAMLError as problem:
        raise UsageError(f"--preset {path}: not YAML ({' '.join(str(problem).split())})") from None
    values = content.get("train") if isinstance(content, dict) else None
    if not isinstance(values, dict):
        raise UsageError(f"--preset {path}: it has no section `train`")
    if steps is not None or budget_tokens is not None:
        values = values | {"steps": steps, "budget_tokens": budget_tokens, "epochs": None}
    known = {field.name: field.type for field in fields(TrainPreset)}
    problems = [f"unknown key {name}" for name in values if name not in known]
    problems += [f"{name} is missing" for name in known if name not in values]
    for name, annotation in known.items():
        if name in values and (wrong := _type_problem(name, annotation, values[name])):
            problems.append(wrong)
    problems = problems or _value_problems(values)
    raise_all([f"--preset {path}: {problem}" for problem in problems])
    return TrainPreset(**values)


def _value_problems(values: dict[str, Any]) -> list[str]:
    problems = [
        f"{name} must be at least {minimum}"
        for name, minimum in _MINIMUM.items()
        if values[name] is not None and values[name] < minimum
    ]
    if sum(values[name] is not None for name in ("steps", "budget_tokens", "epochs")) != 1:
        problems.append("exactly one of steps, budget_tokens, epochs must be given (the others null)")
    if values["epochs"] is not None and values["epochs"] <= 0:
        problems.append("epochs must be positive")
    if values["schedule"] not in SCHEDULES:
        problems.append(f"schedule {values['schedule']!r} is not one of {', '.join(SCHEDULES)}")
    if values["learning_rate"] <= 0:
        problems.append("learning_rate must be positive")
    if values["clip_norm"] is not None and values["clip_norm"] <= 0:
        problems.append("clip_norm must be positive or null")
    if not 0 <= values["final_lr_share"] <= 1:
        problems.append("final_lr_share must be between 0 and 1")
    if values["optimizer_state"] not in ("fresh", "model"):
        problems.append(f"optimizer_state {values['optimizer_state']!r} is not fresh or model")
    return problems


def n_steps(preset: TrainPreset, n_sequences: int) -> int:
    """Return the number of optimiser steps: of the preset, of its token budget, or of its epochs over the export."""
    if preset.steps is not None:
        return preset.steps
    tokens_per_step = preset.seq_len * preset.sequences_per_step
    if preset.budget_tokens is not None:
        return max(1, preset.budget_tokens // tokens_per_step)
    assert preset.epochs is not None
    return max(1, int(preset.epochs * n_sequences) // preset.sequences_per_step)


def as_dict(preset: TrainPreset) -> dict[str, Any]:
    """Return the preset as plain values, for run records and hashes."""
    return asdict(preset)
