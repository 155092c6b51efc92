"""The writer's file beside another program that has it open."""

import subprocess
import sys
from pathlib import Path

import pytest

from warehouse.base.errors import StepFailed
from warehouse.base.settings import Home
from warehouse.lake.connections import open_writer

READER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
sys.stdin.read()
"""


def test_a_reader_of_the_writers_file_is_named_in_one_line(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.root.mkdir()
    with open_writer(home):
        pass
    command = [sys.executable, "-c", READER, str(home.warehouse_file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        with pytest.raises(StepFailed) as problem, open_writer(home):
            pass
        reader.communicate("")
    message = str(problem.value)
    assert "\n" not in message
    assert message.startswith(f"{home.warehouse_file} is open in another program (")
    assert f"PID {reader.pid}" in message
    with open_writer(home):
        pass
