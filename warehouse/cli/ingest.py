"""Commands that bring data in: `pivots ingest`, `pivots words import`."""

from pathlib import Path
from typing import Annotated

import typer

from warehouse.base.settings import Home
from warehouse.base.terminal import printable
from warehouse.cli.options import CorpusOption, Engine, EngineOption, HomeOption


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(ingest)
    words = typer.Typer(no_args_is_help=True, help="Word-translation lists.")
    words.command("import")(import_word_list)
    app.add_typer(words, name="words")


def ingest(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders that are searched.")],
    corpus: CorpusOption,
    tokenizer: Annotated[
        str, typer.Option(metavar="FILE_OR_NAME", help="A tokenizer.json, its folder, or a model name on the hub.")
    ],
    file_format: Annotated[
        str, typer.Option("--format", metavar="auto|dolma|parquet|memmap|text", help="Format of all files.")
    ] = "auto",
    lang: Annotated[str | None, typer.Option(metavar="CODE", help="Language of every document.")] = None,
    lang_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Where records state their language, such as metadata.lang [default: the usual places].",
        ),
    ] = None,
    eos_token_id: Annotated[
        int | None, typer.Option(metavar="N", help="Id between documents [default: the tokenizer's].")
    ] = None,
    global_indices: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Memmap: read only the instances that this array names.")
    ] = None,
    index_range: Annotated[
        str | None, typer.Option(metavar="START:END", help="Elements of the array to use [default: all].")
    ] = None,
    max_reject_share: Annotated[
        float, typer.Option(metavar="SHARE", help="Fail when more of the records than this cannot be used.")
    ] = 0.05,
    max_document_mib: Annotated[
        float, typer.Option(metavar="MIB", help="Longest line or document that is read; longer ones are rejects.")
    ] = 256,
    engine: EngineOption = Engine.embedded,
    home: HomeOption = None,
) -> None:
    """Read documents into a corpus: Dolma JSONL (.gz, .zst), Parquet, OLMo memmap tokens, plain text.

    Files that are in the corpus already are not read again. Records that cannot be used become rows of raw.rejects.
    With `--engine spark` each file is one task on the Spark that PIVOTS_SPARK_MASTER names.

    Example: pivots ingest documents/ --corpus web --tokenizer tokenizer.json
    """
    from warehouse.engines.spark.ingest import ingest_on_spark
    from warehouse.ingest.corpus import IngestOptions, ingest_corpus
    from warehouse.ingest.readers.instances import parse_range

    options = IngestOptions(
        format=file_format,
        lang=lang,
        lang_column=lang_column,
        eos_token_id=eos_token_id,
        global_indices=global_indices,
        index_range=parse_range(index_range) if index_range else None,
        max_reject_share=max_reject_share,
        max_document_bytes=int(max_document_mib * (1 << 20)),
    )
    ingested = ingest_on_spark if engine is Engine.spark else ingest_corpus
    summary = ingested(Home.resolve(home), paths, corpus=corpus, tokenizer=tokenizer, options=options)
    formats = ", ".join(f"{n} {name}" for name, n in sorted(summary.files_by_format.items()))
    tally = summary.tally
    print(f"files      {tally.n_files:,} ({formats}), {summary.n_new_files:,} new, {summary.n_new_bytes / 1e6:,.1f} MB")
    print(f"documents  {tally.n_docs:,}, tokenised with {summary.engine}")
    if summary.n_superseded:
        print(f"replaced   {summary.n_superseded:,} documents of the corpus by another file's record of the same id")
    print(f"rejects    {tally.n_rejects:,}{_by_reason(tally.reasons)}")
    for names, what in (
        (summary.left_out, "of no known format"),
        (summary.same_bytes, "with the bytes of another"),
        (summary.not_chosen, "without a chosen instance"),
    ):
        if names:
            shown = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
            print(printable(f"left out   {len(names):,} {what}: {shown}"))


def import_word_list(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A word list: CSV, TSV or JSONL, one item per line.")],
    home: HomeOption = None,
) -> None:
    """Import a word-translation list, and look for its words in every document.

    A table names its languages in the first line, `en,de`, and has an item in every other, `house,Haus`; a JSONL item
    is `{"en": "house", "de": "Haus"}`, or a CLWTD record with wrong words of its own. Two languages are enough.

    Example: `pivots words import words.csv`
    """
    from warehouse.ingest.word_list import import_words

    summary = import_words(Home.resolve(home), path)
    words = ", ".join(f"{n:,} {lang}" for lang, n in sorted(summary.n_words_by_lang.items()))
    print(f"items        {summary.n_items:,}{' (imported before)' if summary.was_known else ''}")
    print(f"words        {words}; {summary.n_new_words:,} of them in no other list")
    drawn = "" if summary.n_distractors else " in the list: `pivots build` draws them by frequency and length"
    print(f"distractors  {summary.n_distractors:,}{drawn}")
    print(f"matched in   {summary.n_matched_files:,} files of documents")
    print(f"rejects      {sum(summary.reasons.values()):,}{_by_reason(summary.reasons)}")


def _by_reason(reasons: dict[str, int]) -> str:
    listed = ", ".join(f"{n:,} {reason}" for reason, n in sorted(reasons.items(), key=lambda r: (-r[1], r[0])))
    return f" ({listed})" if listed else ""
