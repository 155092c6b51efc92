"""A home on a small cluster of its own, and its twin that the embedded engine works on."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from warehouse.base.settings import Home
from warehouse.lake.files import current_count
from warehouse.lake.schemas import COUNTED

MASTER = "local-cluster[2,1,1024]"  # a real master with two worker processes
HAS_SPARK = importlib.util.find_spec("pyspark") is not None and shutil.which("java") is not None
needs_spark = pytest.mark.skipif(not HAS_SPARK, reason="needs PySpark and Java: `make setup-engines`, openjdk-17-jre")


@dataclass(frozen=True)
class Twins:
    """Two homes that are given the same."""

    spark: Home
    embedded: Home


@contextmanager
def cluster(root: Path) -> Iterator[Twins]:
    """Yield twins while the session of the first is open."""
    from warehouse.engines.spark.session import spark_session

    twins = Twins(Home(root / "spark"), Home(root / "embedded"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment().items():
            patch.setenv(name, value)
        with spark_session(twins.spark, app_name="tests"):
            yield twins


def environment() -> dict[str, str]:
    """Return what a process needs to run on a small cluster."""
    return {"PIVOTS_SPARK_MASTER": MASTER, "PIVOTS_SPARK_MEMORY": "1g", "PIVOTS_THREADS": "2"}


def process_environment() -> dict[str, str]:
    """Return the whole environment of a process on a cluster of its own."""
    return os.environ | environment()


def counted_bytes(home: Home, corpus: str) -> dict[str, bytes]:
    """Return every counted table of a corpus but the one that names the run, and all sums that are kept."""
    folder = home.lake / "counts" / corpus / str(current_count(home, corpus))
    files = {name: folder / f"{name}.parquet" for name in COUNTED if name != "counts"}
    files |= {str(path.relative_to(home.lake)): path for path in home.lake.glob(f"sums/{corpus}/*/*")}
    return {name: path.read_bytes() for name, path in files.items()}
