"""How the memory setting is divided, so that the peak of a count does not depend on the corpus's size.

PIVOTS_MEMORY (default 4GiB) is what one step may hold at once. Of it, counting gives an eighth to the dense rows of one
pass, and cuts the units into chunks of at most a sixteenth (the bits of a chunk's frequent tokens are about as much
again); what grows with the vocabulary and the number of strata
(a few times strata x tokens x 4 bytes) comes on top, as do Arrow's buffers of one file.
"""

from dataclasses import dataclass

from warehouse.base.errors import UsageError
from warehouse.base.machine import memory_limit


@dataclass(frozen=True)
class MemoryPlan:
    """Sizes in bytes."""

    rows: int  # dense rows counted in one pass over the units
    chunk: int  # ids of one chunk of units
    sort: int  # edges sorted at once


def memory_plan(limit: str | None = None) -> MemoryPlan:
    """Divide the memory setting (or `limit`, in the same form: 4GiB, 500MB).

    Raises:
        UsageError: the setting is not a size.
    """
    import duckdb  # nothing else of counting needs it

    text = limit or memory_limit()
    try:  # DuckDB, which is given the same setting, says what it means
        with duckdb.connect() as connection:
            [(total,)] = connection.execute("select parse_formatted_bytes(?)", [text]).fetchall()
    except duckdb.Error:
        raise UsageError(f"PIVOTS_MEMORY is {text!r}: give a size such as 4GiB or 800MB") from None
    return MemoryPlan(rows=total // 8, chunk=total // 16, sort=total // 8)
