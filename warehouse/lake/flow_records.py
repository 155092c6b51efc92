"""What became of the last run of each flow: a small file per flow in the home, to be read without a Prefect server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_file
from warehouse.contract.errors import StepFailed, UsageError

RUNNING, COMPLETED, FAILED = "running", "completed", "failed"


@dataclass(frozen=True)
class FlowRecord:
    """The last run of a flow.

    Attributes:
        state: `running`, `completed` or `failed`; a run that was killed stays `running`.
        message: why it failed, in one line; else empty.
        started_at, ended_at: ISO 8601, UTC; `ended_at` is empty while it runs.
    """

    flow: str
    state: str
    message: str
    started_at: str
    ended_at: str


@contextmanager
def recorded(home: Home, flow: str) -> Iterator[None]:
    """Record that a flow began, and how it ended; what it raises is raised on."""
    started = _now()
    _write(home, FlowRecord(flow, RUNNING, "", started, ""))
    try:
        yield
    except BaseException as problem:
        said = str(problem) if isinstance(problem, UsageError | StepFailed) else f"{type(problem).__name__}: {problem}"
        _write(home, FlowRecord(flow, FAILED, " ".join(said.split()), started, _now()))
        raise
    _write(home, FlowRecord(flow, COMPLETED, "", started, _now()))


def flow_records(home: Home) -> list[FlowRecord]:
    """Return the last run of every flow that ever ran in this home, by name."""
    return [FlowRecord(**json.loads(path.read_text())) for path in sorted(_folder(home).glob("[!.]*.json"))]


def _folder(home: Home) -> Path:
    return home.root / "flows"


def _write(home: Home, record: FlowRecord) -> None:
    _folder(home).mkdir(parents=True, exist_ok=True)
    with atomic_file(_folder(home) / f"{record.flow}.json") as unfinished:
        unfinished.write_text(json.dumps(asdict(record), indent=1))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
