"""The plan of an experiment: which arms, seeds and items, read from a preset and checked before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from warehouse.base.errors import UsageError
from warehouse.contract.hashing import short_hash
from warehouse.experiments.launch import preset_file


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an experiment does. The arms differ in their documents and in nothing else."""

    name: str  # of the preset
    preset: Path  # the training regime, the same for all arms
    strategies: tuple[str, ...]
    seeds: tuple[int, ...]
    budget_tokens: int  # document tokens per arm
    n_items: int | None  # items scored; None = all
    n_pivots: int  # pivots per pair whose probability is traced
    parallel_arms: int  # training processes side by side

    def experiment_id(self, corpora: Sequence[str], model_id: str) -> str:
        """Return the name that rows of this experiment carry: the same request has the same name."""
        regime = yaml_of(self.preset).get("train")
        request = [list(corpora), model_id, self.strategies, self.budget_tokens, self.n_items, regime]
        return f"{self.name}-{short_hash(request)}"

    def replications(self, corpora: Sequence[str]) -> list[tuple[str, int]]:
        """Return each replication's corpus and seed. Several corpora take turns: seed 0 reads the first, and so on.

        With one corpus the seeds differ in the order of the same documents only; with a corpus of its own for every
        seed, intervals over seeds hold the choice of documents too.

        Raises:
            UsageError: there are more corpora than seeds.
        """
        if len(corpora) > len(self.seeds):
            raise UsageError(f"{len(corpora)} corpora need as many seeds: add --seeds {len(corpora)}")
        return [(corpora[seed % len(corpora)], seed) for seed in self.seeds]


def yaml_of(path: Path) -> Any:
    """Return a YAML file's content.

    Raises:
        UsageError: it is no YAML.
    """
    try:
        return yaml.safe_load(path.read_text())
    except yaml.YAMLError as mistake:
        raise UsageError(f"{path} is no YAML: {str(mistake).splitlines()[0]}") from None


def read_plan(preset: str, *, seeds: int | None = None) -> Plan:
    """Return the plan that the `experiment` section of a preset describes.

    Args:
        preset: name in `profiles/` or path of a preset.
        seeds: number of seeds, instead of the preset's own.

    Raises:
        UsageError: the section is missing, or one of its entries is missing, unknown or impossible.
    """
    path = preset_file(preset)
    section = (yaml_of(path) or {}).get("experiment")
    if not isinstance(section, dict):
        raise UsageError(f"{path} has no section `experiment`: it is a training preset only")
    expected = {"strategies", "n_seeds", "budget_tokens", "n_items", "n_pivots", "parallel_arms"}
    if wrong := sorted(expected ^ set(section)):
        raise UsageError(f"{path}: section `experiment` needs exactly {', '.join(sorted(expected))}; check {wrong}")
    n_seeds = seeds if seeds is not None else section["n_seeds"]
    if n_seeds < 1:
        raise UsageError("an experiment needs at least one seed")
    return Plan(
        name=path.stem,
        preset=path,
        strategies=tuple(section["strategies"]),
        seeds=tuple(range(n_seeds)),
        budget_tokens=int(section["budget_tokens"]),
        n_items=section["n_items"],
        n_pivots=section["n_pivots"],
        parallel_arms=section["parallel_arms"],
    )
