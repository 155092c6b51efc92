"""The pieces of the counting, each against the plain way to do it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.corpora.counted import random_corpus, write_corpus
from support.naive import counting as counting_naive
from warehouse.base.errors import UsageError
from warehouse.base.ordered_map import in_order
from warehouse.base.settings import Home
from warehouse.counting.count import count_corpus
from warehouse.counting.memory import memory_plan
from warehouse.counting.options import CountOptions
from warehouse.counting.row_runs import split_rows
from warehouse.counting.rows import bit_kernels, increment_kernels
from warehouse.counting.tables.edge_sort import sorted_edges
from warehouse.counting.units import kernels
from warehouse.lake.files import read_table


@settings(max_examples=60, deadline=None)
@given(
    docs=st.lists(st.lists(st.integers(0, 5000), max_size=30), max_size=8),
    window=st.sampled_from([0, 1, 7, 100]),
    wide=st.booleans(),
)
def test_units_are_the_sorted_distinct_tokens_of_each_window(docs: list[list[int]], window: int, wide: bool) -> None:
    steps = [(doc, window or max(len(doc), 1)) for doc in docs]
    wanted = [sorted(set(doc[i : i + step])) for doc, step in steps for i in range(0, len(doc), step)]
    tokens = np.array([t for doc in docs for t in doc], np.int32)
    doc_starts = np.cumsum([0, *map(len, docs)])
    ids = np.empty(tokens.size, np.uint32 if wide else np.uint16)
    starts = np.empty(len(wanted) + 1, np.int64)
    low, high = kernels.make_bitmap(5001)
    assert kernels.distinct_tokens(tokens, doc_starts, window, low, high, 5001, ids, starts)
    assert [ids[a:b].tolist() for a, b in pairwise(starts)] == wanted
    assert not low.any()
    assert not high.any()


def test_length_bins_change_where_the_formula_does() -> None:
    sizes = np.array([1, 2, 3, 4, 5, 6, 8, 11, 12, 16, 22, 23, 1023, 1024, 1448, 1449, 46_340, 46_341, 92_681, 92_682])
    bins = np.empty(sizes.size, np.int32)
    kernels.length_bins(np.cumsum([0, *sizes]), bins)
    assert bins.tolist() == [counting_naive.length_bin(int(n)) for n in sizes]


@pytest.mark.parametrize("n_frequent", [0, 5, 30])
def test_rows_by_bits_equal_rows_by_increments(n_frequent: int) -> None:
    """Over more units than one tile of bits holds."""
    rng = np.random.default_rng(n_frequent)
    n_units, n_ranks = 40_000, 30
    holds = rng.random((n_units, n_ranks)) < 1 / np.arange(2, n_ranks + 2)
    starts = np.concatenate([[0], np.cumsum(holds.sum(axis=1))])
    ids = np.nonzero(holds)[1].astype(np.uint16)
    bits = bit_kernels.empty_bits(n_units, n_frequent)
    assert len(bits) == 3
    for tile in range(len(bits)):
        bit_kernels.set_bits(ids, starts, tile, bits[tile])
    cells = np.zeros(increment_kernels.triangle(n_ranks), np.uint32)
    middle = n_frequent // 2
    origin = increment_kernels.triangle(middle)
    bit_kernels.add_frequent_rows(bits, 0, middle, cells, 0)
    bit_kernels.add_frequent_rows(bits, middle, n_frequent, cells[origin:], origin)
    increment_kernels.add_token_rows(ids, starts, n_frequent, n_ranks, cells, 0)
    joint = holds.T.astype(np.int64) @ holds
    assert cells.tolist() == [joint[x, y] for x in range(n_ranks) for y in range(x)]


@pytest.mark.parametrize("seed", range(3))
def test_columns_by_bits_equal_columns_by_increments(seed: int) -> None:
    """Over more units than one tile holds; each word with a number of frequent columns of its own."""
    rng = np.random.default_rng(seed)
    n_units, n_ranks, n_words = 40_000, 30, 6
    holds = rng.random((n_units, n_ranks)) < 1 / np.arange(2, n_ranks + 2)
    has_word = rng.random((n_units, n_words)) < 0.1 * rng.random(n_words)
    starts = np.concatenate([[0], np.cumsum(holds.sum(axis=1))])
    ids = np.nonzero(holds)[1].astype(np.uint16)
    words, units = (part.astype(np.int32) for part in np.nonzero(has_word.T))
    n_frequent = rng.integers(0, 20, n_words) * (rng.random(n_words) < 0.7)
    bits = bit_kernels.empty_bits(n_units, int(n_frequent.max()))
    for tile in range(len(bits)):
        bit_kernels.set_bits(ids, starts, tile, bits[tile])
    cells = np.zeros(n_words * n_ranks, np.uint32)
    for first, last in ((0, 2), (2, 6)):
        place = (words, units, first, last, n_frequent, cells, 0, n_ranks)
        bit_kernels.add_frequent_columns(bits, *place)
        increment_kernels.add_word_rows(ids, starts, *place)
    joint = has_word.T.astype(np.int64) @ holds
    assert cells.reshape(n_words, n_ranks).tolist() == joint.tolist()


def test_frequent_columns_are_those_that_a_word_shares_often() -> None:
    n_docs = np.array([6_000, 5_000, 600, 5])
    # a pair costs 25 increments, finding where frequent tokens end 30 in each unit: few columns do not pay
    assert bit_kernels.frequent_columns(n_docs, np.array([1_000, 10, 6_400]), 6_400, 4).tolist() == [0, 0, 0]
    many = np.full(64, 6_400)
    assert bit_kernels.frequent_columns(many, np.array([1_000, 10]), 6_400, 40).tolist() == [40, 0]
    assert bit_kernels.frequent_columns(many, np.array([1_000]), 6_400, 0).tolist() == [0]


def test_bits_count_the_rows_that_they_count_cheaper() -> None:
    work = np.array([0, 900, 800, 60, 20, 10])
    # a pair costs 25 increments with 6,400 units, 10 with few
    assert bit_kernels.frequent_ranks(work, 6_400) == 3
    assert bit_kernels.frequent_ranks(work, 64) == 4
    assert bit_kernels.frequent_ranks(work, 10**9) == 0
    assert bit_kernels.frequent_ranks(np.empty(0, np.int64), 10) == 0


@given(weights=st.lists(st.integers(0, 50), max_size=30), limit=st.integers(1, 100), most=st.integers(1, 5))
def test_runs_cover_all_rows_within_their_limits(weights: list[int], limit: int, most: int) -> None:
    runs = split_rows((np.array(weights), limit), (np.ones(len(weights)), most))
    assert [row for first, last in runs for row in range(first, last)] == list(range(len(weights)))
    for first, last in runs:
        assert last - first == 1 or (sum(weights[first:last]) <= limit and last - first <= most)


def test_results_come_in_order_and_few_wait() -> None:
    running, most = 0, 0
    lock = threading.Lock()
    taken = []

    def tasks():
        for i in range(50):
            taken.append(i)
            yield i

    def work(i: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1
        return i * i

    with ThreadPoolExecutor(4) as pool:
        for i, result in enumerate(in_order(pool, work, tasks(), ahead=3)):
            assert result == i * i
            assert len(taken) <= i + 5
    assert most <= 4


@pytest.mark.parametrize("limit", [1, 500, 10**9])
def test_edges_come_sorted_whatever_fits_in_memory(tmp_path: Path, limit: int) -> None:
    rng = np.random.default_rng(3)
    keys = rng.permutation(2000)
    pieces = []
    for part in np.array_split(keys, 7):
        a, b = part // 50, part % 50
        pieces.append({"token_id_a": a.astype(np.int32), "token_id_b": b.astype(np.int32), "n_docs": part})
    found = list(sorted_edges(pieces, n_tokens=50, limit_bytes=limit, folder=tmp_path / "spill"))
    assert np.concatenate([piece["n_docs"] for piece in found]).tolist() == list(range(2000))
    assert (tmp_path / "spill").exists() == (limit < 10**9)


def test_memory_is_divided_from_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIVOTS_MEMORY", "2GiB")
    assert memory_plan().rows == 1 << 28
    assert memory_plan("800MB").chunk == 50_000_000


@pytest.mark.parametrize(
    ("size", "n_bytes"),
    [("4GiB", 4 << 30), ("500MB", 500_000_000), ("1.5gb", 1_500_000_000), ("4g", 4_000_000_000), (" 2 TiB ", 2 << 40)],
)
def test_a_size_is_read_as_duckdb_reads_it(size: str, n_bytes: int) -> None:
    assert memory_plan(size).rows == n_bytes // 8


@pytest.mark.parametrize("size", ["much", "12", "-1GB", "5 potatoes", "1,000MB", "GB"])
def test_what_is_no_size_is_refused(size: str) -> None:
    with pytest.raises(UsageError, match=f"PIVOTS_MEMORY is '{size}': give a size such as 4GiB"):
        memory_plan(size)


@pytest.mark.parametrize("seed", range(4))
def test_no_cell_that_could_rank_is_dropped(tmp_path: Path, seed: int) -> None:
    """In exact fractions: what is left out has n/n(w) <= n(x)/N and n <= E, so F and G are not positive."""
    made = random_corpus(seed, n_docs=40, vocab_size=30)
    home = Home(tmp_path)
    write_corpus(home, made)
    count_corpus(home, "c", CountOptions())
    kept = {(r["word_id"], r["token_id"]) for r in read_table(home, "word_tokens").to_pylist()}
    naive = counting_naive.count(made)
    n_k, n_units = naive["strata"], len(naive["units"])
    for (word, token), (n, _, _) in naive["word_tokens"].items():
        expected = sum(
            Fraction(naive["word_strata"].get((*k, word), 0) * naive["token_documents"].get((*k, token), 0), size)
            for k, size in n_k.items()
        )
        can_rank = Fraction(n, naive["n_w"][word]) > Fraction(naive["n_x"][token], n_units) or n > expected
        assert ((word, token) in kept) == can_rank
