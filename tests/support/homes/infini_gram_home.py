"""A small home for the tests of infini-gram: words of items, and documents as token ids, with naive counts of them."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from warehouse.base.settings import Home
from warehouse.engines.infini_gram.questions import Answer, Index, Query, Refused
from warehouse.lake import identity
from warehouse.lake.files import NO_CORPUS, read_table, shard_path, write_table
from warehouse.lake.schemas import SCHEMAS

ITEMS = (
    {"en": "water", "fr": "eau", "ja": "水"},
    {"en": "house", "fr": "maison"},
    {"en": "table", "fr": "table"},
)


def write_rows(home: Home, table: str, name: str, rows: list[dict[str, Any]], *, corpus: str = NO_CORPUS) -> None:
    """Write one shard of a raw table; columns that are left out are NULL."""
    filled = [{column: row.get(column) for column in SCHEMAS[table].names} for row in rows]
    path = shard_path(home, table, name, corpus=corpus)
    write_table(path, table, pa.Table.from_pylist(filled, schema=SCHEMAS[table]))


def write_words(home: Home, items: tuple[dict[str, str], ...] = ITEMS, *, name: str = "list") -> None:
    """Write a word list."""
    words = sorted({(identity.word_id(lang, word), lang, word) for item in items for lang, word in item.items()})
    write_rows(home, "words", name, [{"word_id": i, "lang": lang, "word": word} for i, lang, word in words])
    rows = [
        {"item_id": identity.item_id(item), "lang": lang, "word_id": identity.word_id(lang, word)}
        for item in items
        for lang, word in sorted(item.items())
    ]
    write_rows(home, "translation_items", name, rows)


def gram_home(root: Path) -> Home:
    """Return a home with a word list."""
    home = Home(root)
    write_words(home)
    return home


def counted(home: Home) -> dict[tuple[int, ...], tuple[int, bool, int | None]]:
    """Return what is in raw.infini_gram_counts: (occurrences, approx, documents) by words."""
    rows = read_table(home, "infini_gram_counts").to_pylist()
    keys = [tuple(i for i in (row["word_id_a"], row["word_id_b"]) if i is not None) for row in rows]
    assert len(set(keys)) == len(keys), "a question has two rows"
    values = [(row["n_occurrences"], row["is_approx"], row["n_docs"]) for row in rows]
    return dict(zip(keys, values, strict=True))


class Fake:
    """An index that answers from a table, remembers what it was asked, and fails where it is told to."""

    def __init__(self, counts: dict[tuple[Query, ...], int], *, refuse: frozenset[Query] = frozenset()) -> None:
        self.counts, self.refuse = counts, refuse
        self.asked: list[tuple[Query, ...]] = []
        self.fail_at: int | None = None

    def index(self, *, max_diff_tokens: int = 100) -> Index:
        return Index("api", "i", "http://there/", "", None, max_diff_tokens, 1000, self.ask)

    def ask(self, queries: tuple[Query, ...]) -> Answer:
        if len(self.asked) == self.fail_at:
            raise KeyboardInterrupt
        self.asked.append(queries)
        if self.refuse & set(queries):
            raise Refused("no such word")
        return Answer(self.counts.get(queries, 7), False)
