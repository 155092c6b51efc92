"""Which model a user means, and its identity by content."""

import json
from dataclasses import dataclass
from pathlib import Path

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.base.shipped import find_shipped
from warehouse.contract.hashing import file_hash, short_hash
from warehouse.lake.files import read_table

_IDENTITY_FILES = ("config.json", "*.safetensors", "*.safetensors.index.json", "*.bin", "tokenizer.json")


@dataclass(frozen=True)
class Model:
    """A model as `ml` loads it (`source`) and as tables name it (`model_id`)."""

    source: str  # folder, configuration file, or hub name
    model_id: str


def identify_model(spec: str, *, seed: int = 0) -> Model:
    """Return the model that a folder, a JSON configuration (random weights), a GGUF file or a hub name stands for.

    The id of a folder or GGUF file is its name and the hash of its weights; a hub name, with `@revision` behind it
    where one is given, stands for itself. What comes with the
    product is named as in the repository, such as `ml/base_model`, unless the working directory holds that too.

    Raises:
        UsageError: the path exists but holds no model, or the spec looks like a path that does not exist.
    """
    path = Path(spec).expanduser()
    if not path.exists():
        path = find_shipped(spec) or path
    if path.is_dir():
        if not (path / "config.json").exists():
            raise UsageError(f"{path} holds no model: there is no config.json in it")
        files = sorted(file for pattern in _IDENTITY_FILES for file in path.glob(pattern))
        digest = short_hash([(file.name, file_hash(file)) for file in files])
        name = path.resolve().parent.name if path.name == "model" else path.resolve().name
        return Model(str(path.resolve()), f"{name}@{digest}")
    if path.is_file() and path.suffix == ".gguf":
        return Model(str(path.resolve()), f"{path.stem}@{short_hash(file_hash(path))}")
    if path.is_file():
        try:
            config = json.loads(path.read_text())
        except (UnicodeDecodeError, json.JSONDecodeError):
            raise UsageError(f"{path} is no model configuration: a JSON file like a model's config.json") from None
        return Model(str(path.resolve()), f"{path.stem}-random-{seed}@{short_hash(config)}")
    if spec.endswith((".json", ".gguf")) or spec.startswith((".", "/", "~")):
        raise UsageError(f"no model at {spec}: give a folder, a configuration file (.json), a GGUF file or a hub name")
    return Model(spec, spec)


def at_revision(spec: str, revision: str | None) -> str:
    """Return a model with the revision of the hub that a user asks for beside its name.

    Raises:
        UsageError: it is no hub name, or has a revision already.
    """
    if revision is None:
        return spec
    if Path(spec).expanduser().exists() or find_shipped(spec) or "@" in spec:
        raise UsageError(f"--revision {revision}: --model {spec} is no hub name; only those have revisions")
    return f"{spec}@{revision}"


def hub_commit(model: Model) -> dict[str, str]:
    """Return the commit of a hub model that is in the cache, by its name; nothing for any other model."""
    from huggingface_hub import try_to_load_from_cache

    if Path(model.source).exists():
        return {}
    name, _, revision = model.source.partition("@")
    found = try_to_load_from_cache(name, "config.json", revision=revision or None)
    return {model.source: Path(found).parent.name} if isinstance(found, str) else {}


@dataclass(frozen=True)
class Provenance:
    """Where a model comes from, for the rows of its evaluation."""

    experiment: str | None
    strategy: str
    seed: int | None


def provenance(home: Home, model: Model) -> Provenance:
    """Return the experiment, strategy and seed that a training run of this home recorded for a model.

    A model that this home did not train is a base model.
    """
    runs = read_table(home, "runs", columns=["kind", "model_id", "experiment", "strategy", "seed"]).to_pylist()
    trained = [r for r in runs if r["kind"] == "train" and r["model_id"] == model.model_id]
    if not trained:
        return Provenance(None, "base", None)
    return Provenance(trained[0]["experiment"], trained[0]["strategy"], trained[0]["seed"])
