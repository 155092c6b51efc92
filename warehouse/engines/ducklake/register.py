"""Register a home's raw shards in a shared lake: each exactly once, whoever brings it, however often it is interrupted.

A file is first put beside the lake's other files under a name that carries its content, where nobody reads it yet. Then
one short transaction looks whether it is registered, registers it if not, and is committed only when nobody has
committed anything in between; otherwise it looks again. So a killed writer leaves either a registered shard or a file
that the next try finds, and two writers with the same shard register it once.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.base.sql_text import literal
from warehouse.contract.hashing import file_hash
from warehouse.engines.ducklake import storage
from warehouse.engines.ducklake.attach import ALIAS, data_path
from warehouse.engines.ducklake.tables import content_sql
from warehouse.engines.ducklake.transactions import SharedLake, author, rows
from warehouse.lake.connections import open_memory
from warehouse.lake.files import NO_CORPUS, current_files
from warehouse.lake.schemas import COUNTED, SCHEMAS, STATE
from warehouse.lake.superseded_documents import REJECTS_NAME

_INGESTED = ("source_files", "documents", "word_documents", "rejects")
_COMPARED_BYTES = 1 << 20
FLUSH_EVERY = 500  # shards

Key = tuple[str, str, str]  # table, corpus, name


@dataclass(frozen=True)
class Shard:
    """Files that are registered together: what one file of a corpus, one list, one count or one run has left.

    Attributes:
        corpus: folder name; `_` without one.
        name: shard_id, count_id, run_id or the list's name.
        files: key -> file, sorted.
    """

    corpus: str
    name: str
    files: dict[Key, Path]

    @property
    def title(self) -> str:
        return f"shard {self.name}" + (f" of {self.corpus}" if self.corpus != NO_CORPUS else "")


def shards(home: Home) -> list[Shard]:
    """Return what a home has to register, sorted. What is replaced in place is left out: a lake finds it by itself."""
    grouped: dict[tuple[str, str], dict[Key, Path]] = {}
    for table in sorted(set(SCHEMAS) - set(STATE)):
        for file in current_files(home, table):
            if table in COUNTED:
                corpus, name = file.parent.parent.name, file.parent.name
                group = (corpus, name)
            else:
                corpus, name = file.parent.name, file.stem
                if table == "rejects" and name == REJECTS_NAME:
                    continue
                group = (corpus, name.split("-")[0] if table in _INGESTED else name)
            grouped.setdefault(group, {})[(table, corpus, name)] = file
    return [Shard(*group, dict(sorted(files.items()))) for group, files in sorted(grouped.items())]


def register(shared: SharedLake, home: Home, *, advance: Callable[[int], object] = lambda n: None) -> list[Shard]:
    """Register what the lake does not have. Killed or not, run it again to go on.

    Args:
        advance: called with the number of shards that were looked at.

    Returns:
        The shards of which this call has registered something.

    Raises:
        UsageError: the lake has other rows under the name of one of the home's small files.
        StepFailed: the catalogue or the storage cannot be reached, or others kept committing.
    """
    done: list[Shard] = []
    found = shards(home)
    registered = shared.read(_registered, "names of registered shards")
    _check_same(found, registered)
    for shard in found:
        new = {key: file for key, file in shard.files.items() if key not in registered}
        if new and _register_files(shared, shard, new):
            done.append(shard)
            if len(done) % FLUSH_EVERY == 0:
                flush(shared)
        advance(1)
    return done


def _register_files(shared: SharedLake, shard: Shard, files: dict[Key, Path]) -> int | None:
    """Register files of one shard unless others have done it, in one snapshot; return how many, None for none."""
    prepared = dict(_put_all(shared, files))

    def work(connection: duckdb.DuckDBPyConnection) -> int | None:
        taken = _registered(connection, shard)
        new = {key: stored for key, stored in prepared.items() if key not in taken}
        if any(table in COUNTED for table, _corpus, _name in new):  # a corpus has one current count
            for table in (*COUNTED, "current_counts"):
                connection.execute(f"delete from {ALIAS}.shards.{table} where corpus = ?", [shard.corpus])
            connection.execute(f"insert into {ALIAS}.shards.current_counts values (?, ?)", [shard.corpus, shard.name])
        for (table, _corpus, _name), stored in new.items():
            if stored.n_rows:
                _add_file(connection, table, stored.url)
        record(connection, {key: (stored.n_rows, stored.content, stored.url) for key, stored in new.items()})
        return len(new) or None

    return shared.commit(work, shard.title, alone=True)


def flush(shared: SharedLake) -> None:
    """Move the names of what is registered from the catalogue into a file: every transaction reads them."""

    def work(connection: duckdb.DuckDBPyConnection) -> bool | None:
        moved = f"call ducklake_flush_inlined_data('{ALIAS}', schema_name => 'shards', table_name => 'registered')"
        return True if rows(connection, moved) else None

    shared.commit(work, "names of registered shards", alone=True)


@dataclass(frozen=True)
class _Stored:
    url: str
    n_rows: int
    content: int  # sum of row hashes


def _put_all(shared: SharedLake, files: dict[Key, Path]) -> Iterator[tuple[Key, _Stored]]:
    data = shared.read(data_path, "where the lake's files are")
    with open_memory() as memory:
        for (table, corpus, name), file in files.items():
            n_rows, content = content_of(memory, table, file)
            url = storage.put(file, data, f"shards/{table}/{corpus}/{name}-{file_hash(file)[:12]}.parquet")
            yield (table, corpus, name), _Stored(url, n_rows, content)


def content_of(connection: duckdb.DuckDBPyConnection, table: str, file: Path) -> tuple[int, int]:
    """Return a file's row count and the sum of its row hashes; a column that it lacks is NULL."""
    connection.execute("set TimeZone = 'UTC'")  # a timestamp's text is part of a row's hash
    connection.register("no_rows", SCHEMAS[table].empty_table())
    union = f"from no_rows union all by name from read_parquet({literal(file)})"
    [(n_rows, content)] = rows(connection, content_sql(table, f"({union})"))
    return n_rows, content


