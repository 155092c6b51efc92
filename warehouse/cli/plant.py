"""`pivots plant` and `pivots truth import`: a corpus with known pivots, and its truth in the warehouse."""

from pathlib import Path
from typing import Annotated

import typer

from warehouse.cli.options import CorpusOption, HomeOption

truth_app = typer.Typer(help="The known truth of a planted corpus.", no_args_is_help=True)


def plant(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="New or empty folder to write.")],
    scale: Annotated[float, typer.Option("--scale", help="1 is 10,000 documents.")] = 1.0,
    seed: Annotated[int, typer.Option("--seed", help="Other seed, other documents of the same world.")] = 0,
    setting: Annotated[
        str,
        typer.Option(
            "--setting",
            help="default, rare_pivots, international_topics, long_documents, noisy, hard, bilingual, even "
            "or even_base.",
        ),
    ] = "default",
) -> None:
    """Write a corpus whose pivots are known: Dolma documents, word list, truth tables, manifest.

    Example: `pivots plant --out planted --scale 10 --seed 1`
    """
    from warehouse.planted.plant import plant_corpus

    manifest = plant_corpus(out, scale=scale, seed=seed, setting=setting)
    by_lang = ", ".join(f"{lang} {n:,}" for lang, n in manifest["n_docs_by_lang"].items())
    typer.echo(f"{manifest['n_docs']:,} documents in {out} ({by_lang})")


@truth_app.command("import")
def import_(
    truth: Annotated[Path, typer.Argument(metavar="DIR/truth", help="The truth folder of a planted corpus.")],
    corpus: CorpusOption,
    home: HomeOption = None,
) -> None:
    """Load the planted concepts and pivots of an ingested corpus, for the marts that report recall.

    Example: `pivots truth import planted/truth --corpus planted`
    """
    from warehouse.base.settings import Home
    from warehouse.planted.truth import import_truth

    n_concepts, n_pivots = import_truth(Home.resolve(home), truth, corpus=corpus)
    typer.echo(f"{n_concepts} concepts and {n_pivots} pivots of corpus {corpus}")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("plant")(plant)
    app.add_typer(truth_app, name="truth")
