"""The command `lens`: what every layer would say next, at every token of a prompt."""

from pathlib import Path
from typing import Annotated

import typer

from warehouse.cli.models import DtypeOption, ModelOption, RevisionOption
from warehouse.cli.options import HomeOption


def register(app: typer.Typer) -> None:
    """Add `lens`."""
    app.command()(lens)


def lens(
    model: ModelOption,
    prompt: Annotated[
        str, typer.Option("--prompt", "-p", metavar="TEXT", help=r"The text to read; \n is a line break.")
    ],
    top: Annotated[int, typer.Option(min=1, help="Tokens kept per position and layer.")] = 5,
    watch: Annotated[
        list[str] | None,
        typer.Option(metavar="TOKEN", help="Follow this token through the layers too, such as ' water'."),
    ] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Show the top token's probability.")] = False,
    tokenizer: Annotated[
        Path | None, typer.Option(metavar="FILE", help="tokenizer.json [default: the one beside the model].")
    ] = None,
    revision: RevisionOption = None,
    dtype: DtypeOption = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE.parquet", help="Also write all rows as Parquet.")] = None,
    home: HomeOption = None,
) -> None:
    r"""Show what every layer would say next at every token of a prompt (logit lens).

    Rows are kept in raw.prompt_lenses. Example:
    `pivots lens --model ml/base_model --prompt "English: water\nFrench:" --watch " eau" --probabilities`
    """
    from rich.console import Console

    from warehouse.base.settings import Home
    from warehouse.experiments import evaluations, launch
    from warehouse.experiments.model_identity import at_revision, identify_model
    from warehouse.lake.files import write_table
    from warehouse.serving.lens_table import print_lens, read_rows

    folder = Home.resolve(home)
    request = evaluations.prompt_lens(
        prompt.replace(r"\n", "\n"),
        top=top,
        watch=watch or (),
        tokenizer=tokenizer and tokenizer.resolve(),
        dtype=dtype,
    )
    (run_id,) = launch.evaluate(folder, identify_model(at_revision(model, revision)), [request])
    rows = read_rows(folder, run_id)
    print_lens(rows, Console(), with_probabilities=probabilities)
    if out is not None:
        write_table(out, "prompt_lenses", rows)
        print(out)
