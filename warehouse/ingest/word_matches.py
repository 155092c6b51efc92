"""Words looked for in documents that were there before them, and how each tokenizer writes them.

raw.word_documents has one file per document shard and word list, so a new list costs one pass for its new words only,
and the rows do not depend on which came first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.base.machine import available_threads
from warehouse.base.ordered_map import ordered_map
from warehouse.base.progress import progress
from warehouse.base.settings import Home
from warehouse.ingest.piece_rows import Tools, rows_of_words
from warehouse.ingest.shard_writer import open_parquet, word_documents_path
from warehouse.lake.corpora import read_corpora, tokenizer_file
from warehouse.lake.files import current_files, shard_path, write_table
from warehouse.lake.schemas import SHARDED
from warehouse.text.tokenizing import Encoder

_COLUMNS = ["corpus", "shard_id", "doc_id", "n_bytes", "token_ids"]
_PARALLEL_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class _Task:
    """One row group of a document shard and the word lists to look for in it."""

    tools: Tools
    documents: Path
    row_group: int
    outputs: tuple[Path, ...]  # one per word file
    n_bytes: int


def word_files(home: Home) -> tuple[Path, ...]:
    """Return the raw.words shards. A word is in one of them only."""
    return tuple(current_files(home, "words"))


def match_missing(home: Home) -> int:
    """Look for every word in every committed document where that was not done yet; return the number of new files.

    The caller holds the writer lock.
    """
    tasks = list(_missing_tasks(home))
    total = sum(task.n_bytes for task in tasks)
    processes = available_threads() if total >= _PARALLEL_BYTES else 1
    n_files = 0
    with progress("matching words", total, "bytes") as advance:
        results = ordered_map(_match, tasks, processes=processes)
        remaining = iter(tasks)
        task = next(remaining, None)
        while task is not None:
            outputs = task.outputs
            columns: list[list[pa.Table]] = [[] for _ in outputs]
            while task is not None and task.outputs == outputs:
                for column, rows in zip(columns, next(results), strict=True):
                    column.append(rows)
                advance(task.n_bytes)
                task = next(remaining, None)
            for path, tables in zip(outputs, columns, strict=True):
                with open_parquet(path, "word_documents") as writer:
                    for table in tables:
                        writer.write_table(table)
            n_files += len(outputs)
    return n_files


def _missing_tasks(home: Home) -> Iterator[_Task]:
    corpora = read_corpora(home)
    for committed in current_files(home, "source_files"):
        corpus, shard_id = committed.parent.name, committed.stem
        missing = [f for f in word_files(home) if not word_documents_path(home, corpus, shard_id, f).exists()]
        if not missing:
            continue
        # the reference engine: nothing is encoded here
        tools = Tools(tokenizer_file(home, corpora[corpus].tokenizer_hash), "tokenizers", tuple(missing))
        outputs = tuple(word_documents_path(home, corpus, shard_id, f) for f in missing)
        documents = shard_path(home, "documents", shard_id, corpus=corpus)
        metadata = pq.read_metadata(documents)
        if metadata.num_row_groups == 0:
            for path in outputs:
                write_table(path, "word_documents", SHARDED["word_documents"].empty_table())
        for group in range(metadata.num_row_groups):
            yield _Task(tools, documents, group, outputs, metadata.row_group(group).total_byte_size)


def _match(task: _Task) -> tuple[pa.Table, ...]:
    with pq.ParquetFile(task.documents) as file:
        documents = file.read_row_group(task.row_group, columns=_COLUMNS)
    return rows_of_words(task.tools, documents)


def write_missing_forms(home: Home) -> None:
    """Write how each corpus's tokenizer writes each word, bare and after a space, where that is missing."""
    for tokenizer_hash in sorted({corpus.tokenizer_hash for corpus in read_corpora(home).values()}):
        encoder: Encoder | None = None
        for file in word_files(home):
            path = shard_path(home, "word_token_forms", f"{file.stem}-{tokenizer_hash[:12]}")
            if path.exists():
                continue
            encoder = encoder or Encoder(tokenizer_file(home, tokenizer_hash).read_bytes(), "tokenizers")
            write_table(path, "word_token_forms", _forms(encoder, tokenizer_hash, pq.read_table(file)))


def _forms(encoder: Encoder, tokenizer_hash: str, words: pa.Table) -> pa.Table:
    bare = words["word"].to_pylist()
    texts = [form for word in bare for form in (word, f" {word}")]
    encoded = encoder.encode([text.encode() for text in texts])
    return pa.table(
        {
            "tokenizer_hash": pa.repeat(pa.scalar(tokenizer_hash), len(texts)),
            "word_id": [word_id for word_id in words["word_id"].to_pylist() for _ in range(2)],
            "form": ["bare", "spaced"] * len(bare),
            "token_ids": pa.ListArray.from_arrays(pa.array(encoded.offsets, pa.int32()), pa.array(encoded.token_ids)),
        },
        schema=SHARDED["word_token_forms"],
    )
