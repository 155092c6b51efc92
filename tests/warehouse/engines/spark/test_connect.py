"""`pivots build --engine spark` on a Spark Connect server, as a user types it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from support.homes.raw_home import write_raw
from support.homes.spark_homes import needs_spark
from warehouse.base.settings import Home

pytestmark = [pytest.mark.engines, needs_spark]

_PIVOTS = [sys.executable, "-c", "from warehouse.cli import main; main()"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server with a catalogue of its own, on a free port."""
    import pyspark

    spark_home = Path(pyspark.__file__).parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "spark.connect.grpc.binding.port": port,
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": 4,
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": tmp_path / "tables",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={tmp_path / 'metastore'};create=true",
    }
    command = [str(spark_home / "bin" / "spark-submit"), "--master", "local[2]", "--driver-memory", "1g"]
    command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    command += [word for key, value in settings.items() for word in ("--conf", f"{key}={value}")]
    environment = os.environ | {"SPARK_HOME": str(spark_home), "SPARK_LOCAL_IP": "127.0.0.1"}
    with (tmp_path / "server.log").open("wb") as log:
        started = subprocess.Popen(
            [*command, "spark-internal"], cwd=tmp_path, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert started.poll() is None, (tmp_path / "server.log").read_text()[-2000:]
            time.sleep(0.2)
        yield f"sc://127.0.0.1:{port}"
    finally:
        started.terminate()
        started.wait(60)


def _build(home: Home, remote: str, *select: str) -> subprocess.CompletedProcess[str]:
    chosen = [word for selector in select for word in ("--select", selector)]
    command = [*_PIVOTS, "build", "--engine", "spark", "--home", str(home.root), *chosen]
    environment = os.environ | {"PIVOTS_SPARK_REMOTE": remote, "PIVOTS_THREADS": "2"}
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


def test_a_server_builds_what_the_home_shows(tmp_path: Path, server: str) -> None:
    home = Home(tmp_path / "home")
    steps = [{"run_id": "r", "step": n, "n_tokens_seen": 64 * n, "loss": 1 / n, "step_s": 0.5} for n in range(1, 5)]
    write_raw(home, "runs", [{"run_id": "r", "kind": "train", "model_id": "m", "strategy": "original"}])
    write_raw(home, "training_steps", steps)
    finished = _build(home, server, "+fct_training_curves", "stg_word_scores", "stg_layer_traces")
    assert finished.returncode == 0, finished.stderr[-3000:]
    assert finished.stdout.startswith("built  ")
    with duckdb.connect(str(home.warehouse_file), read_only=True) as connection:
        losses = connection.execute("select loss from marts.fct_training_curves order by step").fetchall()
    assert losses == [(step["loss"],) for step in steps]


@pytest.mark.parametrize("remote", ["sc://127.0.0.1:1", "127.0.0.1:15002"])
def test_a_server_that_does_not_answer_is_named(tmp_path: Path, remote: str) -> None:
    finished = _build(Home(tmp_path / "home"), remote, "dim_documents")
    assert finished.returncode == 2
    assert remote in finished.stderr
    assert "PIVOTS_SPARK_REMOTE" in finished.stderr
