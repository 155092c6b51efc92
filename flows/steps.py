"""What every flow shares: one writer at a time, step times, which failures deserve a second try, how a program ends."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import TaskRun
from prefect.concurrency.sync import concurrency
from prefect.states import State
from prefect.tasks import Task
from pydantic import BaseModel

from warehouse.base.errors import ReportedError, StepFailed, UsageError
from warehouse.base.progress import say
from warehouse.contract.disk import full_disk
from warehouse.contract.requests import read_request

WRITER_LIMIT = "pivots-writer"
Asked = TypeVar("Asked", bound=BaseModel)


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


def requested(kind: type[Asked]) -> Asked:
    """Return the request in the file that is this program's only argument, as `pivots` starts it.

    Raises:
        UsageError: there is no such argument, or the file holds no such request.
    """
    if len(sys.argv) != 2:
        raise UsageError(f"one argument is needed: a file with {kind.__name__}, as `pivots` writes it")
    return read_request(Path(sys.argv[1]), kind)


def entry_point(main: Callable[[], None]) -> None:
    """Run a flow program: exit code 0 done, 1 failed, 2 refused; a user's mistake or a full disk is one line."""
    try:
        main()
    except UsageError as mistake:
        print(f"pivots: {mistake}", file=sys.stderr)
        sys.exit(2)
    except StepFailed as failure:
        print(f"pivots: {failure}", file=sys.stderr)
        sys.exit(1)
    except ReportedError as failure:
        sys.exit(failure.exit_code)
    except Exception as failure:
        if (line := full_disk(failure)) is None:
            raise
        print(f"pivots: {line}", file=sys.stderr)
        sys.exit(1)
