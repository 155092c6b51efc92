"""Corpora and their tokenizers: registered once, never changed."""

from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_file
from warehouse.contract.tokenizer_identity import is_same
from warehouse.lake.corpora import Corpus, read_corpora, recorded_tokenizer_hash, tokenizer_file
from warehouse.lake.files import shard_path, write_table
from warehouse.lake.schemas import SHARDED
from warehouse.text.token_rows import token_rows
from warehouse.text.tokenizing import LoadedTokenizer


def tokenizer_engine(home: Home, tokenizer_hash: str, *, probed: str) -> str:
    """Return the engine that encodes with a tokenizer: the probed one, unless real text once showed it inexact."""
    return "tokenizers" if _inexact_mark(home, tokenizer_hash).exists() else probed


def use_reference_engine(home: Home, tokenizer_hash: str) -> None:
    """Remember that only the reference engine is exact for a tokenizer."""
    with atomic_file(_inexact_mark(home, tokenizer_hash)) as unfinished:
        unfinished.write_text("gigatoken gave other ids than tokenizers on a sample of real text\n")


def check_corpus(home: Home, corpus: str, tokenizer: LoadedTokenizer, *, eos_token_id: int | None) -> Corpus:
    """Return the corpus as it is, or would be with this tokenizer and separator.

    Raises:
        UsageError: it exists with another tokenizer or separator, or the separator is no token.
    """
    if eos_token_id is not None and not (
        0 <= eos_token_id < len(tokenizer.vocabulary) and tokenizer.vocabulary.exists[eos_token_id]
    ):
        raise UsageError(f"--eos-token-id {eos_token_id}: {tokenizer.name} has no such token")
    digest = recorded_tokenizer_hash(home, tokenizer.content)
    known = read_corpora(home)
    wanted = Corpus(
        corpus=corpus,
        tokenizer_hash=digest,
        tokenizer_name=tokenizer.name,
        vocab_size=len(tokenizer.vocabulary),
        eos_token_id=tokenizer.eos_token_id if eos_token_id is None else eos_token_id,
    )
    if corpus not in known:
        return wanted
    existing = known[corpus]
    kept = tokenizer_file(home, existing.tokenizer_hash)
    if existing.tokenizer_hash != digest and not (kept.exists() and is_same(tokenizer.content, kept)):
        raise UsageError(
            f"corpus {corpus} was made with tokenizer {existing.tokenizer_name} ({existing.tokenizer_hash[:12]}), "
            f"not {tokenizer.name} ({digest[:12]}): use that one, or another --corpus name"
        )
    if eos_token_id is not None and existing.eos_token_id != eos_token_id:
        raise UsageError(
            f"corpus {corpus} was made with --eos-token-id {existing.eos_token_id}, not {eos_token_id}: "
            "leave the option out, or use another --corpus name"
        )
    return existing


def register_corpus(home: Home, corpus: Corpus, tokenizer: LoadedTokenizer) -> None:
    """Write the corpus's row, its tokenizer and the tokenizer's tokens, where they are missing."""
    kept = tokenizer_file(home, corpus.tokenizer_hash)
    if not kept.exists():
        with atomic_file(kept) as unfinished:
            unfinished.write_bytes(tokenizer.content)
    tokens = shard_path(home, "tokens", corpus.tokenizer_hash)
    if not tokens.exists():
        write_table(tokens, "tokens", token_rows(tokenizer.vocabulary, corpus.tokenizer_hash))
    # from here on only shards with a row in raw.source_files count as committed
    shard_path(home, "source_files", "", corpus=corpus.corpus).parent.mkdir(parents=True, exist_ok=True)
    row = shard_path(home, "corpora", "corpus", corpus=corpus.corpus)
    if not row.exists():
        write_table(row, "corpora", pa.Table.from_pylist([asdict(corpus)], schema=SHARDED["corpora"]))


def _inexact_mark(home: Home, tokenizer_hash: str) -> Path:
    return tokenizer_file(home, tokenizer_hash).with_suffix(".inexact")
