"""Commands from counts to shards: build, docs, export."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from warehouse.cli.options import CatalogOption, CorpusOption, Engine, EngineOption, HomeOption

if TYPE_CHECKING:
    from warehouse.base.settings import Home


def register(app: typer.Typer) -> None:
    """Add `build`, `docs` and `export`."""
    app.command()(build)
    app.command()(docs)
    app.command()(export)


def build(
    select: Annotated[
        list[str] | None, typer.Option("--select", "-s", metavar="SELECTOR", help="Only these models (dbt syntax).")
    ] = None,
    budget_tokens: Annotated[
        int | None,
        typer.Option(min=0, help="Largest token budget that selections hold; 0 keeps every eligible document."),
    ] = None,
    variables: Annotated[
        str, typer.Option("--vars", metavar="JSON", help="dbt variables for this and later builds.")
    ] = "{}",
    unit_tests: Annotated[
        bool, typer.Option("--unit-tests", help="Also run the models' unit tests, after changing a model.")
    ] = False,
    slim: Annotated[
        bool,
        typer.Option(
            "--slim", help="Only models changed since the published copy, in a scratch file: to try a change of SQL."
        ),
    ] = False,
    engine: EngineOption = Engine.embedded,
    print_env: Annotated[
        bool, typer.Option("--print-env", help="Only print the environment for typing dbt by hand, as shell exports.")
    ] = False,
    catalog: CatalogOption = None,
    publish: Annotated[
        bool, typer.Option("--publish/--no-publish", help="Also give readers the new marts, as `pivots publish` does.")
    ] = True,
    home: HomeOption = None,
) -> None:
    """Turn the counts into scores, rankings and comparisons, tests of the data included, and publish them.

    It is `dbt build` with the right profile. With `--catalog` or `--slim` nothing is published.

    Example: `pivots build` or `pivots build --select fct_pivot_candidates+ --no-publish`
    """
    from warehouse.base.errors import UsageError
    from warehouse.base.settings import Home
    from warehouse.build.build import build as dbt_build
    from warehouse.build.build_record import is_build_unfinished
    from warehouse.build.dbt_runner import build_variables, point_raw_views, shell_exports
    from warehouse.experiments.budgets import eligible_tokens, too_large
    from warehouse.lake.corpora import read_corpora
    from warehouse.lake.first_step import check_counted
    from warehouse.serving.outcome import build_lines, typed

    if engine is Engine.spark and (slim or print_env or catalog is not None):
        raise UsageError("--engine spark builds a home's own marts: give it without --slim, --print-env and --catalog")
    if catalog is not None and slim:
        raise UsageError("--slim compares with a published copy: give it without --catalog (PIVOTS_CATALOG)")
    if print_env and catalog is not None:
        from warehouse.engines.ducklake import address
        from warehouse.engines.ducklake import engine as on_lake

        print(on_lake.shell_exports(Home.resolve(home), address.resolve(catalog)))
        return
    if print_env:
        point_raw_views(Home.resolve(home))
        print(shell_exports(Home.resolve(home)))
        return
    if slim:
        from warehouse.build.changed_models import slim_build

        built = slim_build(Home.resolve(home))
        print(f"changed: {', '.join(built.changed) or 'nothing since the published copy'}")
        if built.rebuilt:
            print(f"read by them, not published: {', '.join(built.rebuilt)}")
        if built.changed:
            print(f"in {built.file}: " + ", ".join(f"{n} {status}" for status, n in sorted(built.statuses.items())))
        return
    try:
        chosen = json.loads(variables)
    except json.JSONDecodeError as mistake:
        raise UsageError(f"--vars is no JSON: {mistake}") from None
    if not isinstance(chosen, dict):
        raise UsageError("--vars must be a JSON object, for example --vars '{\"judge_share\": 0.5}'")
    if budget_tokens is not None:
        chosen["selection_budget_tokens"] = budget_tokens
    if catalog is not None:
        from warehouse.engines.ducklake import address
        from warehouse.engines.ducklake.engine import SharedLakeEngine

        lake_engine = SharedLakeEngine(Home.resolve(home), address.resolve(catalog))
        dbt_build(lake_engine.home, engine=lake_engine, select=select or (), variables=chosen, unit_tests=unit_tests)
        print(*build_lines(lake_engine.home), sep="\n")
        n_new = sum(mart.is_new for mart in lake_engine.marts)
        n_same = len(lake_engine.marts) - n_new
        print(f"marts in the lake: {n_new} new, {n_same} as they were (raw as of {lake_engine.snapshot})")
        return
    here = Home.resolve(home)
    if not select:  # who names models knows which raw tables they read
        check_counted(here)
    spark_engine = None
    if engine is Engine.spark:
        from warehouse.engines.spark.engine import SparkEngine

        spark_engine = SparkEngine(here)
    dbt_build(here, engine=spark_engine, select=select or (), variables=chosen, unit_tests=unit_tests)
    print(*build_lines(here), sep="\n")
    if budget := build_variables(here).get("selection_budget_tokens"):
        for corpus in read_corpora(here):
            if problem := too_large(budget, eligible_tokens(here, corpus), corpus):
                print(f"budget     {problem}")
    if publish and is_build_unfinished(here):  # a part was built, and what failed before was another part
        print("published  nothing: an earlier build did not finish; run `pivots build`, all of it")
    elif publish:
        publish_and_say(here)
    else:
        print(f"next       {typed(here, 'publish')}")


def publish_and_say(home: "Home", *, keep: int = 3) -> None:
    """Publish, and print what readers have now, what came out, and what to type next."""
    from warehouse.base.terminal import printable
    from warehouse.serving.outcome import next_lines, pivot_lines, published_lines
    from warehouse.serving.publish import publish as publish_copy
    from warehouse.serving.publish import read_manifest

    before = read_manifest(home)
    made = publish_copy(home, keep=keep)
    for line in (*published_lines(home, made, before), *pivot_lines(home), *next_lines(home)):
        print(printable(line))


def docs(home: HomeOption = None) -> None:
    """Write what every model, column and test is, with its lineage, as one page: dbt-docs/index.html in the home.

    Example: `pivots docs`
    """
    from warehouse.base.settings import Home
    from warehouse.build.dbt_runner import generate_docs

    print(generate_docs(Home.resolve(home)))


def export(
    strategy: Annotated[str, typer.Option(metavar="S", help="A strategy of fct_selected_documents, or held_out.")],
    corpus: CorpusOption,
    budget_tokens: Annotated[
        int | None, typer.Option(min=1, help="Token budget [default: all the mart holds].")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Write a selection as training shards, readable by `pivots train` and by OLMo's own trainer.

    Example: `pivots export --corpus demo --strategy pivot_aware --budget-tokens 500000`
    """
    from warehouse.base.settings import Home
    from warehouse.experiments.budgets import eligible_tokens, too_large
    from warehouse.experiments.training_export import HELD_OUT, export_selection

    made = export_selection(Home.resolve(home), corpus=corpus, strategy=strategy, budget_tokens=budget_tokens)
    shares = ", ".join(f"{lang} {n:,}" for lang, n in made.manifest["tokens_by_lang"].items())
    print(f"{made.folder}\n{made.manifest['n_docs']:,} documents, {made.manifest['n_tokens']:,} tokens: {shares}")
    if budget_tokens is not None and strategy != HELD_OUT:
        here = Home.resolve(home)
        if problem := too_large(budget_tokens, eligible_tokens(here, corpus), corpus):
            print(problem)
