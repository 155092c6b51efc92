"""Bring a home what others have registered in a shared lake, as the files it would have made itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_folder
from warehouse.engines.ducklake import storage, tokenizers
from warehouse.engines.ducklake.address import Address
from warehouse.engines.ducklake.attach import ALIAS
from warehouse.engines.ducklake.register import Key
from warehouse.engines.ducklake.transactions import SharedLake, rows, shared_lake
from warehouse.lake.connections import writer_lock
from warehouse.lake.files import NO_CORPUS, current_count, point_to_count, shard_path, write_table
from warehouse.lake.schemas import COUNTED, SCHEMAS
from warehouse.lake.superseded_documents import update_superseded

_LAST = "source_files"  # whose row says that a shard is whole


@dataclass(frozen=True)
class Pulled:
    """What a home was given: how many raw files, and the corpora whose count is now the lake's."""

    n_files: int
    counts: list[str]


@dataclass(frozen=True)
class _Registered:
    key: Key
    n_rows: int
    url: str


def pull(
    home: Home,
    address: Address,
    *,
    corpora: Iterable[str] = (),
    advance: Callable[[int], object] = lambda n: None,
) -> Pulled:
    """Copy every registered raw file that the home lacks, and the current counts: what counting and building need.

    Nothing of the home is overwritten, except which count is current: the lake's is, unless the home has one that was
    never registered. Killed, run it again to go on.

    Args:
        corpora: only these, with what belongs to no corpus; all when empty.
        advance: called with the number of files copied.

    Raises:
        UsageError: the catalogue cannot be opened.
        StepFailed: it went away, or a file cannot be read.
    """
    wanted = {*corpora, NO_CORPUS}
    n_files, counts = 0, []
    with writer_lock(home), shared_lake(address) as shared:
        tokenizers.pull(shared, home)
        registered = [r for r in _registered(shared) if not corpora or r.key[1] in wanted]
        ingested = {r.key[1] for r in registered if r.key[0] == "documents"}
        for one in sorted(registered, key=lambda r: (r.key[0] == _LAST, r.key)):
            table, corpus, name = one.key
            target = shard_path(home, table, name, corpus=corpus)
            if table in SCHEMAS and table not in COUNTED and one.url and not target.exists():
                _copy(one, target)
                n_files += 1
                advance(1)
        for corpus in sorted(ingested):
            update_superseded(home, corpus)
            if _pull_count(shared, home, corpus, registered):
                counts.append(corpus)
    return Pulled(n_files, counts)


def _registered(shared: SharedLake) -> list[_Registered]:
    found = f"select table_name, corpus, name, n_rows, file from {ALIAS}.shards.registered"
    return [
        _Registered((table, corpus, name), n_rows, url)
        for table, corpus, name, n_rows, url in shared.read(partial(rows, sql=found), "registered shards")
    ]


def _copy(one: _Registered, target: Path) -> None:
    if one.n_rows == 0:  # the lake does not keep files without rows
        write_table(target, one.key[0], SCHEMAS[one.key[0]].empty_table())
    else:
        storage.get(one.url, target)


def _pull_count(shared: SharedLake, home: Home, corpus: str, registered: list[_Registered]) -> bool:
    """Make the lake's count of a corpus the home's; return whether it was another one."""
    current = f"select count_id from {ALIAS}.shards.current_counts where corpus = ?"
    found = shared.read(partial(rows, sql=current, values=[corpus]), f"count of {corpus}")
    own = current_count(home, corpus)
    names = {r.key[2] for r in registered if r.key[0] in COUNTED and r.key[1] == corpus}
    if not found or found[0][0] == own or (own is not None and own not in names):
        return False
    [(count_id,)] = found
    folder = home.lake / "counts" / corpus / count_id
    if not folder.exists():
        with atomic_folder(folder) as unfinished:
            for one in registered:
                if one.key[0] in COUNTED and one.key[1:] == (corpus, count_id):
                    _copy(one, unfinished / f"{one.key[0]}.parquet")
    point_to_count(home, corpus, count_id)
    return True
