"""What every flow shares: one writer at a time, step times, which failures deserve a second try, how a program ends."""

import functools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import TaskRun
from prefect.concurrency.sync import concurrency
from prefect.logging import get_run_logger
from prefect.states import Failed, State
from prefect.tasks import Task
from pydantic import BaseModel

from warehouse.base.errors import ReportedError, StepFailed, UsageError
from warehouse.base.progress import say
from warehouse.contract.requests import read_request

WRITER_LIMIT = "pivots-writer"
Asked = TypeVar("Asked", bound=BaseModel)
Parameters = ParamSpec("Parameters")
Returned = TypeVar("Returned")


@contextmanager
def one_writer() -> Iterator[None]:
    """Hold the only slot of the server's limit `pivots-writer`: of all flows of all deployments, one writes.

    It keeps a refresh from changing the corpus between two exports of an experiment. Within each step the home's file
    lock holds too, since people also type commands. A killed run's slot comes free when its lease ends (5 minutes).
    """
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(WRITER_LIMIT, 1)
    with concurrency(WRITER_LIMIT, occupy=1, strict=True, raise_on_lease_renewal_failure=False):
        yield


@contextmanager
def timed(step: str) -> Iterator[None]:
    """Print how long a step took, when it is done."""
    start = time.monotonic()
    yield
    say(f"{step}: {time.monotonic() - start:.1f} s")


def retry_unless_refused(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:
    """Return whether a failed step may succeed when tried again: a refused request will not."""
    try:
        state.result()
    except (UsageError, ReportedError):
        return False
    except Exception:
        return True
    return False


def dated(flow: str) -> Callable[[], str]:
    """Return what names a flow's runs by the time at which they start, where a page lists many."""
    return lambda: f"{flow} {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"


def ended_in_one_line(function: Callable[Parameters, Returned]) -> Callable[Parameters, Returned]:
    """Have a flow that is refused, or whose step fails, end as failed with that line; Prefect would log a traceback."""

    @functools.wraps(function)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Returned:
        try:
            return function(*args, **kwargs)
        except (UsageError, StepFailed) as problem:
            get_run_logger().error(str(problem))
            failed: Any = Failed(message=str(problem), data=problem)
            return failed

    return run


def requested(kind: type[Asked]) -> Asked:
    """Return the request in the file that is this program's only argument, as `pivots` starts it.

    Raises:
        UsageError: there is no such argument, or the file holds no such request.
    """
    if len(sys.argv) != 2:
        raise UsageError(f"one argument is needed: a file with {kind.__name__}, as `pivots` writes it")
    return read_request(Path(sys.argv[1]), kind)
