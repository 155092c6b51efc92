"""The stages: what each answers, how long it may take, and which code its answers depend on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """A stage is a program: `python -m <module> --results FILE --work DIR --seconds S --sizes full|rehearsal`.

    It writes FILE again after every answer (`warehouse.contract.stage_answers`), stops by itself when its seconds are
    over, and finds its earlier answers in FILE when it is started again.
    """

    name: str
    answers: str  # for the page
    module: str
    limit_s: int | None  # None: all that is left of the budget
    least_s: int  # with less it is not started
    sources: tuple[str, ...]  # folders and files that its answers depend on, below the root of the code


_ML = ("ml", "warehouse/contract")
_WAREHOUSE = ("warehouse/contract", "warehouse/base", "warehouse/planted")

# In the order of their worth: what all later figures rest on, then the product's own targets, then the experiment.
STAGES = (
    Stage("machine", "What the machine is, and what it can do at best", "ml.gpu.stages.machine", 60, 15, _ML),
    Stage("correct", "Does the GPU compute what the CPU computes?", "ml.gpu.stages.correct", 240, 45, _ML),
    Stage("train", "How fast is training, and what helps?", "ml.gpu.stages.train", 330, 60, _ML),
    Stage("score", "How fast are scoring and tracing, and what helps?", "ml.gpu.stages.score", 420, 60, _ML),
    Stage(
        "count",
        "Does counting on a GPU pay?",
        "warehouse.engines.gpu",
        100,
        40,
        (*_WAREHOUSE, "warehouse/counting", "warehouse/engines/gpu"),
    ),
    Stage(
        "ladder",
        "Does a small model rank arms as a large one does?",
        "ml.gpu.stages.ladder",
        None,
        60,
        (*_ML, *_WAREHOUSE),
    ),
    Stage(
        "tests", "The tests of `ml`, on this machine", "ml.gpu.stages.product_tests", 150, 40, (*_ML, "tests/ml")
    ),
)  # fmt: skip


def find_stages(names: list[str]) -> tuple[Stage, ...]:
    """Return the named stages in the order of their worth, or all when none is named.

    Raises:
        ValueError: there is no stage of a name.
    """
    known = {stage.name for stage in STAGES}
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"no stage {', '.join(unknown)}: there are {', '.join(stage.name for stage in STAGES)}")
    return tuple(stage for stage in STAGES if not names or stage.name in names)
