"""How the ml programs end: a user's mistake is everything that is wrong, once, in one line, before any work."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from warehouse.contract.disk import disk_failure
from warehouse.contract.errors import FAILED, REFUSED, StepFailed, UsageError
from warehouse.contract.lifeline import watch_launcher

REFUSAL_FILE = "PIVOTS_REFUSAL_FILE"


def run_program(main: Callable[[], None]) -> None:
    """Run a program's main; what ends it becomes one line.

    A user's mistake has exit code 2, a failed run or a full disk exit code 1.

    Launchers of several processes turn every exit code into 1 and add a report of their own. A caller that starts a
    program through one names a file in the environment variable PIVOTS_REFUSAL_FILE: a refusal is then written there,
    and the program ends as if done, for the caller to report it.
    """
    watch_launcher()
    try:
        main()
    except UsageError as problem:
        if refusal := os.environ.get(REFUSAL_FILE):
            Path(refusal).write_text(str(problem))  # the same text from every process
            return
        print(f"error: {problem}", file=sys.stderr, flush=True)
        raise SystemExit(REFUSED) from None
    except (OSError, StepFailed) as problem:
        advice = "; what was committed before is intact, run the same command again to go on"
        said = disk_failure(problem) or f"{problem}{advice if isinstance(problem, OSError) else ''}"
        print(f"error: {said}", file=sys.stderr, flush=True)
        raise SystemExit(FAILED) from None
    except Exception as problem:
        if (line := disk_failure(problem)) is None:
            raise
        print(f"error: {line}", file=sys.stderr, flush=True)
        raise SystemExit(FAILED) from None
