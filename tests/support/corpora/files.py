"""Small tokenizers, corpora and word lists for the ingest tests, and naive readings of what ingest wrote."""

import functools
import json
from pathlib import Path
from typing import Any

import duckdb
import tokenizers
import zstandard
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from warehouse.base.settings import Home

TRAINING_TEXT = [
    "The quick brown fox jumps over the lazy dog; the water of the river is cold, the house is old.",
    "L'eau de la rivière est froide, la maison est vieille, le cœur d'été où l'âme rêve.",
    "水很冷，房子很旧。河里的水流过山谷，中国人说中文。",
    "川の水は冷たい。家は古い。日本語とカタカナを書く人。",
    "Вода холодная, дом старый. สวัสดีชาวโลก น้ำเย็น",
] * 3


@functools.cache
def small_tokenizer_json(*, vocab_size: int = 500) -> str:
    """Return a byte-level BPE tokenizer, trained in milliseconds, in OLMo's shape."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=["<|endoftext|>", "<|padding|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(TRAINING_TEXT, trainer)
    return tokenizer.to_str()


def write_tokenizer(folder: Path, *, vocab_size: int = 500) -> Path:
    """Write the small tokenizer below a folder; return its path."""
    path = folder / f"small{vocab_size}.json"
    path.write_text(small_tokenizer_json(vocab_size=vocab_size), encoding="utf-8")
    return path


def write_jsonl(path: Path, records: list[Any]) -> Path:
    """Write records one a line; strings and bytes are written as they are. Compressed when the name says .zst."""
    lines = [
        r if isinstance(r, bytes) else r.encode() if isinstance(r, str) else json.dumps(r).encode() for r in records
    ]
    content = b"".join(line + b"\n" for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zstandard.compress(content) if path.suffix == ".zst" else content)
    return path


def document(source_id: str, text: str, *, lang: str | None = "en", source: str = "s") -> dict[str, Any]:
    """Return a Dolma record."""
    metadata = {} if lang is None else {"lang": lang}
    return {"id": source_id, "text": text, "source": source, "metadata": metadata}


def rows(home: Home, query: str) -> list[tuple[Any, ...]]:
    """Run SQL over the raw views of a home."""
    from warehouse.lake.raw_views import refresh_raw_views

    with duckdb.connect() as connection:
        connection.execute("create schema raw")
        refresh_raw_views(home, connection)
        return connection.execute(query).fetchall()


# What must not depend on the order of files, their splitting, or which was imported first.
DOCUMENTS = """
    select corpus, doc_id, source_id, source, lang, lang_source, lang_score, content_hash, n_chars, n_bytes, n_tokens,
        token_ids
    from raw.documents order by doc_id
"""
WORD_DOCUMENTS = """
    select corpus, doc_id, word_id, match_policy, n_matches, token_starts
    from raw.word_documents order by doc_id, word_id
"""
REJECTS = "select source_file, line_number, reason from raw.rejects order by all"


def lake_bytes(home: Home) -> dict[str, bytes]:
    """Return every file of the lake but the run records, which have clocks, and what the views made."""
    files = [p for p in home.lake.rglob("*") if p.is_file()]
    files = [p for p in files if p.relative_to(home.lake).parts[0] not in ("runs", "_empty")]
    return {p.relative_to(home.lake).as_posix(): p.read_bytes() for p in files}
