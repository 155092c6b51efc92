"""The command `pivots run`: from files to a report."""

from pathlib import Path
from typing import Annotated

import typer

from warehouse.cli.options import HomeOption


def register(app: typer.Typer) -> None:
    """Add `run`."""
    app.command()(run)


def run(
    documents: Annotated[Path, typer.Argument(metavar="CORPUS_FOLDER", help="Documents: a folder, or one file.")],
    tokenizer: Annotated[
        str, typer.Option(metavar="FILE_OR_NAME", help="A tokenizer.json, its folder, or a model name on the hub.")
    ],
    words: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Word list: CSV, TSV or JSONL [default: those imported before].")
    ] = None,
    corpus: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the corpus in the warehouse [default: the folder's].")
    ] = None,
    window_tokens: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="Count windows of N tokens; 0: whole documents [default: as before, else 512]."
        ),
    ] = None,
    lang: Annotated[str | None, typer.Option(metavar="CODE", help="Language of every document.")] = None,
    lang_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Where records state their language [default: the usual places].")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Find the pivots of your own corpus: import words, ingest, count, build, publish and report, in one.

    Type it again after new files, or after an interruption: it does only what is missing. Two languages are enough.

    Example: `pivots run texts/ --tokenizer tokenizer.json --words words.csv`

    A document, one a line of texts/*.jsonl: `{"id": "1", "text": "The house is old.", "metadata": {"lang": "en"}}`.
    Parquet with a column `text` and plain .txt files are read too; without a stated language it is detected.

    The word list names its languages in the first line, `en,de`, and has a pair in every other: `house,Haus`.
    """
    from warehouse.base.settings import Home
    from warehouse.base.terminal import printable
    from warehouse.operations.whole_run import WholeRun, run_whole
    from warehouse.serving.outcome import typed

    here = Home.resolve(home)
    asked = WholeRun(
        documents=documents,
        tokenizer=tokenizer,
        words=words,
        corpus=corpus,
        window_tokens=window_tokens,
        lang=lang,
        lang_column=lang_column,
    )
    outcome = run_whole(here, asked)
    for line in outcome.lines:
        print(printable(line))
    print(f"next       open {outcome.report}, or {typed(here, 'dashboard')}")
    print(f"           {typed(here, 'sql')} 'select * from marts.fct_pivot_candidates limit 10'")
