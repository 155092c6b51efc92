"""The command `pivots bench`: what a machine can do with this product."""

from pathlib import Path
from typing import Annotated

import typer

from warehouse.base.errors import ReportedError


def register(app: typer.Typer) -> None:
    """Add the group `bench`."""
    group = typer.Typer(help="What a machine can do with this product.", no_args_is_help=True)
    group.callback()(_bench)
    group.command()(gpu)
    app.add_typer(group, name="bench")


def _bench() -> None:
    """Keep `bench` a group of commands whatever their number."""


def gpu(
    minutes: Annotated[float, typer.Option(help="Budget; what is not done in time is done by the next call.")] = 25.0,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where results.json and gpu.md go.")] = Path("build/gpu"),
    work: Annotated[Path | None, typer.Option(metavar="DIR", help="Scratch, kept to resume.")] = None,
    stage: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this stage; repeatable.")] = None,
    rehearse: Annotated[bool, typer.Option("--rehearse", help="Tiny sizes, which a CPU can do.")] = False,
) -> None:
    """Answer every open question about a GPU: correctness, speed, scales, counting. The same as `make gpu`.

    Example: `pivots bench gpu --minutes 25`, or `pivots bench gpu --rehearse` where there is no GPU.
    """
    import subprocess
    import sys

    command = [sys.executable, "-m", "ml.gpu", "--minutes", str(minutes), "--out", str(out)]
    command += ["--work", str(work)] if work else []
    command += [word for name in stage or () for word in ("--stage", name)]
    command += ["--rehearse"] if rehearse else []
    ended = subprocess.run(command, check=False)
    if ended.returncode:
        raise ReportedError(ended.returncode)
