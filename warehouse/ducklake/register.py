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

from warehouse import lake
from warehouse.connection import open_memory
from warehouse.ducklake import storage
from warehouse.ducklake.attach import ALIAS, data_path
from warehouse.ducklake.tables import DUPLICATES
from warehouse.ducklake.transactions import SharedLake, author, rows
from warehouse.errors import UsageError
from warehouse.hashing import file_hash, short_hash
from warehouse.schemas import COUNTED, SCHEMAS, SHARDED, STATE
from warehouse.settings import Home
from warehouse.superseded import REJECTS_NAME, losers_sql

_INGESTED = ("source_files", "documents", "word_documents", "rejects")
_COMPARED_BYTES = 1 << 20
CONTENT = "select count(*), coalesce(sum(md5_number_lower(one_row::varchar)), 0)"

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
        return f"shard {self.name}" + (f" of {self.corpus}" if self.corpus != lake.NO_CORPUS else "")


def shards(home: Home) -> list[Shard]:
    """Return what a home has to register, sorted. What is replaced in place is left out: a lake finds it by itself."""
    grouped: dict[tuple[str, str], dict[Key, Path]] = {}
    for table in sorted(set(SCHEMAS) - set(STATE)):
        for file in lake.current_files(home, table):
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
    """Register what the lake does not have, then find its superseded documents. Killed or not, run it again to go on.

    Args:
        advance: called with the number of shards that were looked at.

    Returns:
        The shards of which this call has registered something.

    Raises:
        UsageError: the lake has other rows under the name of one of the home's small files.
        StepFailed: the catalogue or the storage cannot be reached, or others kept committing.
    """
    done = []
    found = shards(home)
    registered = _registered(shared.connection)
    _check_same(found, registered)
    for shard in found:
        if not shard.files.keys() <= registered.keys() and register_shard(shared, shard):
            done.append(shard)
        advance(1)
    for corpus in sorted({shard.corpus for shard in found if any(key[0] == "documents" for key in shard.files)}):
        _update_superseded(shared, corpus)
    return done


def register_shard(shared: SharedLake, shard: Shard) -> int | None:
    """Register the files of one shard that are not registered yet, in one snapshot; return how many, None for none.

    Raises:
        StepFailed: the catalogue or the storage cannot be reached, or others kept committing.
    """
    known = _registered(shared.connection, shard)
    prepared = dict(_put_all(shared, {key: file for key, file in shard.files.items() if key not in known}))

    def work(connection: duckdb.DuckDBPyConnection) -> int | None:
        taken = _registered(connection, shard)
        new = {key: stored for key, stored in prepared.items() if key not in taken}
        for (table, corpus, _name), stored in new.items():
            if table in COUNTED:  # a corpus has one current count
                connection.execute(f"delete from {ALIAS}.shards.{table} where corpus = ?", [corpus])
            if stored.n_rows:
                _add_file(connection, table, stored.url)
        _record(connection, new)
        return len(new) or None

    return shared.commit(work, shard.title, alone=True)


@dataclass(frozen=True)
class _Stored:
    url: str
    n_rows: int
    content: int  # sum of row hashes


def _put_all(shared: SharedLake, files: dict[Key, Path]) -> Iterator[tuple[Key, _Stored]]:
    data = data_path(shared.connection)
    with open_memory() as memory:
        for (table, corpus, name), file in files.items():
            n_rows, content = content_of(memory, table, file)
            url = storage.put(file, data, f"shards/{table}/{corpus}/{name}-{file_hash(file)[:12]}.parquet")
            yield (table, corpus, name), _Stored(url, n_rows, content)


def content_of(connection: duckdb.DuckDBPyConnection, table: str, file: Path) -> tuple[int, int]:
    """Return a file's row count and the sum of its row hashes; a column that it lacks is NULL."""
    connection.execute("set TimeZone = 'UTC'")  # a timestamp's text is part of a row's hash
    connection.register("no_rows", SCHEMAS[table].empty_table())
    union = f"from no_rows union all by name from read_parquet('{str(file).replace(chr(39), chr(39) * 2)}')"
    [(n_rows, content)] = rows(connection, f"{CONTENT} from ({union}) one_row")
    return n_rows, content


def _add_file(connection: duckdb.DuckDBPyConnection, table: str, url: str) -> None:
    connection.execute(
        f"call ducklake_add_data_files('{ALIAS}', '{table}', ?, schema => 'shards', allow_missing => true)", [url]
    )


def _record(connection: duckdb.DuckDBPyConnection, stored: dict[Key, _Stored]) -> None:
    writer = author()
    for key, file in stored.items():
        connection.execute(
            f"insert into {ALIAS}.shards.registered values (?, ?, ?, ?, ?, ?, ?)",
            [*key, file.n_rows, str(file.content), file.url, writer],
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


def _update_superseded(shared: SharedLake, corpus: str) -> None:
    """Find the documents that other files of the corpus replace, over all that is registered (see `superseded`)."""

    def work(connection: duckdb.DuckDBPyConnection) -> int | None:
        names = rows(
            connection,
            f"select name from {ALIAS}.shards.registered where table_name = 'documents' and corpus = ? order by name",
            [corpus],
        )
        key = ("superseded_documents", corpus, short_hash([name for (name,) in names]))
        if rows(
            connection,
            f"from {ALIAS}.shards.registered where (table_name, corpus, name) = (?, ?, ?)",
            list(key),
        ):
            return None
        documents = f"(from {ALIAS}.shards.documents where corpus = $corpus)"
        connection.execute(
            f"create or replace temp table losers as {losers_sql(documents, '$corpus')}", {"corpus": corpus}
        )
        found = {"superseded_documents": STATE["superseded_documents"], DUPLICATES: SHARDED["rejects"]}
        for table, schema in found.items():
            connection.execute(f"delete from {ALIAS}.shards.{table} where corpus = ?", [corpus])
            connection.execute(f"insert into {ALIAS}.shards.{table} select {', '.join(schema.names)} from losers")
        [(n_rows,)] = rows(connection, "select count(*) from losers")
        _record(connection, {key: _Stored("", n_rows, 0)})
        return n_rows + 1

    shared.commit(work, f"superseded documents of {corpus}", alone=True)
