"""The only place that starts Spark: `with spark_session(home, app_name="pivots count") as spark: ...`."""

import importlib.util
import os
import shutil
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.machine import available_threads
from warehouse.base.settings import Home

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LOCAL_HOST = "127.0.0.1"
_SQL_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # overflow and bad casts are errors (dbt-spark turns it off for its own SQL)
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # an instant, as in the lake's own files
}


@contextmanager
def spark_session(home: Home, *, app_name: str) -> "Iterator[SparkSession]":
    """Yield the Spark session of a home; the outermost `with` of a process stops it at its end.

    Environment:
        PIVOTS_SPARK_MASTER: where Spark runs, `local[<threads>]` by default; `local-cluster[2,1,1024]` starts a master
            and two workers of one core and 1024 MiB on this machine, `spark://host:7077`, `yarn`, ... use a cluster
            that can read and write the home under the same path.
        PIVOTS_SPARK_MEMORY: memory of the driver, and of each executor of a cluster that is not this machine (2g).

    What else a cluster needs (executors, cores, queues) goes to Spark's own `spark-defaults.conf` (SPARK_CONF_DIR).

    Tables live in `<home>/spark/warehouse`, the catalogue of their names in `<home>/spark/metastore`. The catalogue
    admits one process at a time: who reads or writes tables holds `writer_lock`.

    Raises:
        UsageError: PySpark or Java is not installed.
        StepFailed: this process already has the session of another home.
    """
    require_spark()
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        if tables_folder(active) != warehouse_folder(home):
            raise StepFailed(f"Spark is already at work on another home in this process: {home.root} has to wait")
        yield active
        return
    warehouse_folder(home).mkdir(parents=True, exist_ok=True)
    _set_environment()
    builder = SparkSession.builder.appName(app_name).enableHiveSupport()
    for key, value in _settings(home).items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    try:
        yield session
    finally:
        session.stop()


@contextmanager
def sql_session(home: Home, *, app_name: str) -> "Iterator[SparkSession]":
    """Yield a session for SQL alone: `spark_session`, or one of the server that PIVOTS_SPARK_REMOTE names.

    Environment:
        PIVOTS_SPARK_REMOTE: a Spark Connect server, `sc://host:15002`. The home and the server's own
            `spark.sql.warehouse.dir` must have the same path there and here. It keeps one catalogue for all who ask,
            so it serves one home.

    Raises:
        UsageError: PySpark is not installed, or nothing answers at the server's address.
    """
    remote = os.environ.get("PIVOTS_SPARK_REMOTE")
    if not remote:
        with spark_session(home, app_name=app_name) as session:
            yield session
        return
    _require_server(remote)
    from pyspark.sql import SparkSession

    # dbt-spark asks for Hive's catalogue, as one does of a session of one's own; the server has its catalogue
    warnings.filterwarnings("ignore", message="Failed to set spark.sql.catalogImplementation")
    before = os.environ.get("SPARK_REMOTE")
    os.environ["SPARK_REMOTE"] = remote  # dbt asks for a session by itself and finds this one
    session = SparkSession.builder.remote(remote).getOrCreate()
    for key, value in _SQL_SETTINGS.items():
        session.conf.set(key, value)
    try:
        yield session
    finally:
        session.stop()
        os.environ.pop("SPARK_REMOTE") if before is None else os.environ.update(SPARK_REMOTE=before)


def warehouse_folder(home: Home) -> Path:
    """Return where the session that we start keeps the home's tables: `<schema>.db/<table>/*.parquet`."""
    return home.root / "spark" / "warehouse"


def tables_folder(session: "SparkSession") -> Path:
    """Return where a session, whoever started it, keeps its tables."""
    return Path(str(session.conf.get("spark.sql.warehouse.dir")).removeprefix("file:"))


def spark_master() -> str:
    """Return where Spark runs: PIVOTS_SPARK_MASTER, or this machine with as many threads as the product may use."""
    return os.environ.get("PIVOTS_SPARK_MASTER") or f"local[{available_threads()}]"


def require_spark() -> None:
    """Check that Spark can be started here.

    Raises:
        UsageError: PySpark or Java is not installed.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise UsageError("PySpark is not installed: `make setup-engines`, or pip install 'semantic-pivots[spark]'")
    java = Path(os.environ["JAVA_HOME"], "bin", "java") if os.environ.get("JAVA_HOME") else shutil.which("java")
    if java is None or not Path(java).exists():
        raise UsageError("Java is not installed: Spark 4 needs 17 or newer (Debian: apt-get install openjdk-17-jre)")


def _require_server(remote: str) -> None:
    """Check that somebody listens at a Spark Connect address: its client would try for ten minutes."""
    if importlib.util.find_spec("pyspark") is None or importlib.util.find_spec("grpc") is None:
        raise UsageError("Spark Connect's client is not installed: `make setup-engines`")
    address = urlsplit(remote)
    if address.scheme != "sc" or not address.hostname:
        raise UsageError(f"PIVOTS_SPARK_REMOTE={remote} is no address of Spark Connect, such as sc://host:15002")
    try:
        socket.create_connection((address.hostname, address.port or 15002), timeout=10).close()
    except OSError as error:
        raise UsageError(f"no server answers at {remote} (PIVOTS_SPARK_REMOTE): {error}") from None


def _set_environment() -> None:
    """Set what Spark reads from the environment before its Java process starts."""
    import pyspark

    # executors of a local cluster are started through it, and pip's PySpark does not set it
    os.environ.setdefault("SPARK_HOME", str(Path(pyspark.__file__).parent))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # workers see what this process sees
    if _on_this_machine():
        os.environ.setdefault("SPARK_LOCAL_IP", _LOCAL_HOST)


def _on_this_machine() -> bool:
    return spark_master().startswith("local")


def _settings(home: Home) -> dict[str, str]:
    """Return what the product relies on, and on this machine what keeps Spark small and to itself."""
    folder = warehouse_folder(home).parent
    memory = os.environ.get("PIVOTS_SPARK_MEMORY", "2g")
    settings = {
        "spark.master": spark_master(),
        "spark.driver.memory": memory,
        "spark.sql.warehouse.dir": str(warehouse_folder(home)),
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder / 'metastore'};create=true",
        "spark.driver.extraJavaOptions": _java_option(f"-Dderby.stream.error.file={folder / 'derby.log'}"),
        **_SQL_SETTINGS,
        "spark.log.level": "ERROR",
        "spark.ui.showConsoleProgress": "false",
    }
    if not _on_this_machine():
        return settings | {"spark.executor.memory": memory}
    cores = available_threads()
    return settings | {
        "spark.driver.host": _LOCAL_HOST,
        "spark.driver.bindAddress": _LOCAL_HOST,
        "spark.ui.enabled": "false",
        "spark.local.dir": str(home.spill),
        "spark.sql.shuffle.partitions": str(4 * cores),  # the default, 200, is for clusters
    }


def _java_option(text: str) -> str:
    """Return an option as Spark wants it in a list of options: a path may hold blanks and quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