def _add_file(connection: duckdb.DuckDBPyConnection, table: str, url: str) -> None:
    connection.execute(
        f"call ducklake_add_data_files('{ALIAS}', '{table}', ?, schema => 'shards', allow_missing => true)", [url]
    )


def record(connection: duckdb.DuckDBPyConnection, files: dict[Key, tuple[int, int, str]]) -> None:
    """Say in the running transaction that files are registered: key -> rows, content, where it is."""
    writer = author()
    for key, (n_rows, content, url) in files.items():
        connection.execute(
            f"insert into {ALIAS}.shards.registered values (?, ?, ?, ?, ?, ?, ?)",
            [*key, n_rows, str(content), url, writer],
        )


def _registered(connection: duckdb.DuckDBPyConnection, shard: Shard | None = None) -> dict[Key, tuple[int, str, str]]:
    """Return key -> (rows, content, who registered it): of one shard's files, or of all."""
    where, values = "", []
    if shard is not None:
        names = sorted({key[2] for key in shard.files})
        where, values = " where corpus = ? and list_contains(?, name)", [shard.corpus, names]
    found = rows(
        connection,
        f"select table_name, corpus, name, n_rows, content, registered_by from {ALIAS}.shards.registered{where}",
        values,
    )
    return {(table, corpus, name): (n, content, by) for table, corpus, name, n, content, by in found}


def _check_same(found: Iterable[Shard], registered: dict[Key, tuple[int, str, str]]) -> None:
    """Hold small files to what was registered under their names, such as the one row of a corpus."""
    with open_memory() as memory:
        for key, file in (pair for shard in found for pair in shard.files.items()):
            if key not in registered or key[0] == "runs" or file.stat().st_size > _COMPARED_BYTES:
                continue  # runs carry clocks: who registered one first has told of it
            n_rows, content, writer = registered[key]
            if (n_rows, int(content)) != content_of(memory, key[0], file):
                raise UsageError(
                    f"{key[0]} of {key[1]}, {key[2]}: {writer} has registered other rows under this name; "
                    "give what differs another name (a corpus has one tokenizer and one set of options)"
                )
