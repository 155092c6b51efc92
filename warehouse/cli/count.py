"""Command: pivots count."""

from typing import Annotated

import typer

from warehouse.cli.options import CorpusOption, Engine, EngineOption, HomeOption


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""

    @app.command()
    def count(
        corpus: CorpusOption,
        unit: Annotated[
            str, typer.Option(help="What counts once: a whole `document`, or each `window` of a document.")
        ] = "document",
        window_tokens: Annotated[int, typer.Option(help="Tokens of a window.", metavar="N")] = 2048,
        max_docs_per_word: Annotated[
            int | None,
            typer.Option(help="Count a word in at most N units, chosen by hash [default: all].", metavar="N"),
        ] = None,
        seed: Annotated[int, typer.Option(help="Seed of that choice.")] = 0,
        min_rate_difference: Annotated[
            float,
            typer.Option(help="Keep an edge of two tokens from this rate above the background on (paper's rule)."),
        ] = 0.1,
        rate_min_token_docs: Annotated[
            int, typer.Option(help="... if both tokens are in at least N units.", metavar="N")
        ] = 1,
        min_z: Annotated[float, typer.Option(help="Or keep it from this z within strata on.")] = 3.0,
        z_min_pair_docs: Annotated[int, typer.Option(help="... if they share at least N units.", metavar="N")] = 5,
        z_min_token_docs: Annotated[int, typer.Option(help="... and both are in at least N units.", metavar="N")] = 20,
        engine: EngineOption = Engine.embedded,
        home: HomeOption = None,
    ) -> None:
        """Count which words and tokens of a corpus share documents: all counts that are missing.

        With `--engine spark` the same counts are made on the Spark that PIVOTS_SPARK_MASTER names.

        Example: `pivots count --corpus wiki --unit window --window-tokens 2048`
        """
        from warehouse.base.settings import Home
        from warehouse.counting.count import count_corpus
        from warehouse.counting.options import CountOptions
        from warehouse.engines.spark.counting import count_on_spark

        options = CountOptions(
            unit=unit,  # type: ignore[arg-type]  # checked by CountOptions
            window_tokens=window_tokens,
            max_docs_per_word=max_docs_per_word,
            seed=seed,
            min_rate_difference=min_rate_difference,
            rate_min_token_docs=rate_min_token_docs,
            min_z=min_z,
            z_min_pair_docs=z_min_pair_docs,
            z_min_token_docs=z_min_token_docs,
        )
        counted = count_on_spark if engine is Engine.spark else count_corpus
        summary = counted(Home.resolve(home), corpus, options)
        print(f"corpus {corpus}: count {summary.count_id}" + (" was already there" if summary.was_there else ""))
        print(f"  {summary.n_units:,} units ({summary.unit}), {summary.n_tokens:,} tokens, {summary.n_strata:,} strata")
        print(f"  {summary.n_distinct_tokens:,} distinct tokens, {summary.n_token_pairs:,} edges between them")
        print(f"  {summary.n_words:,} words, {summary.n_word_tokens:,} cells of words and tokens")
        print(f"  {summary.seconds:.1f} s")
