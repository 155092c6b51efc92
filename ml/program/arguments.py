"""What the programs that read a model have in common: its arguments, its tokenizer, and loading it."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedModel

from ml.models.load import ModelSource, find_model, load_model, load_tokenizer, model_hash, pick_device, pick_dtype
from warehouse.contract.errors import UsageError
from warehouse.contract.hashing import file_hash


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to read, and what identifies it."""

    model: PreTrainedModel
    source: ModelSource
    dtype: str
    hash: str


@dataclass(frozen=True)
class TokenizerFile:
    """A tokenizer.json and the hash of its bytes."""

    path: Path
    hash: str


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which model, on what, and where the results go."""
    parser.add_argument("--model", required=True, help="hub name, model folder, or JSON configuration (random weights)")
    parser.add_argument("--seed", type=int, default=0, help="of random weights; unused otherwise")
    parser.add_argument("--tokenizer", type=Path, help="tokenizer.json (default: the one beside the model)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 ...")
    parser.add_argument("--dtype", default="auto", help="auto (bfloat16 on a GPU, else float32), float32, bfloat16")
    parser.add_argument("--run-id", required=True)
    parser.add_argument("--out", type=Path, required=True)


def add_batch_tokens(parser: argparse.ArgumentParser, *, on_cpu: int, on_gpu: int) -> None:
    """Add --batch-tokens, whose default depends on the device. `parse` settles it."""
    parser.add_argument(
        "--batch-tokens",
        type=int,
        help=f"padded tokens per batch; results depend on it in their last digits (default: {on_cpu:,} on a CPU, "
        f"{on_gpu:,} on a GPU)",
    )
    parser.set_defaults(batch_tokens_by_device={"cpu": on_cpu, "cuda": on_gpu})


def parse(parser: argparse.ArgumentParser, argv: list[str] | None) -> argparse.Namespace:
    """Parse the arguments of a program that reads a model in batches. Raises UsageError for an impossible batch."""
    arguments = parser.parse_args(argv)
    if arguments.batch_tokens is None:
        device = pick_device(arguments.device)
        arguments.batch_tokens = arguments.batch_tokens_by_device["cpu" if device.type == "cpu" else "cuda"]
    if arguments.batch_tokens < 1:
        raise UsageError("--batch-tokens must be at least 1")
    return arguments


def add_language_names(parser: argparse.ArgumentParser) -> None:
    """Add --language-name, for `ml.translation.languages.language_names`."""
    parser.add_argument(
        "--language-name", action="append", default=[], metavar="CODE=NAME", help="English name of a language"
    )


def open_model(arguments: argparse.Namespace) -> LoadedModel:
    """Load the model of the arguments, ready to read."""
    device = pick_device(arguments.device)
    dtype = pick_dtype(arguments.dtype, device)
    source = find_model(arguments.model)
    model = load_model(source, seed=arguments.seed, dtype=dtype, device=device)
    return LoadedModel(model, source, dtype, model_hash(source, seed=arguments.seed))


def resolve_tokenizer(
    arguments: argparse.Namespace, source: ModelSource, inputs: Path
) -> tuple[TokenizerFile, Tokenizer]:
    """Return the tokenizer of --tokenizer, else the one beside the model, else the one among the inputs."""
    candidates = [arguments.tokenizer] if arguments.tokenizer else [source.tokenizer_file, inputs / "tokenizer.json"]
    for path in candidates:
        if path is not None and path.is_file():
            return TokenizerFile(path, file_hash(path)), load_tokenizer(path)
    raise UsageError(f"no tokenizer.json beside --model {arguments.model}; name one with --tokenizer FILE")
