"""Corpora to count: planted long documents, and random ones with the word frequencies and lengths of a crawl."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tokenizers import Tokenizer

from warehouse.base.machine import available_threads
from warehouse.counting.shards import NO_DOCS, ShardPart
from warehouse.planted.documents import BLOCK_DOCS, block_documents
from warehouse.planted.settings import find_setting

CRAWL_VOCABULARY = 50_304
_CRAWL_TOKENS = 600  # of a document, on average
_CRAWL_LANGUAGES = ("en", "fr", "zh", "ja")
_ZIPF_SHIFT = 2.7  # Mandelbrot's: the frequency of the token of rank r is about 1 / (r + 2.7)
_SHARD_DOCS = 4096
_ROW_GROUP = 1024


def planted_shards(folder: Path, tokenizer_file: Path, *, n_blocks: int) -> list[ShardPart]:
    """Write the planted world's long documents as shards of `raw.documents` (the columns that counting reads)."""
    return _written(folder, [(folder, tokenizer_file, block) for block in range(n_blocks)], _planted_shard)


def crawl_shards(folder: Path, *, n_shards: int, vocabulary: int = CRAWL_VOCABULARY) -> list[ShardPart]:
    """Write documents of Zipf-distributed tokens, in languages that share a third of their vocabulary."""
    return _written(folder, [(folder, vocabulary, number) for number in range(n_shards)], _crawl_shard)


def _written(folder: Path, jobs: list[tuple[Any, ...]], write: Callable[..., Any]) -> list[ShardPart]:
    folder.mkdir(parents=True, exist_ok=True)
    n_workers = min(available_threads(), len(jobs))
    if n_workers < 2:
        paths = [write(*job) for job in jobs]
    else:
        with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool:
            paths = list(pool.map(write, *zip(*jobs, strict=True)))
    return [ShardPart(path, [], NO_DOCS, only=False) for path in paths]


def _planted_shard(folder: Path, tokenizer_file: Path, block: int) -> Path:
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    documents = block_documents(find_setting("long_documents"), 0, block)
    encoded = tokenizer.encode_batch([document.text for document in documents], add_special_tokens=False)
    ids = [np.array(encoding.ids, np.int32) for encoding in encoded]
    return _save(folder, block, [document.lang for document in documents], ids, BLOCK_DOCS)


def _crawl_shard(folder: Path, vocabulary: int, number: int) -> Path:
    rng = np.random.default_rng(number)
    cumulative = np.cumsum(1 / (np.arange(vocabulary) + _ZIPF_SHIFT))
    lengths = np.maximum(16, rng.geometric(1 / _CRAWL_TOKENS, _SHARD_DOCS))
    ranks = np.searchsorted(cumulative, rng.random(int(lengths.sum())) * cumulative[-1])
    langs = rng.integers(0, len(_CRAWL_LANGUAGES), _SHARD_DOCS)
    # two thirds of the ranks mean another token in every language
    of_token = np.repeat(langs, lengths)
    tokens = np.where(ranks % 3 == 0, ranks, (ranks + of_token * (vocabulary // 7)) % vocabulary).astype(np.int32)
    ids = np.split(tokens, np.cumsum(lengths)[:-1])
    return _save(folder, number, [_CRAWL_LANGUAGES[lang] for lang in langs], ids, _SHARD_DOCS)


def _save(folder: Path, number: int, langs: list[str], ids: list[np.ndarray], n_docs: int) -> Path:
    path = folder / f"shard-{number:05d}.parquet"
    lengths = np.array([own.size for own in ids])
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    rows = pa.table(
        {
            "doc_id": pa.array(np.arange(len(ids), dtype=np.int64) + number * n_docs),
            "lang": pa.array(langs, pa.string()),
            "token_ids": pa.ListArray.from_arrays(offsets, pa.array(np.concatenate(ids))),
        }
    )
    pq.write_table(rows, path, row_group_size=_ROW_GROUP)
    return path
