"""Answers of an infini-gram index about random corpora: drawn, with every case a pair can be in."""

import itertools
import random
from typing import Any

from support.corpora.random_rows import Corpus, items
from support.homes.raw_home import write_raw
from warehouse.base.settings import Home

MAX_CLAUSE_FREQ = 30


def write_answers(home: Home, corpus: Corpus, *, run_id: str, seed: int, has_docs: bool) -> list[dict[str, Any]]:
    """Write answers about a corpus as an index might give them; return the rows.

    Some words never occur, some are written alike, some pairs and words were not asked for yet.
    """
    draw = random.Random(seed)
    base: dict[str, Any] = {
        "corpus": corpus.name,
        "run_id": run_id,
        "index_name": "i",
        "engine": "local" if has_docs else "api",
    }
    base |= {"max_diff_tokens": 100 + seed, "max_clause_freq": MAX_CLAUSE_FREQ}
    rows: list[dict[str, Any]] = [{**base, "query": "[]", "n_occurrences": 10_000, "is_approx": False, "n_docs": None}]
    words: dict[int, dict[str, Any]] = {}
    by_query: dict[str, dict[str, Any]] = {}
    by_item: dict[int, list[int]] = {}
    for item, _, word in items():
        by_item.setdefault(item, []).append(word)
    for word in sorted({word for words_of in by_item.values() for word in words_of}):
        if draw.random() < 0.1:
            continue
        query = f"[{word // 10 if draw.random() < 0.3 else word}]"  # some words of an item are the same tokens
        exact = len(corpus.with_word(word))
        n_docs = 0 if draw.random() < 0.15 else exact + draw.choice([0, 0, 1])
        numbers = {"n_occurrences": n_docs * draw.choice([1, 2]), "n_docs": n_docs if has_docs else None}
        words[word] = {**base, "word_id_a": word, "query": query, "is_approx": False}
        words[word] |= by_query.setdefault(query, numbers)
    pairs = {tuple(sorted(pair)) for of_item in by_item.values() for pair in itertools.combinations(of_item, 2)}
    answers = []
    for a, b in sorted(pairs):
        if a not in words or b not in words or draw.random() < 0.2:
            continue
        n_a, n_b = words[a]["n_occurrences"], words[b]["n_occurrences"]
        if not n_a or not n_b or words[a]["query"] == words[b]["query"]:
            continue
        both = draw.randrange(min(n_a, n_b) + 1)
        n_docs = min(both, words[a]["n_docs"], words[b]["n_docs"]) if has_docs else None
        flag = max(n_a, n_b) > 2 * MAX_CLAUSE_FREQ
        answer = {**base, "word_id_a": a, "word_id_b": b, "query": "[[1],[2]]", "is_approx": flag}
        answers.append({**answer, "n_occurrences": both, "n_docs": n_docs})
    rows += [*words.values(), *answers]
    write_raw(home, "infini_gram_counts", rows, corpus=f"{corpus.name}-{run_id}")
    return rows
