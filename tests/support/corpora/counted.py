"""Small corpora for the counting tests, written to a lake as ingest writes them."""

import random
from dataclasses import dataclass, field

import pyarrow as pa

from warehouse.base.settings import Home
from warehouse.contract.hashing import short_hash
from warehouse.lake.files import NO_CORPUS, shard_path, write_table
from warehouse.lake.schemas import SCHEMAS
from warehouse.lake.superseded_documents import mark_up_to_date


@dataclass
class Doc:
    """One document: its tokens, and for each word the tokens in which its matches begin."""

    doc_id: int
    lang: str
    tokens: list[int]
    words: dict[int, list[int]] = field(default_factory=dict)


@dataclass
class Made:
    """A corpus: documents by shard, items by id, and superseded (shard number, doc_id) pairs."""

    shards: list[list[Doc]]
    items: dict[int, list[int]]
    superseded: list[tuple[int, int]] = field(default_factory=list)
    vocab_size: int = 64

    def docs(self) -> list[Doc]:
        """The documents that count."""
        gone = set(self.superseded)
        return [d for i, shard in enumerate(self.shards) for d in shard if (i, d.doc_id) not in gone]


def random_corpus(seed: int, *, n_docs: int = 60, vocab_size: int = 64, n_shards: int = 3) -> Made:
    """Return a corpus of four languages: skewed tokens, words in a third of the documents, some empty documents."""
    rng = random.Random(seed)
    words = [rng.getrandbits(60) for _ in range(8)]
    docs = []
    for _ in range(n_docs):
        lang = rng.choice(["en", "en", "fr", "zh", "ja"])
        length = rng.choice([0, 1, 2, 5, 20, 60])
        tokens = [min(int(rng.paretovariate(0.6)) - 1, vocab_size - 1) for _ in range(length)]
        found = {
            w: sorted(rng.sample(range(length), min(length, rng.randint(1, 3)))) for w in words if rng.random() < 0.3
        }
        docs.append(Doc(rng.getrandbits(60), lang, tokens, {w: at for w, at in found.items() if at}))
    items = {rng.getrandbits(60): words[:4], rng.getrandbits(60): words[3:7]}
    shards = [docs[i::n_shards] for i in range(n_shards)]
    # a document of shard 0 that a later record of shard 1 replaces
    replaced = Doc(docs[1].doc_id, "fr", [1, 2, 3], {words[0]: [0]})
    shards[0] = [replaced, *shards[0]]
    return Made(shards, items, [(0, replaced.doc_id)], vocab_size)


def write_corpus(home: Home, made: Made, *, corpus: str = "c") -> None:
    """Write the raw tables that a count reads; shards that are already there stay as they are."""
    ids = [short_hash([[d.doc_id, d.lang, d.tokens] for d in shard]) for shard in made.shards]
    for shard_id, docs in zip(ids, made.shards, strict=True):
        _write_documents(home, corpus, shard_id, docs)
        _write_matches(home, corpus, shard_id, docs)
    superseded = [
        {"corpus": corpus, "shard_id": ids[shard], "doc_id": doc, "reason": "smaller content_hash"}
        for shard, doc in made.superseded
    ]
    _write(home, "superseded_documents", superseded, name="state", corpus=corpus)
    mark_up_to_date(home, corpus)  # these were not found among the documents, so nobody must look for others
    items = [
        {"item_id": item, "lang": f"l{i}", "word_id": word}
        for item, words in made.items.items()
        for i, word in enumerate(words)
    ]
    _write(home, "translation_items", items, name="list")
    tokenizer = {"corpus": corpus, "tokenizer_hash": "t", "tokenizer_name": "t", "vocab_size": made.vocab_size}
    _write(home, "corpora", [tokenizer | {"eos_token_id": None}], name="corpus", corpus=corpus)


def _write(home: Home, table: str, rows: list[dict], *, name: str, corpus: str = NO_CORPUS) -> None:
    path = shard_path(home, table, name, corpus=corpus)
    write_table(path, table, pa.Table.from_pylist(rows, schema=SCHEMAS[table]))


def _write_documents(home: Home, corpus: str, shard_id: str, docs: list[Doc]) -> None:
    rows = [
        dict.fromkeys(SCHEMAS["documents"].names)
        | {
            "corpus": corpus,
            "shard_id": shard_id,
            "doc_id": d.doc_id,
            "lang": d.lang,
            "n_tokens": len(d.tokens),
            "token_ids": d.tokens,
        }
        for d in docs
    ]
    _write(home, "documents", rows, name=shard_id, corpus=corpus)


def _write_matches(home: Home, corpus: str, shard_id: str, docs: list[Doc]) -> None:
    rows = [
        {
            "corpus": corpus,
            "shard_id": shard_id,
            "doc_id": d.doc_id,
            "word_id": word,
            "match_policy": policy,
            "n_matches": len(starts),
            "token_starts": starts,
        }
        for d in docs
        for word, starts in d.words.items()
        # the other policy finds less, and must not be counted with the first
        for policy in (["text", "token"] if word % 2 else ["text"])
    ]
    # two files per shard, as when a second word list was imported later
    for part in range(2):
        _write(home, "word_documents", rows[part::2], name=f"{shard_id}-{part}", corpus=corpus)
