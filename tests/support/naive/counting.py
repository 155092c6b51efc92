"""Counting by the formulas, in plain Python over sets: nothing here is shared with the product."""

import hashlib
import math
from collections import Counter
from itertools import combinations

from support.corpora.counted import Doc, Made


def units(docs: list[Doc], window: int) -> list[tuple[int, int, str, set[int], set[int]]]:
    """Return (doc_id, window number, lang, tokens, words) of every unit."""
    found = []
    for doc in docs:
        size = window or max(len(doc.tokens), 1)
        for i in range(0, len(doc.tokens), size):
            words = {w for w, starts in doc.words.items() if any(i <= s < i + size for s in starts)}
            found.append((doc.doc_id, i // size, doc.lang, set(doc.tokens[i : i + size]), words))
    return found


def length_bin(n: int) -> int:
    """floor(2 log2 n), by trying."""
    b = 0
    while 2 ** (b + 1) <= n * n:
        b += 1
    return b


def count(made: Made, *, window: int = 0, max_docs: int | None = None, seed: int = 0) -> dict[str, dict]:
    """Return every counted table as key -> value, without thresholds: cells are (n, E, Var)."""
    all_units = units(made.docs(), window)
    stratum = [(lang, length_bin(len(tokens))) for _, _, lang, tokens, _ in all_units]
    n_k = Counter(stratum)
    holders: dict[int, list[int]] = {}
    for u, (_, _, _, _, words) in enumerate(all_units):
        for word in words:
            holders.setdefault(word, []).append(u)

    def order(u: int):
        doc, i = all_units[u][:2]
        return (hashlib.md5(f"{doc}:{i}:{seed}".encode()).hexdigest()[:16], doc, i)

    if max_docs is not None:
        holders = {w: sorted(us, key=order)[:max_docs] for w, us in holders.items()}
    token_k = Counter((stratum[u], x) for u, unit in enumerate(all_units) for x in unit[3])
    word_k = Counter((stratum[u], w) for w, us in holders.items() for u in us)
    n_x = Counter(x for unit in all_units for x in unit[3])
    n_w = {w: len(us) for w, us in holders.items()}
    cells = Counter((w, x) for w, us in holders.items() for u in us for x in all_units[u][3])
    pairs = Counter(p for unit in all_units for p in combinations(sorted(unit[3]), 2))
    in_item = {p for words in made.items.values() for p in combinations(sorted(words), 2)}
    shared = {p: len(set(holders.get(p[0], ())) & set(holders.get(p[1], ()))) for p in in_item}

    def word_cell(w: int, x: int):
        parts = [(word_k[k, w], token_k[k, x] / n) for k, n in n_k.items()]
        return math.fsum(a * r for a, r in parts), math.fsum(a * r * (1 - r) for a, r in parts)

    def edge(x: int, y: int):
        parts = [(n, token_k[k, x] * token_k[k, y] / n**2) for k, n in n_k.items()]
        return math.fsum(n * r for n, r in parts), math.fsum(n * r * (1 - r) for n, r in parts)

    return {
        "units": all_units,
        "strata": dict(n_k),
        "token_documents": {(*k, x): n for (k, x), n in token_k.items()},
        "word_strata": {(*k, w): n for (k, w), n in word_k.items()},
        "word_pairs": {p: n for p, n in shared.items() if n},
        "n_x": dict(n_x),
        "n_w": n_w,
        "word_tokens": {k: (n, *word_cell(*k)) for k, n in cells.items()},
        "token_pairs": {k: (n, *edge(*k)) for k, n in pairs.items()},
    }
