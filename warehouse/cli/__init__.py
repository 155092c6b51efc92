"""The `pivots` command. Each module registers the commands of one subject; heavy imports wait until a command runs."""

import sys
from typing import Annotated

import typer

from warehouse import __version__
from warehouse.base.child_process import stop_on_sigterm, terminated
from warehouse.base.errors import end_in_one_line
from warehouse.cli import (
    bench,
    build,
    count,
    infini_gram,
    ingest,
    lens,
    models,
    plant,
    read,
    review,
    run,
    schedule,
    shared_lake,
)
from warehouse.contract.lifeline import watch_launcher

_INTERRUPTED, _TERMINATED = 130, 143

app = typer.Typer(
    name="pivots",
    help="Which tokens of a corpus carry a language model from one language to another? Start with: pivots demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"pivots {__version__}")
        raise typer.Exit


@app.callback()
def _pivots(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and end.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


for module in (plant, run, ingest, count, infini_gram, build, review, models, lens, read, shared_lake, schedule, bench):
    module.register(app)


def main() -> None:
    """Run the command line: exit code 0 done, 1 failed, 2 wrong usage; a user's mistake is one line, no traceback.

    Ctrl-C ends with 130; SIGTERM is handled alike and ends with 143.
    """
    stop_on_sigterm()
    watch_launcher()
    try:
        end_in_one_line(app)
    except SystemExit as end:
        sys.exit(_TERMINATED if end.code == _INTERRUPTED and terminated.is_set() else end.code)
