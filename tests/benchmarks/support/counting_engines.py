"""The same co-occurrence counts by other means: each engine gets the distinct (unit, token) pairs in its own form.

Every function counts all cells and returns (number of cells, sum of counts), so that nothing is left lazy and every
engine must agree.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numba import njit

from warehouse.base.settings import Home
from warehouse.counting.changes import find_changes
from warehouse.counting.inputs import find_inputs
from warehouse.counting.memory import memory_plan
from warehouse.counting.options import CountOptions
from warehouse.counting.rows.dense_rows import token_rows, word_rows
from warehouse.counting.rows.increment_kernels import triangle
from warehouse.counting.units import kernels
from warehouse.counting.units.corpus_units import Corpus, read_corpus

Total = tuple[int, int]
Counter = Callable[[], Total]


@dataclass
class Incidence:
    """Which unit holds which token rank and which word: int32 columns, and the corpus for the kernel."""

    corpus: Corpus
    token_unit: np.ndarray
    token: np.ndarray
    word_unit: np.ndarray
    word: np.ndarray
    n_units: int

    @property
    def n_token_pairs(self) -> int:
        """Increments of tokens x tokens: pairs of tokens in one unit, over all units."""
        return int(self.corpus.added.row_work.sum())

    @property
    def n_word_tokens(self) -> int:
        """Increments of words x tokens."""
        return int(self.corpus.added.word_work.sum())


def windows(home: Home, n_units: int | None) -> Corpus:
    """Return the corpus of all windows of 2,048 tokens, or of every k-th, so that about `n_units` are left."""
    inputs = find_inputs(home, "bench")
    options, plan = CountOptions(unit="window"), memory_plan("64GiB")  # one chunk
    parts = find_changes(inputs, None).added
    corpus = read_corpus(None, parts, [], inputs.vocab_size, options, plan, home.root / "scratch", threads=1)
    units = corpus.added
    (chunk,) = units.store
    chosen = np.arange(0, chunk.n_units, max(1, chunk.n_units // (n_units or chunk.n_units)))
    new_unit = np.full(chunk.n_units, -1)
    new_unit[chosen] = np.arange(chosen.size)
    sizes = np.diff(chunk.starts)[chosen]
    chunk.ids = np.concatenate([chunk.ids[chunk.starts[u] : chunk.starts[u + 1]] for u in chosen])
    chunk.starts, chunk.strata = np.concatenate([[0], np.cumsum(sizes)]), chunk.strata[chosen]
    kept = new_unit[chunk.word_units] >= 0
    chunk.words, chunk.word_units = chunk.words[kept], new_unit[chunk.word_units[kept]].astype(np.int32)
    n_docs = np.bincount(chunk.ids, minlength=corpus.token_ids.size)
    order = np.argsort(-n_docs, kind="stable")[: int((n_docs > 0).sum())]
    ranks = np.zeros(corpus.token_ids.size, chunk.ids.dtype)
    ranks[order] = np.arange(order.size)
    kernels.replace_ids(chunk.ids, chunk.starts, 0, chosen.size, ranks, *kernels.make_bitmap(order.size))
    corpus.token_ids, units.n_docs, units.n_units = corpus.token_ids[order], n_docs[order], chosen.size
    units.row_work = np.zeros(order.size, np.int64)
    kernels.add_row_work(chunk.ids, chunk.starts, units.row_work)
    units.word_strata = np.zeros_like(units.word_strata)
    kernels.count_words(chunk.words, chunk.word_units, chunk.strata, units.word_strata)
    units.word_work = np.bincount(chunk.words, sizes[chunk.word_units], minlength=corpus.word_ids.size).astype(np.int64)
    return corpus


def incidence(corpus: Corpus) -> Incidence:
    """Spread a corpus of one chunk into columns."""
    (chunk,) = corpus.added.store
    return Incidence(
        corpus=corpus,
        token_unit=np.repeat(np.arange(chunk.n_units, dtype=np.int32), np.diff(chunk.starts)),
        token=chunk.ids.astype(np.int32),
        word_unit=chunk.word_units.astype(np.int32),
        word=chunk.words.astype(np.int32),
        n_units=chunk.n_units,
    )


@njit(nogil=True)
def _tally(cells):
    """Return how many cells are not zero and their sum, and leave zeros: what `keep` does, without a rule."""
    n_cells, total = np.int64(0), np.int64(0)
    for i in range(cells.size):
        n_cells += cells[i] != 0
        total += np.int64(cells[i])
        cells[i] = np.uint32(0)
    return n_cells, total


def kernel(data: Incidence, threads: int) -> tuple[Counter, Counter]:
    """This product's kernels, all cells."""
    corpus, width = data.corpus, data.corpus.token_ids.size

    def token_pairs() -> Total:
        def keep(part, memory, first_row):
            return _tally(memory[triangle(part[0]) - triangle(first_row) : triangle(part[1]) - triangle(first_row)])

        return _sum(total for _, total in token_rows(corpus, keep, memory_plan(), threads=threads))

    def word_tokens() -> Total:
        def keep(part, memory, first_row):
            return _tally(memory[(part[0] - first_row) * width : (part[1] - first_row) * width])

        return _sum(total for _, total in word_rows(corpus, keep, memory_plan(), threads=threads))

    return token_pairs, word_tokens


def _sum(totals) -> Total:
    cells, counts = zip(*totals, strict=True)
    return int(sum(cells)), int(sum(counts))


