"""How our own programs and the tools beside them are started: by this Python, whatever the working directory holds."""

import os
import sys
from collections.abc import Mapping
from typing import Any


def module_command(module: str, *arguments: Any) -> list[str]:
    """Return the command that runs an installed module, such as `ml.train` or `prefect`, in this environment."""
    return [sys.executable, "-m", module, *(str(argument) for argument in arguments)]


def dbt_command(*arguments: str) -> list[str]:
    """Return the command that runs dbt in this environment, also where its script `dbt` is not on hand."""
    return [sys.executable, "-c", "from dbt.cli.main import cli; cli(prog_name='dbt')", *arguments]


def program_environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's environment with some variables, for a program and those that it starts in turn.

    Modules come from where they are installed, never from the working directory: a folder `ml` or `flows` there is the
    user's own.
    """
    return {**os.environ, "PYTHONSAFEPATH": "1", **(variables or {})}
