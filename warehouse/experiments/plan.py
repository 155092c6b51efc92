"""The plan of an experiment: which arms, seeds and items, read from a preset and checked before anything runs."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from warehouse.base.errors import UsageError
from warehouse.contract.hashing import short_hash
from warehouse.contract.presets import TrainPreset, read_preset
from warehouse.experiments.presets import preset_file


class Plan(BaseModel):
    """What an experiment does. The arms differ in their documents and in nothing else."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    name: str  # of the preset
    regime: TrainPreset  # how to train, the same for all arms
    strategies: tuple[str, ...]
    seeds: tuple[int, ...]
    budget_tokens: int  # document tokens per arm
    n_items: int | None  # items scored; None = all
    n_pivots: int  # pivots per pair whose probability is traced
    parallel_arms: int  # training processes side by side
    held_out_tokens: int | None = None  # of held-out documents that each model reads; None = all
    primary_outcome: str | None = None  # what it is judged by; None: as the dbt variables say
    primary_word_split: str | None = None
    smallest_effect: float | None = None  # in the unit of the primary outcome

    def experiment_id(self, corpora: Sequence[str], model_id: str) -> str:
        """Return the name that rows of this experiment carry: the same request has the same name."""
        regime = self.regime.model_dump()
        request: list[Any] = [list(corpora), model_id, self.strategies, self.budget_tokens, self.n_items, regime]
        if self.held_out_tokens is not None:  # names that were given before there was a limit stay
            request.append(["held_out_tokens", self.held_out_tokens])
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


def read_plan(
    preset: str, *, seeds: int | None = None, budget_tokens: int | None = None, held_out_tokens: int | None = None
) -> Plan:
    """Return the plan that the `experiment` section of a preset describes.

    Args:
        preset: name in `profiles/` or path of a preset.
        seeds: number of seeds, instead of the preset's own.
        budget_tokens: document tokens per arm, instead of the preset's own.
        held_out_tokens: how much of the held-out documents each model reads; all when None, nothing when 0.

    Raises:
        UsageError: the section is missing, or entries of the preset are missing, unknown or impossible.
    """
    path = preset_file(preset)
    content = read_preset(path)
    arms = content.experiment
    if arms is None:
        raise UsageError(f"{path} has no section `experiment`: it is a training preset only")
    n_seeds = seeds if seeds is not None else arms.n_seeds
    if n_seeds < 1:
        raise UsageError("an experiment needs at least one seed")
    return Plan(
        name=path.stem,
        regime=content.train,
        strategies=arms.strategies,
        seeds=tuple(range(n_seeds)),
        budget_tokens=arms.budget_tokens if budget_tokens is None else budget_tokens,
        n_items=arms.n_items,
        n_pivots=arms.n_pivots,
        parallel_arms=arms.parallel_arms,
        held_out_tokens=held_out_tokens,
        primary_outcome=arms.primary_outcome,
        primary_word_split=arms.primary_word_split,
        smallest_effect=None if arms.smallest_effect is None else float(arms.smallest_effect),
    )
