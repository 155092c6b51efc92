"""Models and their tokenizers: from a hub name, a local folder, a GGUF file, or a JSON configuration (random weights).

Nothing here knows an architecture by name; what a model can do is asked of its signature, or measured.
"""

import hashlib
import inspect
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.utils import cached_file
from transformers.utils import logging as transformers_logging

from ml.common.result_files import read_json
from ml.models.gguf import dequantised
from ml.models.sliding import sliding_window
from warehouse.contract.disk import disk_failure
from warehouse.contract.errors import UsageError
from warehouse.contract.hashing import file_hash, short_hash

# the index says which of several files a tensor is read from
_WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class ModelSource:
    """Where a model comes from. `folder` holds config.json and weights; `config_file` stands for random weights."""

    spec: str
    folder: Path | None = None  # of a hub model: its snapshot in the cache, complete once the model was loaded
    config_file: Path | None = None
    hub_name: str | None = None  # without the revision
    gguf_file: Path | None = None  # what the folder was made of

    @property
    def commit(self) -> str | None:
        """The commit of a hub model: the cache names its snapshots by them."""
        return self.folder.name if self.hub_name and self.folder else None

    @property
    def tokenizer_file(self) -> Path | None:
        """The tokenizer.json beside the model, if there is one."""
        beside = self.folder or (self.config_file.parent if self.config_file else None)
        path = beside / "tokenizer.json" if beside else None
        return path if path is not None and path.exists() else None


def find_model(spec: str) -> ModelSource:
    """Say what a model argument means: a folder with config.json, a JSON configuration, a GGUF file, or a hub name.

    A hub name may have a revision behind it: `name@revision`. Raises UsageError when it is none of them, or a hub model
    that is neither in the cache nor can be fetched.
    """
    path = Path(spec)
    if path.is_dir():
        if not (path / "config.json").exists():
            raise UsageError(f"--model {spec}: the folder has no config.json")
        if not list(path.glob("*.safetensors")):
            others = "; *.bin files may hold code and are not read" if list(path.glob("*.bin")) else ""
            raise UsageError(
                f"--model {spec}: the folder has no *.safetensors{others}; for random weights give its config.json"
            )
        return ModelSource(spec, folder=path)
    if path.is_file() and path.suffix == ".gguf":
        return ModelSource(spec, folder=dequantised(path.resolve()), gguf_file=path)
    if path.is_file():
        if path.suffix != ".json":
            raise UsageError(f"--model {spec}: a model file must be a JSON configuration or a GGUF file")
        return ModelSource(spec, config_file=path)
    if spec.endswith((".json", ".gguf")) or spec.startswith((".", "/")) or spec.count("/") > 1:
        raise UsageError(f"--model {spec}: no such file or folder")
    try:
        name, _, revision = spec.partition("@")
        at = {"revision": revision} if revision else {}
        found = cached_file(name, "config.json", **at)
        cached_file(name, "tokenizer.json", **at)
    except OSError as problem:
        reason = str(problem).strip().splitlines()[0]
        raise UsageError(f"--model {spec}: neither a file or folder here nor a hub model ({reason})") from None
    assert found is not None
    return ModelSource(spec, folder=Path(found).parent, hub_name=name)


def _one_line(problem: Exception) -> str:
    return " ".join(str(problem).split())[:300]


def load_config(source: ModelSource) -> Any:
    """Return the model's configuration. Raises UsageError when the file is not one, or not of a decoder alone."""
    try:
        if source.config_file:
            values = dict(read_json(source.config_file))
            config = AutoConfig.for_model(values.pop("model_type"), **values)
        else:
            config = AutoConfig.from_pretrained(str(source.folder), trust_remote_code=False)
    except (KeyError, TypeError, ValueError) as problem:
        raise UsageError(f"--model {source.spec}: not a model configuration ({_one_line(problem)})") from None
    if getattr(config, "is_encoder_decoder", False):
        raise UsageError(
            f"--model {source.spec}: {config.model_type} has an encoder and a decoder; give a decoder alone"
        )
    return config


