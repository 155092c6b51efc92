"""The commands of infini-gram indexes: `pivots infini-gram count`, `pivots infini-gram index`."""

from pathlib import Path
from typing import Annotated

import typer

from warehouse.cli.options import CorpusOption, HomeOption


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    commands = typer.Typer(no_args_is_help=True, help="Counts from an infini-gram index, for corpora nobody can hold.")
    commands.command()(count)
    commands.command()(index)
    app.add_typer(commands, name="infini-gram")


def count(
    corpus: Annotated[
        str, typer.Option(metavar="NAME", help="What the index was made of; need not be in the warehouse.")
    ],
    index: Annotated[
        str, typer.Option(metavar="NAME_OR_DIR", help="Folder of an index, or with --url its name there.")
    ],
    url: Annotated[str | None, typer.Option(metavar="URL", help="Ask the HTTP API at this address.")] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            metavar="FILE_OR_NAME",
            help="Tokenizer of the index. [default: the corpus's; with --url the server tokenises]",
        ),
    ] = None,
    source_lang: Annotated[str | None, typer.Option(metavar="LANG", help="Only pairs with this language.")] = None,
    target_lang: Annotated[str | None, typer.Option(metavar="LANG", help="And with this one.")] = None,
    max_diff_tokens: Annotated[
        int, typer.Option(min=1, metavar="N", help="Two words co-occur when they begin at most N tokens apart.")
    ] = 1000,
    max_clause_freq: Annotated[
        int, typer.Option(min=1, metavar="N", help="Look at N places of a more frequent word only.")
    ] = 500_000,
    requests_per_second: Annotated[
        float | None, typer.Option(min=0.001, metavar="R", help="With --url: no faster. [default: 5]")
    ] = None,
    max_requests: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="With --url: stop after N requests. [default: 10,000]")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Ask an infini-gram index how often the list's words occur, alone and near each other.

    What was answered is never asked again: run the same to go on, or after a new word list. `pivots build` then fills
    marts.fct_infini_gram_cooccurrence.

    Example: `pivots infini-gram count --corpus dolma --index v4_dolma-v1_7_llama --url https://api.infini-gram.io/`
    """
    from warehouse.base.errors import UsageError
    from warehouse.base.settings import Home
    from warehouse.engines.infini_gram.asking import ask_index
    from warehouse.engines.infini_gram.http_api import MAX_REQUESTS, REQUESTS_PER_SECOND, api_index
    from warehouse.engines.infini_gram.local import local_index
    from warehouse.engines.infini_gram.questions import item_words
    from warehouse.engines.infini_gram.tokenizers import index_tokenizer

    if target_lang and not source_lang:
        raise UsageError("--target-lang needs --source-lang; a pair is counted for both directions")
    if not url and (requests_per_second or max_requests):
        raise UsageError("--requests-per-second and --max-requests go with --url: a folder is asked at full speed")
    folder = Home.resolve(home)
    known = None if url and not tokenizer else index_tokenizer(folder, corpus, tokenizer)
    if url:
        asked = api_index(
            url,
            index,
            max_diff_tokens=max_diff_tokens,
            max_clause_freq=max_clause_freq,
            tokenizer_hash=known.tokenizer_hash if known else None,
            requests_per_second=requests_per_second or REQUESTS_PER_SECOND,
            max_requests=max_requests or MAX_REQUESTS,
        )
    else:
        assert known
        asked = local_index(
            Path(index).expanduser(),
            tokenizer_hash=known.tokenizer_hash,
            vocabulary=known.encoder.vocabulary,
            max_diff_tokens=max_diff_tokens,
            max_clause_freq=max_clause_freq,
        )
    pairs = item_words(folder, known.encoder if known else None, source_lang=source_lang, target_lang=target_lang)
    summary = ask_index(folder, asked, pairs, corpus=corpus)
    print(f"index     {asked.name}, {summary.n_tokens:,} tokens")
    print(f"answered  {summary.n_answered:,} questions now, {summary.n_known:,} in all")
    if summary.n_refused:
        print(f"refused   {summary.n_refused:,}, see raw.rejects")
    if summary.n_open:
        print(f"left      {summary.n_open:,} at most: run the same to go on")


def index(
    corpus: CorpusOption,
    out: Annotated[Path, typer.Option(metavar="DIR", help="New folder for the index.")],
    home: HomeOption = None,
) -> None:
    """Make an infini-gram index of a corpus of the warehouse, from its own token ids.

    Example: `pivots infini-gram index --corpus web --out indexes/web`
    """
    from warehouse.base.settings import Home
    from warehouse.engines.infini_gram.indexing import build_index

    summary = build_index(Home.resolve(home), corpus, out)
    size = f"{summary.n_docs:,} documents, {summary.n_tokens:,} tokens, {summary.n_bytes / 1e6:,.1f} MB"
    print(f"{size} in {summary.folder}")
