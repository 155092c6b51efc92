"""What every flow shares: step times, which failures are worth a second try, and how a flow program ends."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from prefect.client.schemas.objects import TaskRun
from prefect.states import State
from prefect.tasks import Task

from warehouse.errors import ReportedError, StepFailed, UsageError
from warehouse.progress import say


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


def entry_point(main: Callable[[], None]) -> None:
    """Run a flow program: exit code 0 done, 1 failed, 2 refused; a user's mistake is one line."""
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
