"""The model of a request, ready to read, with its tokenizer and how much of it to read at once."""

import json
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedModel

from ml.models.load import ModelSource, find_model, load_model, load_tokenizer, model_hash, pick_device, pick_dtype
from warehouse.contract.errors import UsageError
from warehouse.contract.folders import MANIFEST, TOKENIZER
from warehouse.contract.requests import BatchRequest, ModelRequest
from warehouse.contract.tokenizer_identity import is_recorded_as, is_same, tokenizer_hash


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to read, and what identifies it."""

    model: PreTrainedModel
    source: ModelSource
    dtype: str
    hash: str


@dataclass(frozen=True)
class TokenizerFile:
    """A tokenizer.json, opened, and what identifies it: as the inputs name it when it is theirs."""

    path: Path
    hash: str
    tokenizer: Tokenizer


def open_model(request: ModelRequest) -> LoadedModel:
    """Load the model of a request. Raises UsageError for a model, device or dtype that does not exist."""
    device = pick_device(request.device)
    dtype = pick_dtype(request.dtype, device)
    source = find_model(request.model)
    model = load_model(source, seed=request.seed, dtype=dtype, device=device)
    return LoadedModel(model, source, dtype, model_hash(source, seed=request.seed))


def open_tokenizer(request: ModelRequest, source: ModelSource, inputs: Path) -> TokenizerFile:
    """Return the tokenizer of the request, else the one beside the model, else the one among the inputs.

    Raises:
        UsageError: there is none.
    """
    candidates: list[Path | None] = (
        [request.tokenizer] if request.tokenizer else [source.tokenizer_file, inputs / TOKENIZER]
    )
    for path in candidates:
        if path is not None and path.is_file():
            tokenizer = load_tokenizer(path)
            return TokenizerFile(path, _name(path.read_bytes(), inputs), tokenizer)
    raise UsageError(f"no {TOKENIZER} beside --model {request.model}; name one with --tokenizer FILE")


def _name(content: bytes, inputs: Path) -> str:
    """Return what identifies a tokenizer: what the manifest of the inputs calls it when it is theirs, else its hash."""
    manifest, file = inputs / MANIFEST, inputs / TOKENIZER
    recorded = json.loads(manifest.read_text()).get("tokenizer_hash") if manifest.is_file() else None
    if recorded is None or is_recorded_as(content, recorded):
        return recorded or tokenizer_hash(content)
    is_theirs = file.is_file() and is_recorded_as(file.read_bytes(), recorded) and is_same(content, file)
    return recorded if is_theirs else tokenizer_hash(content)


def batch_tokens(request: BatchRequest) -> int:
    """Return how many padded tokens a batch may hold: as asked, or what suits the device."""
    if request.batch_tokens is not None:
        return request.batch_tokens
    return request.batch_tokens_by_device["cpu" if pick_device(request.device).type == "cpu" else "cuda"]
