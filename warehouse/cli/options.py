"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", metavar="DIR", help="The warehouse's folder [default: PIVOTS_HOME or ./pivots-home]."),
]
CorpusOption = Annotated[str, typer.Option("--corpus", metavar="NAME", help="Name of the corpus in the warehouse.")]
