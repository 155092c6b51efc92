"""A query in a process of its own, which is killed when its time is up.

DuckDB does not look for interrupts within one long call of a function, and one such query would stop a server of many
people for all of them. A process that has loaded everything waits for the next query, so that none waits for it.

`python -m warehouse.serving.sql.query_process` reads a request as JSON and answers as an Arrow stream.
"""

import contextlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa

from warehouse.base.child_process import start_child, stop
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.programs import module_command, program_environment
from warehouse.base.settings import Home
from warehouse.contract.lifeline import watch_launcher
from warehouse.serving.sql.published_query import query
from warehouse.serving.sql.render import python_rows

MAX_RESULT_BYTES = 64 << 20
_REFUSED, _FAILED = 2, 1
# DuckDB stops most queries at its interrupt, with a message of its own; the process is killed when it did not.
GRACE_S = 1.0


class _Waiting:
    """The process that waits for the next query."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._program: subprocess.Popen[bytes] | None = None

    def take(self) -> subprocess.Popen[bytes]:
        """Return the process that waits, or a new one; the next begins to load."""
        with self._lock:
            taken = self._program
            if taken is None or taken.poll() is not None:
                taken = _start()
            self._program = _start()
        return taken


_WAITING = _Waiting()


def query_rows(home: Home, sql: str, *, max_rows: int, time_limit_s: float) -> list[dict[str, Any]]:
    """Return the rows of one query on the published copy; a date or time that Python has not is text.

    Raises:
        UsageError: nothing is published, or the text is not one query that only reads.
        StepFailed: the query ran out of memory or time, or its rows are more than `MAX_RESULT_BYTES`.
    """
    program = _WAITING.take()
    killed = threading.Event()

    def kill() -> None:
        killed.set()
        program.kill()

    timer = threading.Timer(time_limit_s + GRACE_S, kill)
    timer.start()
    try:
        request = {"home": str(home.root), "sql": sql, "max_rows": max_rows, "time_limit_s": time_limit_s}
        answer, said = program.communicate(json.dumps(request).encode())
    finally:
        timer.cancel()
        stop(program, wait_s=0)
    if killed.is_set():
        raise StepFailed(f"the query was stopped after {time_limit_s:g} s")
    if program.returncode == _REFUSED:
        raise UsageError(said.decode())
    if program.returncode == _FAILED and said:
        raise StepFailed(said.decode())
    if program.returncode != 0:
        raise StepFailed("the query was ended from outside, probably for want of memory: narrow it")
    return python_rows(pa.ipc.open_stream(answer).read_all())


def _start() -> subprocess.Popen[bytes]:
    command = module_command("warehouse.serving.sql.query_process")
    # not at the death of the thread that starts it, which serves one page only: it watches the process itself
    return start_child(
        command,
        env=program_environment(),
        at_death=None,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _answer(request: dict[str, Any]) -> None:
    """Write the rows of a query to standard output."""
    limits = {"max_rows": request["max_rows"], "time_limit_s": request["time_limit_s"]}
    n_bytes = 0
    with query(Home(Path(request["home"])), request["sql"], **limits) as reader:
        batches = []
        for batch in reader:
            n_bytes += batch.nbytes
            if n_bytes > MAX_RESULT_BYTES:
                raise StepFailed(f"the rows are more than {MAX_RESULT_BYTES >> 20} MiB: select fewer, or shorter ones")
            batches.append(batch)
        table = pa.Table.from_batches(batches, schema=reader.schema)
    with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as stream:
        stream.write_table(table)


def main() -> None:
    """Answer the one request that standard input brings."""
    watch_launcher()
    line = sys.stdin.buffer.read()
    if not line:
        return
    try:
        _answer(json.loads(line))
    except (UsageError, StepFailed) as problem:
        with contextlib.suppress(OSError):
            sys.stderr.write(str(problem).encode("utf-8", "replace").decode())
        sys.exit(_REFUSED if isinstance(problem, UsageError) else _FAILED)


if __name__ == "__main__":
    main()
