"""Lakes to measure on: real documents where the shared data is there, synthetic ones elsewhere, and larger mixtures."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from support.places import PROJECT
from warehouse.base.settings import Home
from warehouse.lake.files import current_files, read_table, shard_path, write_table
from warehouse.lake.schemas import SHARDED

CORPUS = "bench"
SHARED_DATA = PROJECT.parent / "shared" / "data"
PIECE_TOKENS = 128
_DOC_PIECES = 16  # documents of a mixture: 2,048 tokens
_SHARD_DOCS = 4_000
TOKENS_PER_SCALE = 1.233e6  # of planted long documents
PLANTED_TOKENIZER = PROJECT / "ml" / "base_model" / "tokenizer.json"
_SHARD_TABLES = ("documents", "word_documents", "source_files")


def make_lake(folder: Path) -> tuple[Home, str]:
    """Return a home with corpus `bench` and what its documents are."""
    home = Home(folder)
    is_real = (SHARED_DATA / "tokenizers" / "olmo.json").exists()
    if not home.lake.exists():
        _real(home) if is_real else _synthetic(home, n_docs=9_000, vocab_size=50_000, n_words=3_000)
    if is_real:
        return home, "Python documentation in en, fr, zh, ja and side by side, tldr pages, news (19 M tokens)"
    return home, "synthetic documents, Zipf tokens by topic"


def make_tiny(folder: Path) -> None:
    """Make a home with a corpus that is counted in no time: what loads all kernels."""
    if not folder.exists():
        _synthetic(Home(folder), n_docs=100, vocab_size=500, n_words=100)


def make_planted(folder: Path, n_tokens: float, *, seed: int) -> Home:
    """Return a home with about N tokens of the planted corpus of long documents, which lies beside it."""
    from warehouse.ingest.corpus import ingest_corpus
    from warehouse.ingest.word_list import import_words
    from warehouse.planted.plant import plant_corpus

    home = Home(folder.with_name(folder.name + "-lake"))
    if not folder.exists():
        plant_corpus(folder, scale=n_tokens / TOKENS_PER_SCALE, seed=seed, setting="long_documents")
    import_words(home, folder / "words.jsonl")
    ingest_corpus(home, [folder / "documents"], corpus=CORPUS, tokenizer=str(PLANTED_TOKENIZER))
    return home


def first_shards(source: Home, folder: Path, n_tokens: float) -> None:
    """Make a home of the first shards of another, as many as hold N tokens; files are links."""
    home = Home(folder)
    if home.lake.exists():
        return
    rows = read_table(source, "source_files").sort_by("source_file").to_pylist()
    held = 0
    chosen = []
    for row in rows:
        if held >= n_tokens:
            break
        path = shard_path(source, "documents", row["shard_id"], corpus=CORPUS)
        held += pc.sum(pq.ParquetFile(path).read(columns=["n_tokens"])["n_tokens"]).as_py()
        chosen.append(row["shard_id"])
    for table in (*_SHARD_TABLES, "corpora", "translation_items"):
        for path in current_files(source, table):
            if table not in _SHARD_TABLES or path.stem.split("-")[0] in chosen:
                _link(path, home.lake / path.relative_to(source.lake))


def add_shards(more: Home, home: Home) -> None:
    """Link all shards of one home into another."""
    for path in _shard_files(more):
        _link(path, home.lake / path.relative_to(more.lake))


def remove_shards(more: Home, home: Home) -> None:
    """Take the shards of one home out of another again."""
    for path in _shard_files(more):
        (home.lake / path.relative_to(more.lake)).unlink(missing_ok=True)


def _shard_files(home: Home) -> list[Path]:
    return [path for table in _SHARD_TABLES for path in current_files(home, table)]


def _link(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.hardlink_to(path)


def forget(home: Home, *, only: str | None = None) -> None:
    """Remove all counts and sums of a home, or one count only."""
    if only:
        shutil.rmtree(home.lake / "counts" / CORPUS / only)
        return
    for name in ("counts", "sums"):
        shutil.rmtree(home.lake / name, ignore_errors=True)


def _real(home: Home) -> Home:
    from warehouse.ingest.corpus import ingest_corpus
    from warehouse.ingest.word_list import import_words

    import_words(home, SHARED_DATA / "words" / "clwtd.jsonl.zst")
    folders = [SHARED_DATA / "corpora" / name for name in ("pydocs", "pydocs_bilingual", "tldr", "pud")]
    files = sorted(file for folder in folders for file in folder.glob("*.jsonl.zst"))
    ingest_corpus(home, files, corpus=CORPUS, tokenizer=str(SHARED_DATA / "tokenizers" / "olmo.json"))
    return home


def _synthetic(home: Home, *, n_docs: int, vocab_size: int, n_words: int) -> Home:
    """Documents of 1,024 tokens: half of them common to all, half of one topic's, by Zipf's law."""
    rng = np.random.default_rng(0)
    tokens = np.minimum(rng.zipf(1.15, (n_docs, 1024)) - 1, vocab_size - 1)
    topics = rng.integers(0, 40, n_docs)[:, None] * 997
    tokens[:, 512:] = (tokens[:, 512:] * 40 + topics) % vocab_size
    words = np.minimum(rng.zipf(1.2, (n_docs, 24)) - 1, n_words - 1)
    docs = Documents(
        tokens=tokens.astype(np.int32).ravel(),
        langs=np.array(["en", "fr", "zh", "ja"])[topics[:, 0] % 4],
        match_docs=np.repeat(np.arange(n_docs), 24),
        match_words=words.ravel() + 1,
        match_starts=np.tile(np.arange(24, dtype=np.int32) * 40, n_docs),
        doc_tokens=1024,
    )
    _write_tables(home, vocab_size, n_words)
    _write_shard(home, docs, 0)
    return home


@dataclass
class Documents:
    """Documents of one length, and one row per word match."""

    tokens: np.ndarray  # int32[docs * doc_tokens]
    langs: np.ndarray  # str[docs]
    match_docs: np.ndarray
    match_words: np.ndarray
    match_starts: np.ndarray  # token within the document
    doc_tokens: int


def _write_tables(home: Home, vocab_size: int, n_words: int) -> None:
    tokenizer = {"corpus": [CORPUS], "tokenizer_hash": ["t"], "tokenizer_name": ["t"]}
    tokenizer |= {"vocab_size": [vocab_size], "eos_token_id": pa.nulls(1, pa.int32())}
    items = {"item_id": np.arange(n_words) // 4, "lang": ["l"] * n_words, "word_id": np.arange(n_words) + 1}
    write_table(shard_path(home, "corpora", "c", corpus=CORPUS), "corpora", pa.table(tokenizer))
    write_table(shard_path(home, "translation_items", "list"), "translation_items", pa.table(items))


def _write_shard(home: Home, docs: Documents, number: int) -> None:
    """Write documents and matches as one shard; columns that counting does not read are NULL."""
    n_docs = len(docs.langs)
    shard_id = f"{number:08d}"
    doc_ids = np.arange(n_docs) + number * _SHARD_DOCS * 10
    lengths = np.arange(n_docs + 1, dtype=np.int32) * docs.doc_tokens
    nulls = {field.name: pa.nulls(n_docs, field.type) for field in SHARDED["documents"]}
    columns = {
        "corpus": pa.repeat(CORPUS, n_docs),
        "shard_id": pa.repeat(shard_id, n_docs),
        "doc_id": doc_ids,
        "lang": docs.langs,
        "n_tokens": np.full(n_docs, docs.doc_tokens, np.int32),
        "token_ids": pa.ListArray.from_arrays(lengths, docs.tokens),
    }
    path = shard_path(home, "documents", shard_id, corpus=CORPUS)
    write_table(path, "documents", pa.table(nulls | columns))
    order = np.lexsort((docs.match_starts, docs.match_words, docs.match_docs))
    match_docs, words = docs.match_docs[order], docs.match_words[order]
    first = np.flatnonzero(np.diff(match_docs, prepend=-1) | np.diff(words, prepend=-1))
    ends = np.append(first, order.size).astype(np.int32)
    matches = {
        "corpus": pa.repeat(CORPUS, first.size),
        "shard_id": pa.repeat(shard_id, first.size),
        "doc_id": doc_ids[match_docs[first]],
        "word_id": words[first],
        "match_policy": pa.repeat("text", first.size),
        "n_matches": np.diff(ends),
        "token_starts": pa.ListArray.from_arrays(ends, docs.match_starts[order].astype(np.int32)),
    }
    path = shard_path(home, "word_documents", f"{shard_id}-list", corpus=CORPUS)
    write_table(path, "word_documents", pa.table(matches))


def make_mixture(source: Home, folder: Path, n_tokens: int, *, first_shard: int = 0) -> Home:
    """Return a home of any size: documents of 16 pieces of 128 tokens, drawn from the source's documents by language.

    Tokens and words keep their frequencies, and stand together within a piece as they did.
    """
    home = Home(folder)
    if home.lake.exists():
        return home
    pieces = _pieces(source)
    vocab_size = int(read_table(source, "corpora")["vocab_size"][0].as_py())
    _write_tables(home, vocab_size, 1)
    items = read_table(source, "translation_items")
    write_table(shard_path(home, "translation_items", "list"), "translation_items", items)
    n_docs = n_tokens // (PIECE_TOKENS * _DOC_PIECES)
    for number, start in enumerate(range(0, n_docs, _SHARD_DOCS), start=first_shard):
        rng = np.random.default_rng(number)
        chosen = _choose(pieces, min(_SHARD_DOCS, n_docs - start), rng)
        _write_shard(home, _mixed(pieces, chosen), number)
    return home


@dataclass
class _Pieces:
    tokens: np.ndarray  # int32[pieces, PIECE_TOKENS]
    langs: np.ndarray  # str[pieces]
    match_starts: np.ndarray  # int64[pieces + 1]: the matches of each piece
    words: np.ndarray  # int64[matches]
    offsets: np.ndarray  # int32[matches], token within the piece


def _pieces(source: Home) -> _Pieces:
    tokens, langs, piece_of_doc = [], [], {}
    n_pieces = 0
    for path in current_files(source, "documents"):
        table = pq.read_table(path, columns=["doc_id", "lang", "token_ids"])
        rows = zip(table["doc_id"].to_pylist(), table["lang"].to_pylist(), table["token_ids"], strict=True)
        for doc, lang, ids in rows:
            n = len(ids) // PIECE_TOKENS
            tokens.append(ids.values.to_numpy()[: n * PIECE_TOKENS].reshape(n, PIECE_TOKENS))
            langs.append(np.repeat(lang, n))
            piece_of_doc[doc] = (n_pieces, n)
            n_pieces += n
    pieces, words, offsets = [], [], []
    for path in current_files(source, "word_documents"):
        table = pq.read_table(path, columns=["doc_id", "word_id", "token_starts"])
        columns = (table[name].to_pylist() for name in table.column_names)
        for doc, word, starts in zip(*columns, strict=True):
            first, n = piece_of_doc[doc]
            for start in starts:
                if start // PIECE_TOKENS < n:
                    pieces.append(first + start // PIECE_TOKENS)
                    words.append(word)
                    offsets.append(start % PIECE_TOKENS)
    order = np.argsort(pieces, kind="stable")
    return _Pieces(
        tokens=np.concatenate(tokens),
        langs=np.concatenate(langs),
        match_starts=np.searchsorted(np.array(pieces)[order], np.arange(n_pieces + 1)),
        words=np.array(words, np.int64)[order],
        offsets=np.array(offsets, np.int32)[order],
    )


def _choose(pieces: _Pieces, n_docs: int, rng: np.random.Generator) -> np.ndarray:
    """Return int64[docs, pieces]: pieces of one language per document, languages as frequent as in the source."""
    langs, codes = np.unique(pieces.langs, return_inverse=True)
    by_lang = [np.flatnonzero(codes == code) for code in range(len(langs))]
    chosen = rng.choice(codes, n_docs)
    return np.stack([rng.choice(by_lang[code], _DOC_PIECES) for code in chosen])


def _mixed(pieces: _Pieces, chosen: np.ndarray) -> Documents:
    flat = chosen.ravel()
    counts = pieces.match_starts[flat + 1] - pieces.match_starts[flat]
    at = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts - pieces.match_starts[flat], counts)
    place = np.repeat(np.arange(flat.size), counts)
    return Documents(
        tokens=pieces.tokens[flat].ravel(),
        langs=pieces.langs[chosen[:, 0]],
        match_docs=place // _DOC_PIECES,
        match_words=pieces.words[at],
        match_starts=pieces.offsets[at] + (place % _DOC_PIECES).astype(np.int32) * PIECE_TOKENS,
        doc_tokens=PIECE_TOKENS * _DOC_PIECES,
    )
