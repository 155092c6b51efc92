"""One measurement of `bench_spark.py`, in a process of its own: prints its figures as one line of JSON.

python -m benchmarks.support.spark_measure count|ingest|join embedded|spark CORES SCRATCH CORPUS
"""

import json
import shutil
import sys
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.support.benchmark_lakes import CORPUS, PLANTED_TOKENIZER, forget
from warehouse.base.settings import Home
from warehouse.counting import count as counting
from warehouse.counting import embedded
from warehouse.counting.count import count_corpus
from warehouse.counting.options import CountOptions
from warehouse.engines.spark import counting_rows, counting_units
from warehouse.engines.spark.counting import count_on_spark
from warehouse.engines.spark.ingest import ingest_on_spark
from warehouse.engines.spark.session import spark_session
from warehouse.ingest.corpus import ingest_corpus
from warehouse.ingest.word_list import import_words
from warehouse.lake.files import shard_path

INGESTED_FILES = 64
SELF_JOIN = """
with pairs as (
    select a.token_id as token_id_a, b.token_id as token_id_b, count(*) as n_docs
    from unit_tokens as a join unit_tokens as b on a.unit = b.unit and a.token_id < b.token_id
    group by a.token_id, b.token_id
)
select count(*) as n_pairs, sum(n_docs) as n_increments from pairs
"""


def main() -> None:
    what, engine, cores, scratch, name = sys.argv[1:]
    folder = Path(scratch).resolve()
    home = Home(folder / (f"ingested-{engine}" if what == "ingest" else name))
    if what == "ingest":
        shutil.rmtree(home.root, ignore_errors=True)
    with ExitStack() as stack:
        figures: dict[str, Any] = {}
        spark = None
        if engine == "spark":
            start = time.perf_counter()
            spark = stack.enter_context(spark_session(home, app_name="benchmark"))
            figures["start_seconds"] = time.perf_counter() - start
        if what == "count":
            figures |= count(home, engine, folder / "tiny", spark)
        elif what == "ingest":
            figures |= ingest(home, engine, folder / "planted", int(cores))
        else:
            figures |= join(home, folder / "tiny", spark, int(cores))
        print(json.dumps(figures))


def stages() -> dict[str, float]:
    """Return seconds of the driver's clock by stage, in a table that fills while counting goes on."""
    found: dict[str, float] = defaultdict(float)

    def watch(owner: Any, name: str, stage: str) -> None:
        function = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            start = time.perf_counter()
            result = function(*args, **kwargs)
            found[stage] += time.perf_counter() - start
            if stage == "rows":
                found["packed bytes"] = result
            return result

        setattr(owner, name, watched)

    watch(embedded, "read_corpus", "units")
    watch(counting_units, "read_pass", "units")
    watch(counting_units, "place_pass", "numbers")
    watch(counting_rows, "count_rows", "rows")
    watch(counting, "_write_counts", "rows and tables")
    return found


def count(home: Home, engine: str, tiny: Path, spark: Any) -> dict[str, Any]:
    """Count a corpus by documents, after a tiny one: loading libraries and kernels is not in the figures."""
    counted = count_on_spark if engine == "spark" else count_corpus
    warm_up(home, counted, tiny)
    by_stage = stages()
    shuffled = shuffle_bytes(spark)
    start = time.perf_counter()
    summary = counted(home, CORPUS, CountOptions())
    seconds = time.perf_counter() - start
    return vars(summary) | {
        "seconds": seconds,
        "stages": by_stage,
        "shuffle_bytes": shuffle_bytes(spark) - shuffled,
        "packed_bytes": by_stage.pop("packed bytes", 0),
        "table_bytes": table_bytes(home),
    }


def warm_up(home: Home, counted: Any, tiny: Path) -> None:
    """Count the tiny corpus in this home (a process has one home on Spark), and remove all counts again."""
    for path in (tiny / "lake").glob(f"*/{CORPUS}/*.parquet"):
        target = home.lake / path.parent.parent.name / "warm" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.hardlink_to(path)
    try:
        counted(home, "warm", CountOptions())
    finally:
        for table in home.lake.glob("*/warm"):
            shutil.rmtree(table)
    forget(home)


def shuffle_bytes(spark: Any) -> int:
    """Return the bytes that all executors have written for others."""
    if spark is None:
        return 0
    executors = spark.sparkContext._jsc.sc().statusStore().executorList(False)
    return sum(executors.apply(i).totalShuffleWrite() for i in range(executors.size()))


