"""Sections of the report about documents, words and pivots: overview, pivots, selection."""

from typing import Any

from warehouse.serving import queries
from warehouse.serving.report import charts
from warehouse.serving.report.blocks import (
    Answer,
    Block,
    Chips,
    Figure,
    Listing,
    Matrix,
    Missing,
    Section,
    Table,
    Terms,
    ask,
)
from warehouse.serving.report.candidates import METHODS, pivot_lists
from warehouse.serving.report.network import network
from warehouse.serving.strategies import Strategies, label
from warehouse.serving.units import UnitName

_TOKENS_SHOWN = 60


def overview(warehouse: Any, status: dict[str, Any], corpus: str | None) -> Section:
    """What is in the warehouse, and what is stale."""
    blocks: list[Block] = []
    if corpus is None:
        blocks.append(
            Missing(
                title="Corpora",
                says="Nothing is ingested.",
                command="pivots ingest PATH --corpus NAME --tokenizer FILE",
            )
        )
    else:
        answer = ask(queries.corpus_languages, warehouse, corpus)
        (totals,) = ask(queries.corpora, warehouse, corpus=corpus).rows
        largest = answer.rows[0]
        legend = charts.language_legend([row["lang"] for row in answer.rows])
        blocks.append(
            Figure(
                title=f"Tokens by language in {corpus}",
                says=f"{totals['n_tokens']:,} tokens in {totals['n_docs']:,} documents;"
                f" {largest['lang']} holds {largest['token_share']:.0%} of the tokens."
                + (" `mul` are documents in several languages." if "mul" in dict(legend) else ""),
                panels=[
                    ("", charts.horizontal_bars(answer.rows, y="lang", x="n_tokens", legend=legend, title="tokens"))
                ],
                answer=answer,
            )
        )
        others = ask(queries.corpora, warehouse)
        if len(others.rows) > 1:
            blocks.append(_listing("All corpora", "The sections below are about the first one shown above.", others))
    stale = [entry for entry in status["stale"] if entry["what"] != "report"]
    if stale:
        says = "Older than what it is made from, or missing; the commands in this order fix it."
        blocks.append(Listing(title="Stale", says=says, table=Table(columns=["what", "why", "fix"], rows=stale)))
    else:
        table = Table(columns=[], rows=[])
        blocks.append(
            Listing(title="Stale", says="Nothing: every part shows the latest documents and results.", table=table)
        )
    rejects = ask(queries.rejects, warehouse)
    if rejects.rows:
        blocks.append(
            _listing("Rejected records", "Input that could not be used; nothing is skipped silently.", rejects)
        )
    return Section(id="overview", title="Overview", intro="What the warehouse holds.", blocks=blocks)


def pivots(warehouse: Any, corpus: str | None, unit: UnitName) -> Section:
    """Which tokens link the words of chosen pairs, by every method, and how good the lists are."""
    blocks: list[Block] = []
    methods: list[str] = []
    if corpus is None or not queries.has_rows(warehouse, "fct_pivot_candidates"):
        blocks.append(
            Missing(
                title="Pivot candidates", says="No pair has been scored.", command="pivots count, then pivots build"
            )
        )
    else:
        lists = pivot_lists(warehouse, corpus, unit)
        blocks.append(lists)
        methods = lists.pairs[0]["methods"] if lists.pairs else methods
    if corpus is not None and queries.has_rows(warehouse, "fct_pivot_quality"):
        blocks.append(_quality(warehouse, corpus, unit))
    if corpus is not None and queries.has_rows(warehouse, "dim_pivot_tokens"):
        blocks.append(network(warehouse, corpus, unit))
        answer = ask(queries.pivot_tokens, warehouse, corpus, limit=_TOKENS_SHOWN)
        if answer.rows:
            pivot_set = queries.default_pivot_set(warehouse, corpus)
            says = (
                f"The set `{pivot_set}` ranks documents by default: tokens with neighbours in several"
                f" languages. Its first {len(answer.rows)}, best first; the colour is the token's own language, grey"
                " where it has none."
            )
            langs = [row["lang"] for row in ask(queries.corpus_languages, warehouse, corpus).rows]
            seen = {row["lang"] for row in answer.rows}
            blocks.append(
                Chips(
                    title="Pivot tokens of the corpus",
                    says=says,
                    tokens=answer.rows,
                    legend=[(lang, colour) for lang, colour in charts.language_legend(langs) if lang in seen],
                    answer=answer,
                )
            )
    intro = "A pivot is a token that turns up beside a word and beside its translation more often than chance allows."
    if not unit.is_document:
        intro += f" Counts are of {unit.described}: a token turns up beside a word when both are in one of them."
    intro += "".join(f" {says.format(units=unit.plural)}" for name, says in METHODS.items() if name in methods)
    return Section(id="pivots", title="Pivots", intro=intro, blocks=blocks)


