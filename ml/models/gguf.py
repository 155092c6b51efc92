"""GGUF files: dequantised once into a model folder like any other.

transformers reads the weights (with the package `gguf`) as float32; what is trained and scored is what the quantised
file holds. The folder is kept in a cache under the hash of the file.
"""

import contextlib
import fcntl
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from warehouse.contract.atomic import atomic_folder, remove_unfinished
from warehouse.contract.disk import disk_failure
from warehouse.contract.errors import UsageError
from warehouse.contract.folders import MODEL_CACHE
from warehouse.contract.hashing import file_hash


def dequantised(file: Path) -> Path:
    """Return the folder with the weights of a GGUF file as safetensors and its tokenizer, made if it is missing.

    Several processes may ask at once: one makes it.

    Raises:
        UsageError: the package `gguf` is missing, or transformers cannot read the file.
    """
    folder = _cache() / f"{file.stem}-{file_hash(file)[:12]}"
    if folder.exists():
        return folder
    with _only_one(folder.parent):
        if not folder.exists():
            remove_unfinished(folder.parent)
            with atomic_folder(folder) as unfinished:
                write_dequantised(file, unfinished)
    return folder


def write_dequantised(file: Path, folder: Path) -> None:
    """Write the model and the tokenizer of a GGUF file into a folder. Raises as `dequantised`."""
    if importlib.util.find_spec("gguf") is None:
        raise UsageError(f"--model {file}: GGUF files need the package `gguf`: pip install 'semantic-pivots[gguf]'")
    transformers_logging.disable_progress_bar()
    given: dict[str, Any] = {"gguf_file": file.name, "trust_remote_code": False}
    try:
        model = AutoModelForCausalLM.from_pretrained(str(file.parent), dtype=torch.float32, **given)
        tokenizer = AutoTokenizer.from_pretrained(str(file.parent), **given)
    except Exception as problem:  # the readers of transformers and gguf raise many kinds, KeyError among them
        if disk_failure(problem):
            raise
        reason = " ".join(str(problem).split())[:300]
        raise UsageError(f"--model {file}: transformers cannot read this GGUF file ({reason})") from None
    # it is quantised no longer; transformers would refuse to save it
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.hf_quantizer = None  # type: ignore[assignment]
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _cache() -> Path:
    """Return where models are kept: in the home of the `pivots` command that started this, else the user's cache."""
    return Path(os.environ.get(MODEL_CACHE) or Path.home() / ".cache" / "pivots" / "models")


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
