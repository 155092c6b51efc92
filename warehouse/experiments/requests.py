"""What a user asks of a flow: checked once, then passed as one file to the flow's process."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from warehouse.base.errors import UsageError
from warehouse.contract.hashing import short_hash
from warehouse.contract.requests import write_request
from warehouse.experiments.model_identity import identify_model
from warehouse.experiments.plan import Plan, read_plan


class FlowRequest(BaseModel):
    """What every flow that is started by a command is told."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    home: Path = Field(description="the warehouse's folder")
    plan: Plan = Field(description="what is compared, and how it is trained")


class ExperimentRequest(FlowRequest):
    """Compare selection strategies on one base model and one corpus or more."""

    corpora: tuple[str, ...] = Field(min_length=1, description="several: one for each seed, in turn")
    model: str = Field(description="the base model: folder, configuration file or hub name")


class DemoRequest(FlowRequest):
    """The whole pipeline on a planted corpus."""

    scale: float = Field(gt=0, description="1 is 10,000 documents")
    seed: int = Field(description="seed of the planted documents")


def experiment_request(
    home: Path,
    *,
    corpora: list[str],
    model: str,
    preset: str,
    seeds: int | None = None,
    budget_tokens: int | None = None,
    held_out_tokens: int | None = None,
) -> ExperimentRequest:
    """Return the request for an experiment.

    Args:
        seeds: instead of the preset's.
        budget_tokens: document tokens per arm, instead of the preset's.
        held_out_tokens: how much of the held-out documents each model reads; all when None, nothing when 0.

    Raises:
        UsageError: the preset or the model does not exist or is wrong, or there are more corpora than seeds.
    """
    if not corpora:
        raise UsageError("an experiment needs at least one corpus")
    plan = read_plan(preset, seeds=seeds, budget_tokens=budget_tokens, held_out_tokens=held_out_tokens)
    plan.replications(corpora)
    identify_model(model)
    return ExperimentRequest(home=home, plan=plan, corpora=tuple(corpora), model=model)


def write_flow_request(folder: Path, request: FlowRequest) -> Path:
    """Write a request for a flow's process into a folder named by its content; return the file."""
    content = request.model_dump(mode="json")
    file = folder / f"{type(request).__name__}-{short_hash(content)}.json"
    write_request(file, request)
    return file