def selection(warehouse: Any, corpus: str | None, strategies: Strategies) -> Section:
    """What each strategy would train on."""
    blocks: list[Block] = []
    if corpus is None or not queries.has_rows(warehouse, "fct_selection_summary"):
        blocks.append(Missing(title="Selection", says="No strategy has chosen documents.", command="pivots build"))
        return Section(id="selection", title="Selection", intro="", blocks=blocks)
    answer = ask(queries.selection_summary, warehouse, corpus)
    # held_out is what nothing trains on, so it is no choice to compare
    rows = [row for row in answer.rows if row["strategy"] != "held_out"]
    # the variants by pivot set are rows of the query
    main = [row for row in rows if row["strategy"] not in strategies.variants]
    legend = charts.language_legend(_largest_first(rows))
    blocks.append(strategy_terms(strategies, [row["strategy"] for row in main]))
    blocks.append(
        Figure(
            title="Language shares",
            says="Share of each strategy's tokens by language. The multilingual strategies share one target; `original`"
            " keeps the corpus's own shares.",
            panels=[
                (
                    "",
                    charts.stacked_shares(
                        main, y="strategy", part="lang", share="token_share", legend=legend, strategies=strategies
                    ),
                )
            ],
            legend=legend,
            answer=answer,
        )
    )
    panels = []
    for column, heading in (
        ("mean_pivot_density", "tokens of the pivot set"),
        ("mean_planted_pivot_density", "true (planted) pivots"),
        ("mean_word_density", "words of the list: exposure"),
    ):
        if any(row.get(column) for row in rows):
            panels.append(
                (
                    heading,
                    charts.dots(
                        main,
                        y="strategy",
                        x=column,
                        colour="lang",
                        legend=legend,
                        title="share of tokens",
                        strategies=strategies,
                        number=".1~%",
                    ),
                )
            )
    if panels:
        blocks.append(
            Figure(
                title="Density of what was chosen",
                says="How much of the chosen text is pivot tokens, and how much is the list's own words. If a strategy"
                " is also denser in words, a gain may come from exposure: from meeting the words, not their pivots."
                " Each panel has a scale of its own.",
                panels=panels,
                legend=legend,
                answer=answer,
            )
        )
    if queries.has_rows(warehouse, "fct_selection_overlap"):
        blocks.append(_overlap(ask(queries.selection_overlap, warehouse, corpus), strategies))
    intro = "The strategies choose documents under the same token budget; each row is one of them."
    return Section(id="selection", title="Selection", intro=intro, blocks=blocks)


def strategy_terms(strategies: Strategies, names: list[str]) -> Terms:
    """What the named strategies are, one line each, in the order in which people compare them."""
    return Terms(
        title="What the strategies are",
        says="A strategy is a rule that chooses training documents.",
        terms=[(label(name), strategies.meanings.get(name, "")) for name in strategies.order(names)],
    )


def _quality(warehouse: Any, corpus: str, unit: UnitName) -> Block:
    answer = ask(queries.pivot_quality, warehouse, corpus)
    # a direction and its mirror image have the same candidates
    rows = [row for row in answer.rows if row["source_lang"] < row["target_lang"]]
    panels = []
    for column, heading, wanted in (
        ("recall", "the third language's translation is found", lambda row: row["pivot_lang"] == "en"),
        ("planted_recall", "planted pivots found", lambda row: True),
        ("planted_precision", "share of candidates that were planted", lambda row: True),
    ):
        kept = [row for row in rows if wanted(row) and row.get(column) is not None]
        if kept:
            panels.append((heading, charts.quality_lines(kept, value=column)))
    if not panels:
        return Missing(
            title="Pivot quality",
            says=f"No pair has both words in enough {unit.plural}.",
            command="pivots ingest PATH",
        )
    says = (
        "Without word list or truth: for two non-English words, is the English translation among the best candidates?"
    )
    if any(row.get("planted_recall") is not None for row in rows):
        says += " In this corpus pivots were planted: how many are found, and how many of the candidates are real."
    return Figure(
        title="Pivot quality",
        says=f"{says} One line per direction, all panels on one scale; higher is better.",
        panels=panels,
        legend=charts.method_legend([row["score_method"] for row in rows]),
        answer=answer,
    )


def _overlap(answer: Answer, strategies: Strategies) -> Matrix:
    kept = [
        row for row in answer.rows if not {row["strategy_a"], row["strategy_b"]} & {"held_out", *strategies.variants}
    ]
    names = strategies.order([name for row in kept for name in (row["strategy_a"], row["strategy_b"])])
    cells = {}
    for row in kept:
        for mine, other, share in (
            (row["strategy_a"], row["strategy_b"], row["token_share_of_a"]),
            (row["strategy_b"], row["strategy_a"], row["token_share_of_b"]),
        ):
            if share is not None:
                cells[label(mine), label(other)] = {"text": f"{share:.0%}", "shade": share, "note": ""}
    labels = [label(name) for name in names]
    return Matrix(
        title="Overlap",
        says="Share of the row's tokens that the column's strategy takes too. Strategies that choose the same documents"
        " cannot differ in what they teach.",
        corner="of ↓ also in →",
        rows=labels,
        columns=labels,
        cells=cells,
        answer=answer,
    )


def _largest_first(rows: list[dict[str, Any]]) -> list[str]:
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row["lang"]] = sizes.get(row["lang"], 0) + row["n_tokens"]
    return sorted(sizes, key=lambda lang: (-sizes[lang], lang))


def _listing(title: str, says: str, answer: Answer) -> Listing:
    return Listing(title=title, says=says, table=Table(columns=answer.columns, rows=answer.rows), answer=answer)
