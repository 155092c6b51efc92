"""One id, one document, over all files of a corpus that are registered in a shared lake, whoever registered them."""

import duckdb

from warehouse.contract.hashing import short_hash
from warehouse.engines.ducklake.attach import ALIAS
from warehouse.engines.ducklake.register import record
from warehouse.engines.ducklake.tables import DUPLICATES
from warehouse.engines.ducklake.transactions import SharedLake, rows
from warehouse.lake.schemas import SHARDED, STATE
from warehouse.lake.superseded_documents import losers_sql

_TRIES = 3


def update_superseded(shared: SharedLake) -> None:
    """Find, for every corpus with new files, the documents that other files replace (see `losers_sql`).

    Raises:
        StepFailed: the catalogue or the storage cannot be reached, or others kept committing.
    """
    named = f"select distinct corpus from {ALIAS}.shards.registered where table_name = 'documents' order by corpus"
    for (corpus,) in shared.read(lambda connection: rows(connection, named), "corpora of the lake"):
        for _ in range(_TRIES):  # who registers more meanwhile does the same afterwards
            if _update_corpus(shared, corpus):
                break


def _update_corpus(shared: SharedLake, corpus: str) -> bool:
    """Replace the corpus's rows, unless files were registered while they were found; return whether they are right.

    Finding them takes long on a large corpus, so it is done before the transaction, which must be short to stand alone.
    """
    message = f"superseded documents of {corpus}"
    key = shared.read(lambda connection: _state(connection, corpus), message)
    if shared.read(lambda connection: _is_done(connection, key), message):
        return True
    find = losers_sql(f"(from {ALIAS}.shards.documents where corpus = $corpus)", "$corpus")
    losers = shared.read(lambda connection: connection.execute(find, {"corpus": corpus}).to_arrow_table(), message)

    def work(connection: duckdb.DuckDBPyConnection) -> bool | None:
        if _state(connection, corpus) != key or _is_done(connection, key):
            return None
        connection.register("losers_found", losers)
        columns = {"superseded_documents": STATE["superseded_documents"], DUPLICATES: SHARDED["rejects"]}
        for table, schema in columns.items():
            connection.execute(f"delete from {ALIAS}.shards.{table} where corpus = ?", [corpus])
            connection.execute(f"insert into {ALIAS}.shards.{table} select {', '.join(schema.names)} from losers_found")
        record(connection, {key: (losers.num_rows, 0, "")})
        return True

    shared.commit(work, message, alone=True)
    return shared.read(lambda connection: _state(connection, corpus), message) == key


def _state(connection: duckdb.DuckDBPyConnection, corpus: str) -> tuple[str, str, str]:
    """Return a key that names all files of documents that the corpus has now."""
    names = rows(
        connection,
        f"select name from {ALIAS}.shards.registered where table_name = 'documents' and corpus = ? order by name",
        [corpus],
    )
    return "superseded_documents", corpus, short_hash([name for (name,) in names])


def _is_done(connection: duckdb.DuckDBPyConnection, key: tuple[str, str, str]) -> bool:
    found = f"select 1 from {ALIAS}.shards.registered where table_name = ? and corpus = ? and name = ?"
    return bool(rows(connection, found, list(key)))
