"""Coverage of (pivot, neighbour) edges by documents: exact greedy, and repeated sorting as the models do it."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

Edge = tuple[int, int]  # a pivot and its neighbour


class Covering(NamedTuple):
    """A document of one language: its id, its length and the edges that it contains."""

    doc_id: int
    n_tokens: int
    edges: frozenset[Edge]


def greedy_order(documents: Sequence[Covering]) -> list[Covering]:
    """Return the documents as exact greedy takes them: every time the one that adds most per token; ties by doc_id."""
    left, taken, order = list(documents), Counter[Edge](), []
    while left:
        best = max(left, key=lambda d: (_gain(d, taken), -d.doc_id))
        left.remove(best)
        order.append(best)
        taken.update(best.edges)
    return order


def sorted_order(documents: Sequence[Covering], passes: int) -> list[Covering]:
    """Return the documents by their own gain, sorted again `passes` times by their gain after those before them."""
    gains = {d.doc_id: 1e9 * len(d.edges) / d.n_tokens for d in documents}
    for _ in range(passes):
        taken = Counter[Edge]()
        places: dict[int, list[int]] = {}
        for document in _by_gain(documents, gains):
            taken.update(document.edges)
            places[document.doc_id] = [taken[edge] for edge in document.edges]
        gains = {d.doc_id: sum(round(1e9 / place) for place in places[d.doc_id]) / d.n_tokens for d in documents}
    return _by_gain(documents, gains)


def coverage(order: Sequence[Covering], budget: int) -> float:
    """Return the sum of 1 / (1 + times taken) over the edges of the first documents, within a budget of tokens."""
    taken, total, n_tokens = Counter[Edge](), 0.0, 0
    for document in order:
        n_tokens += document.n_tokens
        if n_tokens > budget:
            break
        total += sum(1 / (1 + taken[edge]) for edge in document.edges)
        taken.update(document.edges)
    return total


def _gain(document: Covering, taken: Counter[Edge]) -> Fraction:
    return sum((Fraction(1, 1 + taken[edge]) for edge in document.edges), Fraction()) / document.n_tokens


def _by_gain(documents: Sequence[Covering], gains: dict[int, float]) -> list[Covering]:
    return sorted(documents, key=lambda d: (-gains[d.doc_id], d.doc_id))
