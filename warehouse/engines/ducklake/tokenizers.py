"""Tokenizers in a shared lake: what the token ids of its documents mean, for who counts or exports elsewhere."""

from functools import partial

import duckdb

from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_file
from warehouse.engines.ducklake.attach import ALIAS
from warehouse.engines.ducklake.transactions import SharedLake, rows
from warehouse.lake.corpora import tokenizer_file

_KNOWN = f"select tokenizer_hash from {ALIAS}.shards.tokenizer_files"


def push(shared: SharedLake, home: Home) -> None:
    """Keep the home's tokenizers in the lake, each once.

    Raises:
        StepFailed: the catalogue cannot be reached, or others kept committing.
    """
    for file in sorted((home.lake / "tokenizers").glob("*.json")):
        if file.name.startswith(".") or (file.stem,) in shared.read(
            lambda c: rows(c, _KNOWN), "tokenizers of the lake"
        ):
            continue
        content = file.read_bytes().decode()

        def work(connection: duckdb.DuckDBPyConnection, name: str = file.stem, text: str = content) -> bool | None:
            if (name,) in rows(connection, _KNOWN):
                return None
            connection.execute(f"insert into {ALIAS}.shards.tokenizer_files values (?, ?)", [name, text])
            return True

        shared.commit(work, f"tokenizer {file.stem[:12]}", alone=True)


def pull(shared: SharedLake, home: Home) -> None:
    """Give the home the lake's tokenizers that it lacks.

    Raises:
        StepFailed: the catalogue cannot be reached.
    """
    for (name,) in shared.read(lambda c: rows(c, _KNOWN), "tokenizers of the lake"):
        target = tokenizer_file(home, name)
        if target.exists():
            continue
        found = f"select content from {ALIAS}.shards.tokenizer_files where tokenizer_hash = ?"
        [(content,)] = shared.read(partial(rows, sql=found, values=[name]), f"tokenizer {name}")
        with atomic_file(target) as unfinished:
            unfinished.write_bytes(content.encode())
