"""The trainer with an accident: `python -m support.ml_runs.dying HOW STEP RANK ARGUMENTS OF ml.train`.

HOW is `killed` (the process kills itself with SIGKILL when it reaches the step), `full` (its disk is full when the
checkpoint of that step is written) or `apart` (it sees another disk from the start). Only that rank has it.
`bf16` is no accident: all processes train under bf16 autocast, which only GPUs do otherwise.
"""

import os
import signal
import sys
from typing import Any

import ml.train
import ml.training.checkpoints
import ml.training.sharding
from ml.common.errors import run_program

how, at_step, rank, *arguments = sys.argv[1:]
whole_step, whole_save = ml.train.accumulate_gradients, ml.train.save_checkpoint


def step(*given: Any) -> tuple[float, float]:
    """Die at the step."""
    if given[-1] == int(at_step):
        os.kill(os.getpid(), signal.SIGKILL)
    return whole_step(*given)


def save_checkpoint(*given: Any, step: int, **options: Any) -> None:
    """Find the disk full when this process's own part is written."""

    def no_space(self: Any, *ignored: Any) -> None:
        raise RuntimeError("[enforce fail at inline_container.cc:659] . unexpected pos 704 vs 598")

    if step == int(at_step):
        ml.training.checkpoints.dcp.FileSystemWriter.write_data = no_space  # type: ignore[method-assign,assignment]
    whole_save(*given, step=step, **options)


if how == "bf16":
    whole_accelerator = ml.training.sharding.Accelerator
    ml.training.sharding.Accelerator = lambda mixed_precision, cpu: whole_accelerator(mixed_precision="bf16", cpu=cpu)  # type: ignore
elif os.environ["RANK"] == rank:
    if how == "apart":
        arguments[arguments.index("--out") + 1] += "-on-another-disk"
    elif how == "killed":
        ml.train.accumulate_gradients = step
    else:
        ml.train.save_checkpoint = save_checkpoint
run_program(lambda: ml.train.main(arguments))
