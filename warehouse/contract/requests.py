"""What a program of `ml` is asked: one description per program, of its request file and of its options.

`pivots` writes a request as `request.json` into the run's folder and passes the path; people give the same as options.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, RootModel, StrictInt, ValidationError

from warehouse.contract.atomic import atomic_file
from warehouse.contract.errors import UsageError
from warehouse.contract.presets import Count, TrainPreset, problems_of

_MODEL = "hub name (name@revision), model folder, GGUF file, or JSON configuration (random weights)"


class Request(BaseModel):
    """What every request says: which run it is, and where its results go."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    model: str = Field(description=_MODEL)
    run_id: str = Field(description="name of the run, in every row that it writes")
    out: Path = Field(description="folder of the run: results/, run.json")


class TrainRequest(Request):
    """Continued pre-training on an export folder."""

    program: Literal["train"] = "train"
    export: Path = Field(description="export folder with manifest.json")
    preset: TrainPreset = Field(description="the training regime")
    seed: StrictInt = Field(description="orders the data, and makes the weights of a configuration")


class ModelRequest(Request):
    """What the programs that only read a model have in common."""

    seed: StrictInt = Field(default=0, description="of random weights; unused otherwise")
    tokenizer: Path | None = Field(default=None, description="tokenizer.json (default: the one beside the model)")
    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:1 ...")
    dtype: str = Field(default="auto", description="auto (bfloat16 on a GPU, else float32), float32, bfloat16")


class BatchRequest(ModelRequest):
    """What the programs that read a model in batches have in common."""

    batch_tokens_by_device: ClassVar[dict[str, int]]  # cpu, cuda
    batch_tokens: Count | None = Field(
        default=None,
        description="padded tokens per batch; results depend on it in their last digits (default: by device)",
    )


class PromptRequest(BatchRequest):
    """What the programs that write prompts have in common."""

    language_name: tuple[str, ...] = Field(default=(), description="CODE=NAME: English name of a language")


class ScoreRequest(PromptRequest):
    """Score word translations of an evaluation set."""

    batch_tokens_by_device = {"cpu": 1_024, "cuda": 65_536}
    program: Literal["score"] = "score"
    eval_set: Path = Field(description="evaluation set folder")


class TraceRequest(PromptRequest):
    """Trace layers over an evaluation set by logit lens."""

    batch_tokens_by_device = {"cpu": 2_048, "cuda": 65_536}
    program: Literal["trace"] = "trace"
    eval_set: Path = Field(description="evaluation set folder, with pivots.parquet")
    with_pivots_only: bool = Field(default=False, description="leave out pairs without pivots")


class InterveneRequest(ModelRequest):
    """Take pivots out of the residual stream and see what becomes of the answer."""

    program: Literal["intervene"] = "intervene"
    eval_set: Path = Field(description="evaluation set folder, with pivots.parquet")
    layer: tuple[StrictInt, ...] = Field(min_length=1, description="N: intervene behind this layer")
    language_name: tuple[str, ...] = Field(default=(), description="CODE=NAME: English name of a language")


class SentencesRequest(PromptRequest):
    """Translate parallel sentences; score by chrF."""

    batch_tokens_by_device = {"cpu": 8_192, "cuda": 32_768}
    program: Literal["sentences"] = "sentences"
    sentences: Path = Field(description="sentence set folder")
    shots: Annotated[StrictInt, Field(ge=0)] = Field(default=5, description="example sentences before each")
    max_new_tokens: Count = Field(default=256, description="longest translation, in tokens")


class HeldOutRequest(BatchRequest):
    """Held-out loss per language."""

    batch_tokens_by_device = {"cpu": 4_096, "cuda": 65_536}
    program: Literal["held_out"] = "held_out"
    export: Path = Field(description="export folder of strategy held_out")
    limit_tokens: Count | None = Field(
        default=None, description="tokens to read, shared equally by the languages (default: all)"
    )


class PromptLensRequest(ModelRequest):
    """Logit lens at every token of a prompt."""

    program: Literal["prompt_lens"] = "prompt_lens"
    prompt: str = Field(description="the text to read")
    top: Count = Field(default=5, description="tokens kept per position and layer")
    watch: tuple[str, ...] = Field(default=(), description="TOKEN: keep this token's rank too")


EvaluationRequest = (
    ScoreRequest | TraceRequest | InterveneRequest | SentencesRequest | HeldOutRequest | PromptLensRequest
)
EVALUATION_REQUESTS: dict[str, type[EvaluationRequest]] = {
    "score": ScoreRequest,
    "sentences": SentencesRequest,
    "trace": TraceRequest,
    "intervene": InterveneRequest,
    "held_out": HeldOutRequest,
    "prompt_lens": PromptLensRequest,
}
Asked = TypeVar("Asked", bound=BaseModel)


class _AnyEvaluation(RootModel[EvaluationRequest]):
    root: EvaluationRequest = Field(discriminator="program")


def write_request(path: Path, request: BaseModel) -> None:
    """Write a request as a file, for another process to read."""
    with atomic_file(path) as unfinished:
        unfinished.write_text(request.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_request(path: Path, kind: type[Asked]) -> Asked:
    """Read a request file of one kind.

    Raises:
        UsageError: it cannot be read, or entries are missing, unknown or impossible; names all of them.
    """
    try:
        return kind.model_validate_json(path.read_bytes())
    except OSError as problem:
        raise UsageError(f"request {path}: it cannot be read ({problem.strerror})") from None
    except ValidationError as mistakes:
        first, *others = problems_of(mistakes)
        raise UsageError(f"request {path}: {first}", *others) from None


def read_evaluation_request(path: Path) -> EvaluationRequest:
    """Read a request file of any program that evaluates a model. Raises as `read_request`."""
    return read_request(path, _AnyEvaluation).root
