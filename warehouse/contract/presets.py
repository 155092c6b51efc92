"""Presets: YAML files with a section `train` and, for experiments, a section `experiment`.

Every key is explicit. A reader gets all mistakes of a file at once, in one line.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainValidator,
    SerializerFunctionWrapHandler,
    StrictInt,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from warehouse.contract.errors import UsageError

_LENGTHS = ("steps", "budget_tokens", "epochs")


def _number(value: Any) -> int | float:
    """Return a number as it was written: run ids are hashes of presets, and 1 is not spelled 1.0 there."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or abs(value) == float("inf"):
        raise PydanticCustomError("number", "is not a number (YAML wants 3.0e-3, not 3e-3)")
    return value


Number = Annotated[int | float, PlainValidator(_number)]
Positive = Annotated[Number, Field(gt=0)]
Share = Annotated[Number, Field(ge=0, le=1)]
Count = Annotated[StrictInt, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class TrainPreset(_Section):
    """How to train. Sizes are in tokens and sequences of the global step, whatever the number of devices."""

    seq_len: Annotated[StrictInt, Field(ge=2)]
    sequences_per_step: Count
    micro_batch_sequences: Count  # per device and pass; gradients are accumulated up to sequences_per_step
    document_masks: bool
    steps: Count | None  # exactly one of steps, budget_tokens, epochs says how long
    budget_tokens: Count | None
    epochs: Positive | None
    learning_rate: Positive  # the peak
    schedule: Literal["constant", "linear", "cosine"]  # the shape after the warm-up
    warmup_steps: Annotated[StrictInt, Field(ge=0)]
    final_lr_share: Share  # of the peak, where the decay ends: after the last step (linear, cosine)
    weight_decay: Number  # of matrices; biases, norms and embeddings are never decayed
    beta1: Number
    beta2: Number
    eps: Number
    clip_norm: Positive | None
    gradient_checkpointing: bool
    compile_blocks: bool
    checkpoint_every_steps: Count | None  # None: none but the finished model
    keep_checkpoints: Count
    optimizer_state: Literal["fresh", "model"]  # model: go on with the state saved beside the model's weights
    save_optimizer: bool  # keep the final optimiser state beside the model
    keep_models_every_steps: Count | None = None  # models on the way, to be scored as a series; None: only the last

    @model_validator(mode="wrap")
    @classmethod
    def _has_one_length(cls, values: Any, handler: ModelWrapValidatorHandler["TrainPreset"]) -> "TrainPreset":
        """Say with the other mistakes, and not only when there is none, that the length is not given once."""
        mistakes: list[InitErrorDetails] = []
        preset = None
        try:
            preset = handler(values)
        except ValidationError as found:
            mistakes += [_again(mistake) for mistake in found.errors()]
        given = [values.get(name) for name in _LENGTHS] if isinstance(values, dict) else []
        if given and sum(value is not None for value in given) != 1:
            wrong = PydanticCustomError("length", "exactly one of steps, budget_tokens, epochs must be given")
            mistakes.append(InitErrorDetails(type=wrong, loc=(), input=None))
        if preset is None or mistakes:
            raise ValidationError.from_exception_data(cls.__name__, mistakes)
        return preset

    @model_serializer(mode="wrap")
    def _without_what_came_later(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave an entry that came later out where it is not set: runs are named by what a preset says."""
        entries: dict[str, Any] = handler(self)
        if entries.get("keep_models_every_steps") is None:
            entries.pop("keep_models_every_steps", None)
        return entries

    def with_length(self, *, steps: int | None = None, budget_tokens: int | None = None) -> "TrainPreset":
        """Return the same regime for as many steps or tokens; itself when neither is given."""
        if steps is None and budget_tokens is None:
            return self
        return self.model_copy(update={"steps": steps, "budget_tokens": budget_tokens, "epochs": None})


class ExperimentPreset(_Section):
    """What an experiment compares. The arms differ in their documents and in nothing else."""

    strategies: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    n_seeds: Count
    budget_tokens: Count  # document tokens per arm
    n_items: Count | None  # items scored; None: all
    n_pivots: Count  # pivots per pair whose probability is traced
    parallel_arms: Count  # training processes side by side
    # what it is judged by, recorded before the first training; what is left out is as the dbt variables say
    primary_outcome: Literal["score", "normalised_log_p", "margin", "first_rank", "bits_per_byte"] | None = None
    primary_word_split: Literal["judge", "find", "all"] | None = None
    smallest_effect: Positive | None = None  # smallest difference of the primary outcome that would matter, in its unit


class Preset(_Section):
    """What a preset file holds."""

    train: TrainPreset
    experiment: ExperimentPreset | None = None


def read_preset(path: Path) -> Preset:
    """Read a preset file.

    Raises:
        UsageError: it cannot be read, or entries are missing, unknown or impossible; names all of them.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"preset {path}: no such file") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"preset {path}: it cannot be read ({problem})") from None
    except RecursionError:
        raise UsageError(f"preset {path}: nested too deeply") from None
    except yaml.YAMLError as problem:
        raise UsageError(f"preset {path}: not YAML ({' '.join(str(problem).split())})") from None
    if not isinstance(content, dict) or not isinstance(content.get("train"), dict):
        raise UsageError(f"preset {path}: it has no section `train`")
    try:
        return Preset.model_validate(content)
    except ValidationError as mistakes:
        first, *others = problems_of(mistakes)
        raise UsageError(f"preset {path}: {first}", *others) from None


def problems_of(mistakes: ValidationError, *, named: Callable[[str], str] = str) -> list[str]:
    """Return each mistake of a file or request as a short phrase; `named` says how an entry's name is written."""
    return list(dict.fromkeys(_phrase(mistake, named) for mistake in mistakes.errors()))


def _phrase(mistake: ErrorDetails, named: Callable[[str], str]) -> str:
    name, given = named(".".join(map(str, mistake["loc"]))), mistake["input"]
    limits = mistake.get("ctx", {})
    match mistake["type"]:
        case "missing":
            return f"{name} is missing"
        case "extra_forbidden":
            return f"unknown key {name}"
        case "greater_than_equal":
            return f"{name} must be at least {limits['ge']}"
        case "less_than_equal":
            return f"{name} must be at most {limits['le']}"
        case "greater_than":
            return f"{name} must be more than {limits['gt']}"
        case "too_short":
            return f"{name} must not be empty"
        case "literal_error":
            return f"{name}: {given!r} is not one of {limits['expected']}"
        case "int_type" | "int_parsing":
            return f"{name}: {given!r} is not a whole number"
        case "bool_type" | "bool_parsing":
            return f"{name}: {given!r} is not true or false"
        case "string_type":
            return f"{name}: {given!r} is not a text"
        case "tuple_type" | "list_type":
            return f"{name}: {given!r} is not a list"
        case "model_type" | "dict_type":
            return f"{name} is not a section with keys"
        case "number":
            return f"{name}: {given!r} {mistake['msg']}"
    return f"{name}: {mistake['msg']}" if name else mistake["msg"]


def _again(mistake: ErrorDetails) -> InitErrorDetails:
    """Return a mistake in the form in which it can be raised again."""
    if mistake["type"] == "number":
        kind: Any = PydanticCustomError("number", mistake["msg"])
    else:
        kind = mistake["type"]
    return InitErrorDetails(type=kind, loc=mistake["loc"], input=mistake["input"], ctx=mistake.get("ctx", {}))
