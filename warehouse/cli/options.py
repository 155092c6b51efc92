"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from warehouse.errors import UsageError

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="The warehouse's folder [default: PIVOTS_HOME or ./pivots-home]."),
]
CatalogOption = Annotated[
    str | None,
    typer.Option(
        "--catalog",
        metavar="ADDRESS",
        envvar="PIVOTS_CATALOG",
        show_envvar=False,
        help="A lake that several machines share: ducklake:postgres:dbname=... host=..., or ducklake:FILE "
        "[default: PIVOTS_CATALOG, else the home alone].",
    ),
]


class Engine(StrEnum):
    """Who computes: this process and DuckDB, or Spark."""

    embedded = "embedded"
    spark = "spark"


EngineOption = Annotated[
    Engine, typer.Option("--engine", help="Who computes: spark for corpora that one machine is too small for.")
]
EngineOption = Annotated[
    str,
    typer.Option("--engine", metavar="embedded|spark", help="Where the work is done: in this process, or on Spark."),
]
CorpusOption = Annotated[str, typer.Option("--corpus", metavar="NAME", help="Name of the corpus in the warehouse.")]


def on_spark(engine: str) -> bool:
    """Tell whether an engine option means Spark.

    Raises:
        UsageError: it is no engine.
    """
    if engine not in ("embedded", "spark"):
        raise UsageError(f"--engine is {engine!r}: choose embedded or spark")
    return engine == "spark"
