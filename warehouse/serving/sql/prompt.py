"""An interactive SQL prompt on the published copy: Harlequin, with history and completion, able to read and no more."""

import importlib.util
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from warehouse.base.child_process import run_child
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.machine import memory_limit
from warehouse.base.settings import Home
from warehouse.lake.connections import READER_SETTINGS
from warehouse.lake.first_step import nothing_published


def open_prompt(home: Home) -> None:
    """Run the prompt on this terminal until its user quits.

    The copy that is published now stays the one that is asked, also when another is published meanwhile.

    Raises:
        UsageError: nothing is published, or Harlequin is not installed.
        StepFailed: Harlequin ended with an error.
    """
    if not home.published_file.exists():
        raise UsageError(nothing_published(home))
    if importlib.util.find_spec("harlequin") is None:
        raise UsageError(
            "the prompt needs harlequin: pip install 'semantic-pivots[dashboard]', or give one query:"
            ' pivots sql "select ..."'
        )
    with TemporaryDirectory(prefix="pivots-prompt-") as folder:
        script = Path(folder) / "settings.sql"
        script.write_text(settings_script(), encoding="utf-8")
        ended = run_child(command(home, script))
    if ended != 0:
        raise StepFailed(f"harlequin ended with exit code {ended}")


def settings_script() -> str:
    """Return SQL after which a DuckDB shell can do what other readers can: no files, no network, no settings."""
    settings = (f"memory_limit = '{memory_limit()}'", *READER_SETTINGS)
    return "".join(f"set {setting};\n" for setting in settings)


def command(home: Home, script: Path) -> list[str]:
    """Return how Harlequin is started: without the user's own profile and script, which may open other files."""
    program = [sys.executable, "-m", "harlequin", "--profile", "None", "--adapter", "duckdb", "--read-only"]
    return [*program, "--init-path", str(script), str(home.published_file.resolve())]
