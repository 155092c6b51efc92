"""What an index is asked: its size, a word, two words of one item; and what it answers."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from operator import itemgetter

from warehouse.base.settings import Home
from warehouse.lake.files import read_table
from warehouse.text.scripts import UNSEPARATED, edge_classes
from warehouse.text.tokenizing import Encoder

Query = str | tuple[int, ...]  # a text, which the index's server tokenises, or token ids


class Refused(Exception):
    """An index does not answer one question, and says why; it may well answer the next."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an index says about no word (its size), one word, or two.

    One word: the places where its tokens stand. Two: the places of the rarer one with the other no further off than
    max_diff_tokens, see docs/infini-gram.md for what the engine leaves out. No word: all tokens, separators included.
    """

    n_occurrences: int
    is_approx: bool  # the engine's own word for it
    n_docs: int | None = None  # documents that hold the word, or both words; None when the index cannot tell


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the list, and how the index is asked for it."""

    word_id: int
    word: str
    query: Query


@dataclass(frozen=True, slots=True)
class Question:
    """No word, one, or two (smaller word_id first)."""

    words: tuple[Word, ...]

    @property
    def key(self) -> tuple[int, ...]:
        """What an index is asked once only."""
        return tuple(word.word_id for word in self.words)

    @property
    def query(self) -> str:
        """The question as JSON, in the form of the HTTP API."""
        return json.dumps(api_query(tuple(word.query for word in self.words)), ensure_ascii=False)


@dataclass(frozen=True)
class Index:
    """Something that counts. `ask` raises Refused for one question, and StepFailed when no further answer will come."""

    engine: str  # api, local
    name: str
    endpoint: str  # URL of an API, '' for a folder
    fingerprint: str  # of a folder's files, '' for an API, whose names of indexes are taken to mean the same forever
    tokenizer_hash: str | None  # of the ids that are asked for; None: the server tokenises
    max_diff_tokens: int
    max_clause_freq: int
    ask: Callable[[tuple[Query, ...]], Answer]


def api_query(queries: tuple[Query, ...]) -> str | list[int] | list[list[list[int]]]:
    """Return `query` or `query_ids` of the HTTP API: two words are a conjunction of two clauses of one term each.

    >>> api_query((" eau", " water")), api_query(((1, 2), (3,))), api_query(((7,),)), api_query(())
    (' eau AND  water', [[[1, 2]], [[3]]], [7], '')
    """
    if not queries:
        return ""
    texts = [query for query in queries if isinstance(query, str)]
    if texts:
        return " AND ".join(texts)
    ids = [list(query) for query in queries if not isinstance(query, str)]
    if len(ids) == 1:
        return ids[0]
    return [[term] for term in ids]


def item_words(
    home: Home, encoder: Encoder | None, *, source_lang: str | None = None, target_lang: str | None = None
) -> list[list[tuple[Word, Word]]]:
    """Return the word pairs of every item, in an order of items that any prefix samples fairly.

    Args:
        encoder: writes words as token ids; without one they are asked for as text.
        source_lang, target_lang: only pairs with these languages, in either direction.
    """
    rows = read_table(home, "words").sort_by("word_id").to_pylist()
    queries: Sequence[Query] = [row["word"] for row in rows] if encoder is None else token_queries(rows, encoder)
    words = {row["word_id"]: Word(row["word_id"], row["word"], q) for row, q in zip(rows, queries, strict=True)}
    wanted = {lang for lang in (source_lang, target_lang) if lang}
    items = sorted(read_table(home, "translation_items").to_pylist(), key=itemgetter("item_id", "lang"))
    found = []
    for item_id, group in groupby(items, key=itemgetter("item_id")):
        pairs = [
            (words[min(ids)], words[max(ids)])
            for a, b in combinations(group, 2)
            if wanted <= {a["lang"], b["lang"]}
            for ids in [(a["word_id"], b["word_id"])]
        ]
        if pairs:
            in_random_order = hashlib.md5(str(item_id).encode(), usedforsecurity=False).hexdigest()
            found.append((in_random_order, pairs))
    return [pairs for _, pairs in sorted(found, key=itemgetter(0))]


def token_queries(rows: list[dict[str, str]], encoder: Encoder) -> list[Query]:
    """Return the token ids of each row's word: after a space, unless it begins in a script without spaces.

    This is the form in which a word stands within a line. After a bracket, a quote or a line break other tokens begin
    it: those places are not found (match policy `token` of method section 1).
    """
    classes = edge_classes()
    texts = [row["word"] if classes[ord(row["word"][0])] == UNSEPARATED else " " + row["word"] for row in rows]
    encoded = encoder.encode([text.encode() for text in texts])
    return [
        tuple(encoded.token_ids[begin:end].tolist())
        for begin, end in zip(encoded.offsets[:-1], encoded.offsets[1:], strict=True)
    ]
