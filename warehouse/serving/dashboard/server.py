"""The dashboard's server, a process of its own: `python -m warehouse.serving.dashboard.server PORT`.

Its token comes in the environment, since other users of the machine can read what a program was started with.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from warehouse.base.ports import LOCAL_HOST
from warehouse.serving.dashboard.own_pages import OwnPagesOnly

if TYPE_CHECKING:
    from starlette.types import ASGIApp

TOKEN_VARIABLE = "PIVOTS_DASHBOARD_TOKEN"  # noqa: S105  the name of a variable


def dashboard_app(*, port: int, token: str) -> "ASGIApp":
    """Return the app as it is served on a port of this machine: to who has the token, and to its own pages only."""
    import marimo

    from warehouse.serving.dashboard import APP

    served = marimo.create_asgi_app(quiet=True, token=token, skew_protection=True)
    return OwnPagesOnly(served.with_app(path="", root=str(APP)).build(), port=port)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    import uvicorn

    os.chdir(Path(__file__).parent)  # where marimo finds our settings first, and nobody else's

    port, token = int(sys.argv[1]), os.environ.pop(TOKEN_VARIABLE)
    uvicorn.run(
        dashboard_app(port=port, token=token),
        host=LOCAL_HOST,
        port=port,
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,  # open pages hold their websockets for ever
    )


if __name__ == "__main__":
    main()
