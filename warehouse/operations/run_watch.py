"""What the runs of a schedule do, as lines to print: one when a run starts, one when it has ended."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx

from warehouse.base.settings import Home
from warehouse.operations.scheduler_secret import credentials

_STARTED, _ENDED = {"RUNNING"}, {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
_NEWEST = 50
_TIMEOUT_S = 5


class RunWatch:
    """Asks a server for its newest runs, and remembers which were told of."""

    def __init__(self, ask: Callable[[], list[dict[str, Any]]]) -> None:
        self._ask = ask
        self._told: dict[str, str] = {}
        self._began: set[str] = set()

    def lines(self) -> list[str]:
        """Return what happened since the last call; nothing while the server does not answer."""
        try:
            runs = self._ask()
        except httpx.HTTPError:
            return []
        lines = []
        for run in sorted(runs, key=lambda run: run["start_time"] or ""):
            state = run["state_type"]
            if self._told.get(run["id"]) == state:
                continue
            self._told[run["id"]] = state
            if state in _STARTED and run["id"] not in self._began:
                self._began.add(run["id"])
                lines.append(f"{_clock(run['start_time'])}  started    {run['name']}")
            elif state in _ENDED:
                took = f" ({run['total_run_time']:.0f} s)" if run["total_run_time"] else ""
                why = f": {run['state']['message']}" if state != "COMPLETED" and run["state"]["message"] else ""
                when = _clock(run["end_time"]) if run["end_time"] else " " * 8
                lines.append(f"{when}  {state.lower():<10} {run['name']}{took}{why}")
        return [" ".join(line.splitlines()) for line in lines]


def watch_runs(home: Home, url: str) -> RunWatch:
    """Watch the runs of the home's own server."""
    user, _, password = credentials(home).partition(":")

    def ask() -> list[dict[str, Any]]:
        wanted = {"sort": "START_TIME_DESC", "limit": _NEWEST}
        wanted["flow_runs"] = {"state": {"type": {"any_": sorted(_STARTED | _ENDED)}}}
        auth = httpx.BasicAuth(user, password)
        answer = httpx.post(f"{url}/api/flow_runs/filter", json=wanted, auth=auth, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return list(answer.json())

    return RunWatch(ask)


def _clock(timestamp: str) -> str:
    return datetime.fromisoformat(timestamp).astimezone().strftime("%H:%M:%S")
