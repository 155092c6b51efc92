"""What is left out could not have ranked: all cells give the candidates and edges that the kept ones give."""

import math
import tempfile
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.corpora.counted import random_corpus, write_corpus
from support.naive import counting as counting_naive
from warehouse.base.settings import Home
from warehouse.counting.count import count_corpus
from warehouse.counting.options import CountOptions
from warehouse.lake.files import read_table

Cell = tuple[int, float, float]  # n, E, Var
Cells = dict[tuple[int, int], Cell]


def g(n: int, mean: float) -> float:
    """G of method section 3, with the allowance of rounding that the counts state."""
    if n <= mean * (1 + 1e-12):
        return 0.0
    return math.sqrt(2 * (n * math.log(n / mean) - (n - mean)))


def candidates(cells: Cells, words: list[int], score: Callable[[int, int, Cell], float]) -> dict:
    """Return the tokens of each pair of words with a positive score, best first: those with cells on both sides."""
    by_word: dict[int, dict[int, float]] = {word: {} for word in words}
    for (word, token), cell in cells.items():
        by_word[word][token] = score(word, token, cell)
    found = {}
    for s, t in combinations(words, 2):
        both = {x: min(by_word[s][x], by_word[t][x]) for x in by_word[s].keys() & by_word[t].keys()}
        found[s, t] = sorted((-value, x) for x, value in both.items() if value > 0)
    return found


def same(found: dict, wanted: dict) -> None:
    """Both rank the same tokens in the same order, scores within rounding."""
    assert {pair: [x for _, x in ranked] for pair, ranked in found.items()} == {
        pair: [x for _, x in ranked] for pair, ranked in wanted.items()
    }


def kept(home: Home, table: str, key: tuple[str, str]) -> Cells:
    rows = read_table(home, table).to_pylist()
    return {(r[key[0]], r[key[1]]): (r["n_docs"], r["expected_n_docs"], r["variance"]) for r in rows}


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 1 << 30),
    window=st.sampled_from([0, 9]),
    max_docs=st.sampled_from([None, 4]),
    rate=st.sampled_from([0.0503, 0.2007]),
    min_z=st.sampled_from([0.50003, 2.00003]),
)
def test_no_dropped_cell_could_have_ranked(
    seed: int, window: int, max_docs: int | None, rate: float, min_z: float
) -> None:
    made = random_corpus(seed, n_docs=40, vocab_size=30)
    options = CountOptions(
        unit="window" if window else "document",
        window_tokens=window or 2048,
        max_docs_per_word=max_docs,
        min_rate_difference=rate,
        min_z=min_z,
        z_min_pair_docs=2,
        z_min_token_docs=3,
    )
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        write_corpus(home, made)
        count_corpus(home, "c", options)
        word_tokens = kept(home, "word_tokens", ("word_id", "token_id"))
        token_pairs = kept(home, "token_pairs", ("token_id_a", "token_id_b"))
    naive = counting_naive.count(made, window=window, max_docs=max_docs)
    n_units, n_x, n_w = len(naive["units"]), naive["n_x"], naive["n_w"]
    words = sorted(n_w)

    def paper(word: int, token: int, cell: Cell) -> float:
        # n/n(w) - n(x)/N over a common denominator: exact, so that ties are ties
        return (cell[0] * n_units - n_x[token] * n_w[word]) / (n_w[word] * n_units)

    same(candidates(word_tokens, words, paper), candidates(naive["word_tokens"], words, paper))

    def adjusted(word: int, token: int, cell: Cell) -> float:
        return round(g(cell[0], cell[1]), 6)

    same(candidates(word_tokens, words, adjusted), candidates(naive["word_tokens"], words, adjusted))

    for more in (1.0, 1.5):  # edges at any thresholds that are not below those of the count
        assert edges(token_pairs, n_x, n_units, rate * more, min_z * more) == edges(
            naive["token_pairs"], n_x, n_units, rate * more, min_z * more
        )


def edges(cells: Cells, n_x: dict[int, int], n_units: int, rate: float, min_z: float) -> tuple[set, set]:
    """Return the edges of the sets `adjacency` and `bridge` at some thresholds."""
    adjacency = {
        (x, y)
        for (x, y), (n, _, _) in cells.items()
        if min(n / n_x[x] - n_x[y] / n_units, n / n_x[y] - n_x[x] / n_units) >= rate
    }
    bridge = {
        (x, y)
        for (x, y), (n, mean, variance) in cells.items()
        if n >= 2 and min(n_x[x], n_x[y]) >= 3 and (n - mean) / math.sqrt(variance + 1) >= min_z
    }
    return adjacency, bridge
