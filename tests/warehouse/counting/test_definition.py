"""The kernels against the definition: the same rows, count for count, on made-up corpora."""

import math
import tempfile
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.corpora.counted import Doc, Made, random_corpus, write_corpus
from warehouse.base.settings import Home
from warehouse.counting.count import count_corpus
from warehouse.counting.definition import RawTables, count_queries, definition_sql
from warehouse.counting.options import CountOptions
from warehouse.lake.files import read_table
from warehouse.lake.schemas import COUNTED


def as_table(con: ibis.BaseBackend, name: str, rows: pa.Table) -> ibis.Table:
    """Return Arrow rows as a table of a DuckDB connection (its `create_table` fails with this sqlglot)."""
    con.con.register(name, rows)
    return con.table(name)


def defined(home: Home, options: CountOptions) -> dict[str, pa.Table]:
    """Run the definition of every counted table on DuckDB."""
    con = ibis.duckdb.connect(threads=1)
    raw = {name: as_table(con, name, read_table(home, name)) for name in RawTables.__dataclass_fields__}
    return {name: query.to_pyarrow() for name, query in count_queries(RawTables(**raw), options).items()}


def assert_as_defined(home: Home, options: CountOptions) -> None:
    for name, wanted in defined(home, options).items():
        found = read_table(home, name).drop("corpus")
        measures = [c for c in ("expected_n_docs", "variance") if c in found.column_names]
        exact = [c for c in found.column_names if c not in measures]
        assert found.select(exact).to_pylist() == wanted.select(exact).to_pylist(), name
        for measure in measures:
            np.testing.assert_allclose(
                found[measure].to_numpy(), wanted[measure].to_numpy(), rtol=1e-9, atol=1e-9, err_msg=f"{name}.{measure}"
            )


WORDS = [11, 12, 13, 14, 15]
TOKENS = st.lists(st.integers(0, 11), max_size=24)


@st.composite
def documents(draw: st.DrawFn) -> list[Doc]:
    docs = []
    for doc_id in draw(st.sets(st.integers(0, 1 << 62), min_size=1, max_size=14)):
        tokens = draw(TOKENS)
        starts = st.lists(st.integers(0, max(len(tokens) - 1, 0)), min_size=1, max_size=3, unique=True).map(sorted)
        words = draw(st.dictionaries(st.sampled_from(WORDS), starts, max_size=4)) if tokens else {}
        docs.append(Doc(doc_id, draw(st.sampled_from(["en", "fr", "und"])), tokens, words))
    return docs


OPTIONS = st.builds(
    CountOptions,
    unit=st.sampled_from(["document", "window"]),
    window_tokens=st.integers(1, 9),
    max_docs_per_word=st.none() | st.integers(1, 4),
    seed=st.integers(0, 3),
    # values that no ratio of small integers hits exactly, so that rounding cannot move a row over the threshold
    min_rate_difference=st.sampled_from([0.0501, 0.1003, 0.3007]),
    rate_min_token_docs=st.integers(1, 4),
    min_z=st.sampled_from([0.10007, 0.50003, 1.00009]),
    z_min_pair_docs=st.integers(1, 4),
    z_min_token_docs=st.integers(1, 5),
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(docs=documents(), options=OPTIONS)
def test_kernels_count_what_the_definition_counts(docs: list[Doc], options: CountOptions) -> None:
    shards = [docs[::2], docs[1::2]]
    superseded = [(0, docs[0].doc_id)] if len(docs) > 3 else []
    made = Made(shards, {1: WORDS[:3], 2: WORDS[2:]}, superseded, vocab_size=12)
    if not any(d.tokens for d in made.docs()):
        return
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        write_corpus(home, made)
        count_corpus(home, "c", options)
        assert_as_defined(home, options)


@pytest.mark.slow
@pytest.mark.parametrize("vocab_size", [200, 70_000])
def test_larger_vocabularies_are_counted_as_defined(tmp_path: Path, vocab_size: int) -> None:
    """More than 65,536 ids take the wide type."""
    home = Home(tmp_path)
    write_corpus(home, random_corpus(5, n_docs=120, vocab_size=vocab_size))
    options = CountOptions(min_z=0.50003, z_min_pair_docs=2, z_min_token_docs=4)
    count_corpus(home, "c", options)
    assert_as_defined(home, options)


def test_length_bins_are_exact_at_every_boundary() -> None:
    """floor(2 log2 d) in floating point, as SQL engines compute it, equals the integer form wherever it changes."""
    around = sorted({max(1, math.isqrt(2**b) + step) for b in range(41) for step in (-1, 0, 1, 2)})
    exact = [(d * d).bit_length() - 1 for d in around]
    con = ibis.duckdb.connect(threads=1)
    table = as_table(con, "t", pa.table({"d": around}))
    floor = (2 * table.d.log2()).floor().cast("int32")
    assert table.select(b=floor).to_pyarrow()["b"].to_pylist() == exact
    # an engine that divides logarithms, as Spark does
    assert [math.floor(2 * (math.log(d) / math.log(2))) for d in around] == exact


@pytest.mark.parametrize("dialect", ["duckdb", "pyspark"])
@pytest.mark.parametrize("table", sorted(set(COUNTED) - {"counts"}))
def test_every_definition_can_be_read_as_sql(table: str, dialect: str) -> None:
    if dialect == "pyspark":
        pytest.importorskip("pyspark")
    options = CountOptions(unit="window", max_docs_per_word=10)
    assert "GROUP BY" in definition_sql(table, options, dialect=dialect)
