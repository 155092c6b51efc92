"""Results of `ml` into the lake: a run's result files, checked against the raw tables' schemas, and its run row."""

from pathlib import Path

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.contract.reading import read_rows
from warehouse.contract.result_schemas import RESULT
from warehouse.lake.connections import writer_lock
from warehouse.lake.files import shard_path, write_table
from warehouse.lake.runs import Run


def write_back(home: Home, run: Run, folder: Path) -> dict[str, int]:
    """Register the result tables that a run wrote below `folder/results`, then the run itself.

    The run row comes last: it is what says that a run is complete. Doing it again changes nothing.

    Returns:
        Rows per table.

    Raises:
        StepFailed: a file is not one of the result tables, or its rows do not fit the table's schema.
    """
    rows: dict[str, int] = {}
    with writer_lock(home):
        for file in sorted((folder / "results").glob("*.parquet")):
            if file.stem not in RESULT:
                raise StepFailed(f"{file} is no result table (they are: {', '.join(sorted(RESULT))})")
            try:
                table = read_rows(file, RESULT[file.stem])
            except UsageError as problem:
                raise StepFailed(f"it does not fit raw.{file.stem}: {problem}") from None
            write_table(shard_path(home, file.stem, run.run_id), file.stem, table)
            rows[file.stem] = table.num_rows
        run.record(home)
    return rows


def is_registered(home: Home, run: Run) -> bool:
    """Return whether a run is complete in the lake."""
    return shard_path(home, "runs", run.run_id).exists()