def load_model(source: ModelSource, *, seed: int, dtype: str, device: torch.device) -> PreTrainedModel:
    """Return the model in eval mode on a device, every floating parameter in `dtype` ('float32' or 'bfloat16').

    No code of a model's folder or repository is run, and weights are read as safetensors only.

    The dtype is always explicit: the library's default, "auto", would make a bf16 checkpoint the master weights.
    A configuration file gives weights that depend on `seed` alone.

    The embeddings have no padding row: torch would leave that row without a gradient, and many models name their EOS
    as padding id, so that what stands behind every document would never be learned.
    """
    transformers_logging.disable_progress_bar()
    config = load_config(source)
    torch_dtype = _DTYPES[dtype]
    if source.config_file:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = AutoModelForCausalLM.from_config(config, dtype=torch_dtype, trust_remote_code=False)
    else:
        # accelerate's default for FSDP would have all processes but the first read nothing
        os.environ["FSDP_CPU_RAM_EFFICIENT_LOADING"] = "false"
        name = source.hub_name or str(source.folder)
        # weights of the commit whose configuration was read; no code of theirs, and no format that can hold code
        where = {"revision": source.commit} if source.commit else {}
        try:
            model = AutoModelForCausalLM.from_pretrained(
                name, dtype=torch_dtype, trust_remote_code=False, use_safetensors=True, **where
            )
        except (OSError, ValueError, SafetensorError) as problem:
            if disk_failure(problem):
                raise
            raise UsageError(
                f"--model {source.spec}: no safetensors weights can be read ({_one_line(problem)})"
            ) from None
    embeddings = model.get_input_embeddings()
    if isinstance(embeddings, torch.nn.Embedding):
        embeddings.padding_idx = None
    return model.to(device=device, dtype=torch_dtype).eval()


def model_hash(source: ModelSource, *, seed: int) -> str:
    """Return 12 hex digits that identify the weights: of the files, or of configuration and seed for random ones.

    Call it after `load_model`, which completes a hub model's folder.
    """
    if source.config_file:
        return short_hash({"config": read_json(source.config_file), "seed": seed})
    if source.gguf_file:  # not of what a version of transformers made of it
        return file_hash(source.gguf_file)[:12]
    assert source.folder is not None
    weights = [path for pattern in _WEIGHTS for path in source.folder.rglob(pattern)]
    files = [source.folder / "config.json", *sorted(weights)]
    digest = hashlib.blake2b(digest_size=6)
    for path in files:
        digest.update(f"{path.relative_to(source.folder).as_posix()}\x1f{file_hash(path)}\x1e".encode())
    return digest.hexdigest()


def load_tokenizer(path: Path) -> Tokenizer:
    """Return a tokenizer. Raises UsageError when the file is not a tokenizer.json."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as problem:  # the library raises bare Exception
        raise UsageError(f"{path} is not a tokenizer.json ({problem})") from None
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def leading_special_ids(tokenizer: Tokenizer) -> list[int]:
    """Return the ids that the tokenizer's template puts before every text (Llama's BOS; nothing for OLMo)."""
    plain = tokenizer.encode("a", add_special_tokens=False).ids
    full = tokenizer.encode("a", add_special_tokens=True).ids
    for start in range(len(full) - len(plain) + 1):
        if full[start : start + len(plain)] == plain:
            return full[:start]
    return []


def accepts_position_ids(model: PreTrainedModel) -> bool:
    """Return whether positions can be given (BLOOM and other ALiBi models derive them from the mask instead)."""
    return "position_ids" in inspect.signature(model.forward).parameters


def context_length(config: Any) -> int | None:
    """Return the most positions a model was built for, or None when it has no such limit (ALiBi)."""
    length = getattr(config, "max_position_embeddings", None)
    return int(length) if length else None


def visible_length(config: Any) -> int | None:
    """Return how many tokens a model can look back on: its context, or its sliding window where that is shorter.

    A window is no limit when some layers see everything (Gemma 3: every sixth).
    """
    window = sliding_window(config)
    if "full_attention" in (getattr(config, "layer_types", None) or ()):
        window = None
    limits = [limit for limit in (context_length(config), window) if limit]
    return min(limits) if limits else None


def n_parameters(model: PreTrainedModel) -> int:
    """Return the number of parameters, tied ones once."""
    return sum(parameter.numel() for parameter in model.parameters())


def pick_device(name: str) -> torch.device:
    """Return the device of `--device` (auto: the first GPU if there is one). Raises UsageError for a missing one."""
    if name == "auto":
        local_rank = int(os.environ.get("LOCAL_RANK", "0"))
        return torch.device("cuda", local_rank) if torch.cuda.is_available() else torch.device("cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(f"--device {name}: torch sees no GPU here; use --device cpu")
    try:
        return torch.device(name)
    except RuntimeError:
        raise UsageError(f"--device {name}: not a device; use auto, cpu or cuda") from None


def pick_dtype(name: str, device: torch.device) -> str:
    """Return the dtype of `--dtype` (auto: bfloat16 on a GPU, float32 on a CPU, where bf16 is slower)."""
    if name == "auto":
        return "bfloat16" if device.type == "cuda" else "float32"
    if name not in _DTYPES:
        raise UsageError(f"--dtype {name}: use auto, float32 or bfloat16")
    return name
