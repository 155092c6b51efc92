"""Checkpoints of one training as a series: several revisions of a hub model, or the models in a folder.

A checkpoint's name says its step, as the hub's series have it (`step1000`, `step1000-tokens4B`, `checkpoint-1000`); how
many tokens were read by then stands in its name, or beside the weights of a model that `pivots train` kept.
"""

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from warehouse.base.errors import UsageError
from warehouse.contract.folders import TRAINING_PLACE
from warehouse.experiments.model_identity import Model, at_revision, identify_model

_STEP = re.compile(r"(?:step|checkpoint|ckpt|iter)s?[-_]?0*(\d+)", re.IGNORECASE)
_TOKENS = re.compile(r"tokens?[-_]?(\d+)([KMBT]?)", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


@dataclass(frozen=True)
class Checkpoint:
    """One model, and where it stands in the series that it belongs to; a model by itself has no series."""

    model: Model
    series: str | None = None
    step: int | None = None
    n_tokens_seen: int | None = None


def find_checkpoints(spec: str, revisions: Sequence[str] = ()) -> list[Checkpoint]:
    """Return the models that are meant, by their step: one, or those of a series.

    Args:
        spec: a model as `identify_model` takes it, or a folder whose folders are models.
        revisions: of a hub model; several make a series.

    Raises:
        UsageError: a model does not exist, or the name of one in a series says no step, or two say the same.
    """
    folders = _models_in(Path(spec).expanduser())
    if folders and revisions:
        raise UsageError(f"--revision {revisions[0]}: --model {spec} is no hub name; only those have revisions")
    if folders:
        series = str(Path(spec).expanduser().resolve())
        found = [_checkpoint(identify_model(str(folder)), series, folder.name, folder) for folder in folders]
    elif len(revisions) > 1:
        found = [_checkpoint(identify_model(at_revision(spec, name)), spec, name) for name in revisions]
    else:
        return [Checkpoint(identify_model(at_revision(spec, revisions[0] if revisions else None)))]
    found.sort(key=lambda checkpoint: checkpoint.step or 0)
    for before, after in itertools.pairwise(found):
        if before.step == after.step:
            raise UsageError(f"--model {spec}: two checkpoints say that they are of step {after.step}")
    return found


def _models_in(folder: Path) -> list[Path]:
    """Return the folders of a folder that hold models, if it holds none itself."""
    if not folder.is_dir() or (folder / "config.json").exists():
        return []
    return sorted(path.parent for path in folder.glob("*/config.json"))


def _checkpoint(model: Model, series: str, name: str, folder: Path | None = None) -> Checkpoint:
    place = folder / TRAINING_PLACE if folder else None
    if place is not None and place.exists():
        recorded = json.loads(place.read_text())
        return Checkpoint(model, series, recorded["step"], recorded["n_tokens_seen"])
    step = _STEP.search(name)
    if step is None:
        raise UsageError(f"--model {series}: {name!r} says no step; name a checkpoint such as step1000")
    tokens = _TOKENS.search(name)
    n_tokens = int(tokens[1]) * _UNITS[tokens[2].upper()] if tokens else None
    return Checkpoint(model, series, int(step[1]), n_tokens)
