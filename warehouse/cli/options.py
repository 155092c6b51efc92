"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

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
CorpusOption = Annotated[str, typer.Option("--corpus", metavar="NAME", help="Name of the corpus in the warehouse.")]
