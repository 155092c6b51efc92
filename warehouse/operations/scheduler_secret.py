"""The password of a home's Prefect server: who has it may start flows, which run commands, so only the owner reads it.

Prefect checks it on every request of its API and in every websocket; only `/api/health`, `/api/ready` and the files of
its pages answer without. It has no list of allowed hosts. None is needed: a page of another site that reaches the
server under a name of its own (DNS rebinding) has no password, and gets 401.
"""

import os
import secrets
from pathlib import Path

from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_file

_USER = "pivots"


def authentication(home: Home) -> dict[str, str]:
    """Return the settings by which a server asks for the home's password and its clients send it.

    No page of another origin may read what the server answers. Pages of the server itself need no permission.
    """
    secret = credentials(home)
    return {
        "PREFECT_SERVER_API_AUTH_STRING": secret,
        "PREFECT_API_AUTH_STRING": secret,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": "",
    }


def password_file(home: Home) -> Path:
    """Return the file of the home's `user:password`, which only this user can read."""
    return home.prefect / "password"


def credentials(home: Home) -> str:
    """Return the home's `user:password`; the first call makes it."""
    path = password_file(home)
    if not path.exists():
        with atomic_file(path) as unfinished:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as stream:
                stream.write(f"{_USER}:{secrets.token_urlsafe(32)}")
    return path.read_text()