def duckdb_self_join(data: Incidence, threads: int) -> tuple[Counter, Counter]:
    """DuckDB, tables in memory, grouped self-join."""
    import duckdb

    con = duckdb.connect(config={"threads": threads, "memory_limit": "8GB", "preserve_insertion_order": False})
    con.register("t_arrow", pa.table({"unit": data.token_unit, "token": data.token}))
    con.register("w_arrow", pa.table({"unit": data.word_unit, "word": data.word}))
    con.execute("create table t as from t_arrow; create table w as from w_arrow")

    def run(pairs: str) -> Total:
        row = con.execute(f"select count(*), sum(n) from ({pairs})").fetchone()
        return int(row[0]), int(row[1])

    tokens = (
        "select a.token, b.token, count(*) n from t a join t b on a.unit = b.unit and a.token < b.token group by all"
    )
    words = "select word, token, count(*) n from w join t using (unit) group by all"
    return lambda: run(tokens), lambda: run(words)


def polars_self_join(data: Incidence, threads: int) -> tuple[Counter, Counter]:
    """Polars' streaming engine, the same join. Its pool of threads is set by the environment before its import."""
    assert int(os.environ["POLARS_MAX_THREADS"]) == threads
    import polars as pl

    t = pl.DataFrame({"unit": data.token_unit, "token": data.token}).lazy()
    w = pl.DataFrame({"unit": data.word_unit, "word": data.word}).lazy()

    def run(pairs: "pl.LazyFrame") -> Total:
        row = pairs.select(pl.len().alias("cells"), pl.col("n").sum()).collect(engine="streaming")
        return int(row["cells"][0]), int(row["n"][0])

    def token_pairs() -> Total:
        joined = t.join(t, on="unit", suffix="_b").filter(pl.col("token") < pl.col("token_b"))
        return run(joined.group_by("token", "token_b").agg(pl.len().alias("n")))

    def word_tokens() -> Total:
        return run(w.join(t, on="unit").group_by("word", "token").agg(pl.len().alias("n")))

    return token_pairs, word_tokens


def scipy_product(data: Incidence, threads: int) -> tuple[Counter, Counter]:
    """scipy.sparse products of the incidence matrices, rows split over threads (the product releases the GIL)."""
    from scipy import sparse

    shape = (data.n_units, data.corpus.token_ids.size)
    ones = np.ones(data.token.size, np.int32)
    units = sparse.csr_array((ones, (data.token_unit, data.token)), shape=shape)
    tokens = units.T.tocsr()
    words_shape = (data.corpus.word_ids.size, data.n_units)
    words = sparse.csr_array((np.ones(data.word.size, np.int32), (data.word, data.word_unit)), shape=words_shape)

    def product(left, *, symmetric: bool) -> Total:
        parts = np.array_split(np.arange(left.shape[0]), 64 * threads)

        def count(rows: np.ndarray) -> Total:
            found = left[rows[0] : rows[-1] + 1] @ units
            if symmetric:  # a product holds every pair twice and the diagonal
                found = sparse.triu(found, k=int(rows[0]) + 1)
            return found.nnz, int(found.sum())

        with ThreadPoolExecutor(threads) as pool:
            return _sum(pool.map(count, [rows for rows in parts if rows.size]))

    return lambda: product(tokens, symmetric=True), lambda: product(words, symmetric=False)


def spark_self_join(data: Incidence, threads: int) -> tuple[Counter, Counter]:
    """PySpark in local mode, the same join. Raises ImportError without pyspark."""
    import tempfile
    from pathlib import Path

    import pyarrow.parquet as pq
    import pyspark
    from pyspark.sql import SparkSession

    os.environ.setdefault("SPARK_HOME", str(Path(pyspark.__file__).parent))
    spark = (
        SparkSession.builder.master(f"local[{threads}]")
        .config("spark.driver.memory", "8g")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", str(8 * threads))
        .getOrCreate()
    )
    folder = Path(tempfile.mkdtemp())
    pq.write_table(pa.table({"unit": data.token_unit, "token": data.token}), folder / "t.parquet")
    pq.write_table(pa.table({"unit": data.word_unit, "word": data.word}), folder / "w.parquet")
    for name in ("t", "w"):
        spark.read.parquet(str(folder / f"{name}.parquet")).cache().createOrReplaceTempView(name)
        spark.table(name).count()

    def run(pairs: str) -> Total:
        row = spark.sql(f"select count(*), sum(n) from ({pairs})").collect()[0]
        return int(row[0]), int(row[1])

    tokens = (
        "select a.token, b.token as other, count(*) as n from t a join t b on a.unit = b.unit and a.token < b.token "
        "group by a.token, b.token"
    )
    words = "select word, token, count(*) as n from w join t using (unit) group by word, token"
    return lambda: run(tokens), lambda: run(words)


@njit(nogil=True)
def _increments(ids, acc, times):
    for _ in range(times):
        for i in range(ids.size):
            acc[ids[i]] += np.uint32(1)


def limit_rate(threads: int) -> float:
    """Return increments/s of a loop that only reads ids and increments, both in the cache, on all threads."""
    import time

    ids = np.random.default_rng(0).integers(0, 4096, 8192).astype(np.uint16)
    times = 20_000
    _increments(ids, np.zeros(4096, np.uint32), 1)
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: _increments(ids, np.zeros(4096, np.uint32), times), range(threads)))
    return threads * times * ids.size / (time.perf_counter() - start)
