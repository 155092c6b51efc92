"""The same definition on Spark: what holds the kernel there, when counting moves to a cluster."""

import os
from pathlib import Path

import ibis
import numpy as np
import pyarrow.parquet as pq
import pytest

from support.corpora.counted import random_corpus, write_corpus
from warehouse.base.settings import Home
from warehouse.counting.count import count_corpus
from warehouse.counting.definition import RawTables, count_queries
from warehouse.counting.options import CountOptions
from warehouse.lake.files import read_table

pyspark = pytest.importorskip("pyspark.sql")


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        CountOptions(min_z=0.50003, z_min_pair_docs=2, z_min_token_docs=4),
        CountOptions(unit="window", window_tokens=7, max_docs_per_word=3, seed=1, min_z=0.50003, z_min_pair_docs=2),
    ],
    ids=["documents", "sampled windows"],
)
def test_spark_counts_what_the_kernels_count(tmp_path: Path, options: CountOptions) -> None:
    home = Home(tmp_path)
    write_corpus(home, random_corpus(7))
    count_corpus(home, "c", options)
    os.environ.setdefault("SPARK_HOME", str(Path(pyspark.__file__).parent.parent))
    builder = pyspark.SparkSession.builder.master("local[2]")
    session = builder.config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "2").getOrCreate()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    con = ibis.pyspark.connect(session)
    raw = {}
    for name in RawTables.__dataclass_fields__:
        path = tmp_path / "spark" / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(read_table(home, name), path)
        session.read.parquet(str(path)).createOrReplaceTempView(name)
        raw[name] = con.table(name)
    for name, query in count_queries(RawTables(**raw), options).items():
        found, wanted = read_table(home, name).drop("corpus"), query.to_pyarrow()
        measures = [c for c in ("expected_n_docs", "variance") if c in found.column_names]
        exact = [c for c in found.column_names if c not in measures]
        assert found.select(exact).to_pylist() == wanted.select(exact).to_pylist(), name
        for measure in measures:
            np.testing.assert_allclose(found[measure].to_numpy(), wanted[measure].to_numpy(), rtol=1e-9, atol=1e-9)
