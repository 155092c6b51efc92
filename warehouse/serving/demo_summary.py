"""The short account that the demo ends with: pivots, selection, scores, and where to look further."""

import sys
from typing import Any

from rich.console import Console

from warehouse.base.settings import Home
from warehouse.lake.connections import open_published_ibis
from warehouse.serving import queries
from warehouse.serving.outcome import typed
from warehouse.serving.sql.render import print_table

# A pair that shares documents, one linked through pivots only, and one between two languages other than English.
EXAMPLE_PAIRS = (("water", "en", "fr"), ("library", "en", "ja"), ("eau", "fr", "zh"))
TOP_K = 5


def print_summary(home: Home, *, corpus: str, experiment: str) -> None:
    """Print what came out of an experiment on a corpus, from the published marts, whatever it is."""
    console = Console(file=sys.stdout)
    with open_published_ibis(home) as warehouse:
        for source_word, source_lang, target_lang in EXAMPLE_PAIRS:
            _pivots(console, warehouse, corpus, source_word, source_lang, target_lang)
        console.print("\n[bold]What each strategy takes[/bold]")
        print_table(_selection(warehouse, corpus, experiment), console)
        console.print(
            "\n[bold]Word translation score of evaluation words, mean over 12 directions (95 % over words)[/bold]"
        )
        print_table(_scores(warehouse, experiment), console)
        console.print("\n[bold]Against random multilingual documents[/bold]")
        print_table(_deltas(warehouse, experiment), console)
        console.print("Intervals are over words. Seeds differ more: with one seed, no difference here is evidence.")
        console.print("\n[bold]The same by how a concept's words are linked, all words[/bold]")
        print_table(_deltas_by_kind(warehouse, experiment), console)
    console.print(f"\nreport     {home.report_file}", soft_wrap=True)
    query = '"select * from marts.fct_strategy_comparison"'
    console.print(f"SQL        {typed(home, 'sql')} {query}", soft_wrap=True, markup=False)
    console.print(f"dashboard  {typed(home, 'dashboard')}", soft_wrap=True, markup=False)
    console.print(f"home       {home.root}: the demo's own. For a corpus of yours:", soft_wrap=True, markup=False)
    console.print("           pivots run FOLDER --tokenizer FILE --words FILE", soft_wrap=True, markup=False)


def _pivots(console: Console, warehouse: Any, corpus: str, word: str, source_lang: str, target_lang: str) -> None:
    rows = queries.pivots_by_both_methods(warehouse, corpus, word, source_lang, target_lang, top_k=TOP_K).to_pyarrow()
    if rows.num_rows:
        target_word = rows["target_word"][0].as_py()
        console.print(f"\n[bold]Best pivots of {word} ({source_lang}) and {target_word} ({target_lang})[/bold]")
        print_table(rows.drop_columns(["item_id", "target_word"]), console)


def _selection(warehouse: Any, corpus: str, experiment: str) -> Any:
    arms = queries.scores(warehouse, experiment).select("strategy").distinct()
    taken = queries.selection_summary(warehouse, corpus).semi_join(arms, "strategy")
    columns = ["strategy", "lang", "n_docs", "n_tokens", "token_share", "mean_pivot_density"]
    return taken.select(*columns).order_by("strategy", "lang").to_pyarrow()


def _scores(warehouse: Any, experiment: str) -> Any:
    columns = ["strategy", "seed", "n_items", "score", "ci_low", "ci_high"]
    return queries.scores(warehouse, experiment).select(*columns).to_pyarrow()


def _deltas(warehouse: Any, experiment: str) -> Any:
    deltas = queries.mean_deltas(warehouse, experiment)
    columns = ["strategy", "score_delta", "ci_low", "ci_high", "n_seeds", "verdict"]
    return deltas.filter(deltas.baseline == queries.default_baseline(warehouse)).select(*columns).to_pyarrow()


def _deltas_by_kind(warehouse: Any, experiment: str) -> Any:
    deltas = queries.mean_deltas_by_class(warehouse, experiment, "kind")
    columns = ["class_value", "strategy", "n_items", "score", "score_delta", "ci_low", "ci_high"]
    return deltas.filter(deltas.baseline == queries.default_baseline(warehouse)).select(*columns).to_pyarrow()
