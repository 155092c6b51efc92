"""Move an embedded warehouse into a shared lake, and show that all of it arrived."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from warehouse.base.errors import StepFailed
from warehouse.base.settings import Home
from warehouse.build.dbt_runner import build_variables
from warehouse.engines.ducklake import tokenizers
from warehouse.engines.ducklake.address import Address
from warehouse.engines.ducklake.attach import ALIAS
from warehouse.engines.ducklake.marts import CONTENT, Mart, publish_marts
from warehouse.engines.ducklake.register import Shard, register
from warehouse.engines.ducklake.superseded_documents import update_superseded
from warehouse.engines.ducklake.tables import content_sql, prepare
from warehouse.engines.ducklake.transactions import WAIT_S, SharedLake, rows, shared_lake
from warehouse.lake.connections import writer_lock
from warehouse.lake.schemas import COUNTED, SCHEMAS, STATE


@dataclass(frozen=True)
class Checked:
    """One raw table of the lake, counted and hashed row by row after it was written.

    Attributes:
        n_files: registered files that hold its rows.
        content: the sum of its row hashes, equal to that of the files.
    """

    table: str
    n_files: int
    n_rows: int
    content: int


@dataclass(frozen=True)
class Migrated:
    """What a migration did: shards registered by this call, marts written by it, and raw tables as they are now."""

    registered: list[Shard]
    marts: list[Mart]
    tables: list[Checked]


def migrate(
    home: Home,
    address: Address,
    *,
    verify: bool = True,
    wait_s: float = WAIT_S,
    advance: Callable[[int], object] = lambda n: None,
) -> Migrated:
    """Register all raw shards of a home that the lake lacks; copy the home's marts if the lake has none.

    The home is only read, and stays what it was. Again, it registers what is new; killed, run it again to go on.

    Args:
        verify: read every raw table of the lake again and hold it to the files that were registered.
        wait_s: how long one transaction is tried again; seconds.
        advance: called with the number of shards that were looked at.

    Raises:
        UsageError: the catalogue cannot be opened, or holds other rows under the same names.
        StepFailed: the catalogue went away, or the lake's rows are not those of the files.
    """
    with writer_lock(home), shared_lake(address, wait_s, create=True) as shared:
        prepare(shared)
        tokenizers.push(shared, home)
        registered = register(shared, home, advance=advance)
        update_superseded(shared)
        marts = []
        if home.warehouse_file.exists():
            marts = publish_marts(shared, home.warehouse_file, build_variables(home), only_first=True)
        tables = verify_raw(shared) if verify else []
        if verify:
            _verify_marts(shared, marts)
    return Migrated(registered, marts, tables)


def verify_raw(shared: SharedLake) -> list[Checked]:
    """Count and hash every raw table of the lake, and hold it to what its registered files add up to.

    Raises:
        StepFailed: a table has lost rows, or holds some twice.
    """
    checked = []
    for table in sorted(set(SCHEMAS) - set(STATE)):
        current, what = "", f"raw table {table} of the lake"
        if table in COUNTED:  # earlier counts are registered too; one per corpus is there
            current = f" and (corpus, name) in (select (corpus, count_id) from {ALIAS}.shards.current_counts)"
        expected = (
            "select count(*), coalesce(sum(n_rows), 0), coalesce(sum(content::hugeint), 0)"
            f" from {ALIAS}.shards.registered where table_name = '{table}'{current}"
        )
        [(n_files, n_rows, content)] = shared.read(partial(rows, sql=expected), what)
        [found] = shared.read(partial(rows, sql=content_sql(table, f"{ALIAS}.shards.{table}")), what)
        if found != (n_rows, content):
            raise StepFailed(
                f"raw table {table} holds {found[0]:,} rows and its {n_files:,} registered files {n_rows:,}, or rows "
                "differ: look at `pivots snapshots`, and read an earlier one with --as-of"
            )
        checked.append(Checked(table, n_files, n_rows, content))
    return checked


def _verify_marts(shared: SharedLake, marts: list[Mart]) -> None:
    for mart in marts:
        written = f'{CONTENT} from {ALIAS}.marts."{mart.name}" one_row'
        [found] = shared.read(partial(rows, sql=written), f"mart {mart.name} of the lake")
        if found != (mart.n_rows, mart.content):
            raise StepFailed(f"mart {mart.name} has {mart.n_rows:,} rows here and {found[0]:,} in the lake, or others")