def table_bytes(home: Home) -> dict[str, int]:
    """Return the bytes of each raw table of the corpus, and of the sums."""
    found: dict[str, int] = defaultdict(int)
    for table in ("documents", "word_documents", "source_files"):
        found[table] = sum(path.stat().st_size for path in (home.lake / table / CORPUS).glob("*.parquet"))
    for path in (home.lake / "counts" / CORPUS).glob("*/*.parquet"):
        found[path.stem] += path.stat().st_size
    found["sums"] = sum(path.stat().st_size for path in (home.lake / "sums" / CORPUS).rglob("*") if path.is_file())
    return found


def ingest(home: Home, engine: str, planted: Path, cores: int) -> dict[str, Any]:
    """Ingest documents of the planted corpus into an empty home, words matched, after a few small files."""
    ingested = ingest_on_spark if engine == "spark" else ingest_corpus
    import_words(home, planted / "words.jsonl")
    small = home.root / "small"
    small.mkdir()
    for number in range(4 * cores):
        record = {"id": str(number), "source": "small", "text": f"water {number}", "metadata": {"lang": "en"}}
        (small / f"{number}.jsonl").write_text(json.dumps(record))
    ingested(home, [small], corpus="warm", tokenizer=str(PLANTED_TOKENIZER))
    files = sorted((planted / "documents").glob("*.jsonl.zst"))[:INGESTED_FILES]
    start = time.perf_counter()
    summary = ingested(home, files, corpus=CORPUS, tokenizer=str(PLANTED_TOKENIZER))
    seconds = time.perf_counter() - start
    documents = shard_path(home, "documents", "", corpus=CORPUS).parent.glob("*.parquet")
    columns = [pq.read_table(path, columns=["n_tokens", "n_bytes"]) for path in documents]
    figures = {
        "seconds": seconds,
        "n_docs": summary.tally.n_docs,
        "n_files": summary.tally.n_files,
        "n_tokens": sum(pc.sum(table["n_tokens"]).as_py() for table in columns),
        "text_bytes": sum(pc.sum(table["n_bytes"]).as_py() for table in columns),
        "table_bytes": table_bytes(home),
    }
    shutil.rmtree(home.root)
    return figures


def join(home: Home, tiny: Path, spark: Any, cores: int) -> dict[str, Any]:
    """Count the pairs of tokens in documents by a self-join in Spark SQL, and all rows by the kernels, in one session.

    Both start from the distinct tokens of each document. The self-join makes pairs of tokens only, and only counts
    them; the kernels' job makes those of words and tokens too, applies the rules and writes what they keep.
    """
    counted = count(home, "spark", tiny, spark)
    pairs = home.root / "unit_tokens.parquet"
    write_unit_tokens(home, pairs)
    spark.conf.set("spark.sql.shuffle.partitions", str(4 * cores))
    # small as the input is, Spark would join it in one task otherwise
    spark.conf.set("spark.sql.adaptive.coalescePartitions.enabled", "false")
    spark.read.parquet(str(pairs)).createOrReplaceTempView("unit_tokens")
    start = time.perf_counter()
    [row] = spark.sql(SELF_JOIN).collect()
    seconds = time.perf_counter() - start
    return {
        "self_join_seconds": seconds,
        "n_pairs": row["n_pairs"],
        "n_increments": row["n_increments"],
        "kernel_seconds": counted["stages"]["rows"],
        "count_seconds": counted["seconds"],
        "n_units": counted["n_units"],
        "n_tokens": counted["n_tokens"],
        "unit_tokens": pq.read_metadata(pairs).num_rows,
    }


def write_unit_tokens(home: Home, path: Path) -> None:
    """Write a row for each document and token in it."""
    with pq.ParquetWriter(path, pa.schema([("unit", pa.int32()), ("token_id", pa.int32())])) as writer:
        n_units = 0
        for file in sorted((home.lake / "documents" / CORPUS).glob("*.parquet")):
            documents = [np.unique(ids.values.to_numpy()) for ids in pq.read_table(file)["token_ids"]]
            units = np.repeat(np.arange(n_units, n_units + len(documents)), [ids.size for ids in documents])
            rows = pa.table({"unit": units.astype(np.int32), "token_id": np.concatenate(documents)}, writer.schema)
            writer.write_table(rows, row_group_size=1 << 18)
            n_units += len(documents)


if __name__ == "__main__":
    main()
