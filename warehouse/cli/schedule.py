"""Commands: pivots schedule, pivots clean-up."""

from pathlib import Path
from typing import Annotated

import typer

from warehouse.cli.options import HomeOption

_WATCH_S = 3.0


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @app.command()
    def schedule(
        port: Annotated[int, typer.Option(metavar="N", help="The server's port, on 127.0.0.1.")] = 4200,
        deployments: Annotated[
            Path | None, typer.Option(metavar="FILE", help="Another file than the project's prefect.yaml.")
        ] = None,
        home: HomeOption = None,
    ) -> None:
        """Start a Prefect server and a worker here, register all deployments, and run them until Ctrl-C.

        Every night the files of HOME/inbox/CORPUS are ingested, counted, built and published; every hour the models
        below HOME/checkpoints are evaluated. A weekly experiment is there, paused; see docs/scheduling.md.

        Prints a line when a run starts and one when it has ended; how to start one now is in docs/scheduling.md.

        Example: `pivots schedule --home ./pivots-home`
        """
        import signal
        import threading

        from warehouse.base.errors import UsageError
        from warehouse.base.settings import Home
        from warehouse.base.terminal import printable
        from warehouse.operations.run_watch import watch_runs
        from warehouse.operations.scheduler import scheduler

        if deployments is not None and not deployments.is_file():
            raise UsageError(f"--deployments {deployments}: no such file")
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        here = Home.resolve(home)
        with scheduler(here, port=port, deployments=deployments and deployments.resolve()) as url:
            print(f"{url}  (Ctrl-C stops server and worker)", flush=True)
            watch = watch_runs(here, url)
            while not stop.wait(_WATCH_S):
                for line in watch.lines():
                    print(printable(line), flush=True)

    @app.command(name="clean-up")
    def clean_up(
        older_than_days: Annotated[
            float, typer.Option(metavar="DAYS", help="What was written to since then stays.")
        ] = 30,
        remove: Annotated[bool, typer.Option("--remove", help="Remove it, instead of only listing it.")] = False,
        home: HomeOption = None,
    ) -> None:
        """List work folders whose results are in the lake, replaced counts, and what killed commands left.

        Example: `pivots clean-up --older-than-days 7 --remove`
        """
        from warehouse.base.settings import Home
        from warehouse.operations.clean_up import remove_leftovers, survey

        here = Home.resolve(home)
        found = (remove_leftovers if remove else survey)(here, older_than_days=older_than_days)
        for one in found.leftovers:
            print(f"{one.n_bytes:>15,}  {one.name(here)}: {one.why}")
        outcome = "bytes removed" if remove else "bytes could be removed: add --remove"
        print(f"{sum(one.n_bytes for one in found.leftovers):>15,}  {outcome}")
        print(f"looked at {found.n_work_folders:,} work folders in {here.runs} and {found.n_counts:,} counts", end="; ")
        print(f"{found.n_too_young:,} more are done with, but were written to within {older_than_days:g} days")
        print("never listed: trained models, exports, published copies, and counts that are current")
