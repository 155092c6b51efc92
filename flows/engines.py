"""Where a flow's steps run: the parameter `engine`, as the commands have it, and `catalog` for a shared lake."""

from dataclasses import dataclass
from pathlib import Path

from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.build.build import build
from warehouse.counting.count import count_corpus
from warehouse.counting.options import CountOptions
from warehouse.ingest.corpus import IngestSummary, ingest_corpus

EMBEDDED, SPARK = "embedded", "spark"


@dataclass(frozen=True)
class Engines:
    """Where a refresh ingests, counts and builds.

    Attributes:
        engine: `embedded` (DuckDB in the home) or `spark` (the one that PIVOTS_SPARK_MASTER names).
        catalog: address of a shared lake, whose marts are built from what every machine registered; None without one.
    """

    engine: str = EMBEDDED
    catalog: str | None = None

    def __post_init__(self) -> None:
        if self.engine not in (EMBEDDED, SPARK):
            raise UsageError(f"the parameter `engine` is {self.engine!r}: set it to {EMBEDDED} or {SPARK}")
        if self.engine == SPARK and self.catalog is not None:
            raise UsageError("set the parameter `engine` or `catalog`: a shared lake is built by DuckDB")

    def built_in(self, home: Home) -> Home:
        """Return the home whose dbt folder a build uses: a working one for a shared lake."""
        if self.catalog is None:
            return home
        from warehouse.engines.ducklake import address

        return address.resolve(self.catalog).working_home(home)

    def ingest(self, home: Home, folder: Path, corpus: str, tokenizer: str) -> IngestSummary:
        """Ingest what a corpus does not hold yet."""
        if self.engine == SPARK:
            from warehouse.engines.spark.ingest import ingest_on_spark

            return ingest_on_spark(home, [folder], corpus=corpus, tokenizer=tokenizer)
        return ingest_corpus(home, [folder], corpus=corpus, tokenizer=tokenizer)

    def count(self, home: Home, corpus: str, options: CountOptions) -> None:
        """Make the counts that are missing."""
        if self.engine == SPARK:
            from warehouse.engines.spark.counting import count_on_spark

            count_on_spark(home, corpus, options)
        else:
            count_corpus(home, corpus, options)

    def build(self, home: Home) -> None:
        """Build the home's marts, or those of the shared lake, in which what is new here is registered first."""
        if self.catalog is not None:
            from warehouse.engines.ducklake import address
            from warehouse.engines.ducklake.engine import SharedLakeEngine
            from warehouse.engines.ducklake.migrate import migrate

            there = address.resolve(self.catalog)
            migrate(home, there)
            lake = SharedLakeEngine(home, there)
            build(lake.home, engine=lake)  # its own readers ask the lake
        elif self.engine == SPARK:
            from warehouse.engines.spark.engine import SparkEngine

            build(home, engine=SparkEngine(home))
        else:
            build(home)
