"""What an experiment is judged by, written down before its first training: a row of raw.experiments."""

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.experiments.plan import Plan
from warehouse.lake.connections import writer_lock
from warehouse.lake.files import shard_path, write_table
from warehouse.lake.schemas import RECORDED


def declare(home: Home, experiment: str, plan: Plan) -> None:
    """Record the primary outcome of an experiment, once: a repeated experiment must declare the same.

    Raises:
        UsageError: it was declared otherwise before; results may be known by now.
    """
    row = {
        "experiment": experiment,
        "preset": plan.name,
        "primary_outcome": plan.primary_outcome,
        "primary_word_split": plan.primary_word_split,
        "smallest_effect": plan.smallest_effect,
    }
    path = shard_path(home, "experiments", experiment)
    with writer_lock(home):
        if not path.exists():
            write_table(path, "experiments", pa.Table.from_pylist([row], schema=RECORDED["experiments"]))
            return
        [earlier] = pq.read_table(path).to_pylist()
    changed = [name for name in row if row[name] != earlier[name]]
    if changed:
        said = ", ".join(f"{name} {earlier[name]} (now {row[name]})" for name in changed)
        raise UsageError(f"{experiment} was declared with {said}; what it is judged by stays: set it back")
