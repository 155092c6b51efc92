"""How fast the dashboard answers when it is warm: the questions behind every interaction, and the way in a browser.

    PYTHONPATH=.:tests python -m benchmarks.bench_dashboard --home DEMO_HOME [--home LARGER_HOME]

Every interaction is made five times, each time with another word, token or language, after one that does not count.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.places import PROJECT
from support.servers.browser import Browsing, open_browser
from support.servers.dashboards import open_page, served
from warehouse.base.machine import available_threads
from warehouse.base.settings import Home
from warehouse.serving import queries, sql
from warehouse.serving.dashboard import data

PAGE = PROJECT / "docs" / "benchmarks" / "dashboard.md"
REPEATS = 5
SMALL_TOKENS, WANTED_SMALL_S, WANTED_S = 10_000_000, 0.2, 1.0
SQL = "select strategy, lang, n_docs, n_tokens from marts.fct_selection_summary order by strategy, lang"
EXCERPT = "document.querySelector('.sp-text')?.innerHTML"  # with the marks: two tokens may stand in one text

Timings = dict[str, list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, action="append")
    homes = [Home.resolve(path) for path in parser.parse_args().home or [None]]
    parts = [_part(home) for home in homes]
    PAGE.write_text(_intro() + "\n".join(parts), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))


def _part(home: Home) -> str:
    corpus = data.ask(home, queries.corpora)[0]
    asked, seen = _questions(home, corpus["corpus"]), _in_browser(home)
    wanted_s = WANTED_SMALL_S if corpus["n_tokens"] < SMALL_TOKENS else WANTED_S
    lines = [
        f"## {corpus['n_docs']:,} documents, {corpus['n_tokens'] / 1e6:.1f} M tokens\n",
        "| interaction | questions, ms | in the browser, ms |",
        "|---|---|---|",
    ]
    lines += [
        f"| {name} | {_cell(asked.get(name), wanted_s)} | {_cell(seen.get(name), wanted_s)} |"
        for name in dict.fromkeys([*asked, *seen])
    ]
    return "\n".join(lines) + "\n"


def _questions(home: Home, corpus: str) -> Timings:
    """Time what each interaction asks, without the browser."""
    pairs = data.ask(home, queries.words_with_pivots, corpus, "en", "fr")[: REPEATS + 1]
    experiment = next(iter(data.ask(home, queries.experiments)), {}).get("experiment")
    traced = data.ask(home, queries.traced_words, experiment, corpus, "en", "fr") if experiment else []
    tokens = data.ask(home, queries.pivot_tokens, corpus, limit=REPEATS + 1)
    langs = [row["lang"] for row in data.ask(home, queries.corpus_languages, corpus)]
    found: dict[int, list[dict[str, Any]]] = {pair["item_id"]: data.candidates(home, corpus, pair) for pair in pairs}

    def documents(place: int) -> None:
        pair = pairs[place]
        token_id = found[pair["item_id"]][place % 3]["token_id"]
        rows = data.documents_behind(home, corpus, pair, token_id)
        data.read_document(home, corpus, rows[0]["doc_id"], pair=pair, marked=frozenset({token_id}))

    def word(place: int) -> None:
        data.candidates(home, corpus, pairs[place])
        documents(place)

    def graph(place: int) -> None:
        data.ask(home, queries.tokens_like, corpus, "")
        data.ask(home, queries.token_neighbours, corpus, tokens[place]["token_id"])

    def ranking(place: int) -> None:
        rows = data.ask(home, queries.top_documents, corpus, langs[place % len(langs)], limit=100)
        marked = frozenset(row["token_id"] for row in data.ask(home, queries.pivot_tokens, corpus))
        data.read_document(home, corpus, rows[0]["doc_id"], pair=None, marked=marked, from_start=True)

    def layers(place: int) -> None:
        data.traces(home, str(experiment), traced[place % len(traced)])

    def strategies(place: int) -> None:
        split = ("judge", "find", "all")[place % 3]
        data.ask(home, queries.scores, str(experiment), word_split=split)
        data.ask(home, queries.compare_strategies, str(experiment), "pivot_aware", "random_multilingual")

    timed: dict[str, Callable[[int], None]] = {
        "choose a word: candidates, documents, excerpt": word,
        "choose a candidate: documents, excerpt": documents,
        "walk to a neighbour in the graph": graph,
        "choose a language: ranking, document": ranking,
        "run SQL": lambda _: _discard(sql.query_table(home, SQL, max_rows=1000, time_limit_s=10)),
    }
    if traced:
        timed |= {"choose a traced word": layers, "compare strategies on other words": strategies}
    return {
        name: [_seconds(lambda p=place, f=ask: f(p)) for place in range(REPEATS + 1)] for name, ask in timed.items()
    }


def _in_browser(home: Home) -> Timings:
    """Time from a click to what it shows, on a dashboard that has answered before."""
    timings: Timings = {}
    with served(home) as address, open_browser(width=1300, height=1200, timeout_s=60) as tab:
        tab.page.goto(f"{address}&page=Pivots")
        tab.page.get_by_text("documents,").first.wait_for()
        tab.page.wait_for_function(f"{EXCERPT} !== undefined")
        directions = ["en → zh", "fr → ja", "en → fr", "fr → zh", "en → ja", "zh → ja"]
        timings["choose a direction: words, candidates, documents, excerpt"] = [
            _until_excerpt_changes(tab, lambda d=d: tab.page.get_by_label("direction").select_option(d))
            for d in directions
        ]
        rows = tab.page.get_by_role("table").first.get_by_role("row")
        timings["choose a candidate: documents, excerpt"] = [
            _until_excerpt_changes(tab, rows.nth(2 + place).get_by_role("checkbox").click)
            for place in range(REPEATS + 1)
        ]
        open_page(tab, "Graph")
        heading = tab.page.get_by_role("heading", name="Around")
        heading.wait_for()
        timings["walk to a neighbour in the graph"] = [_walk(tab) for _ in range(REPEATS + 1)]
        open_page(tab, "Documents")
        tab.page.get_by_text("orange: tokens of the pivot set").wait_for()
        langs = [o for o in tab.page.get_by_label("language").locator("option").all_inner_texts() if o.strip("- ")]
        timings["choose a language: ranking, document"] = [
            _until_excerpt_changes(
                tab, lambda p=place: tab.page.get_by_label("language").select_option(langs[(p + 1) % len(langs)])
            )
            for place in range(REPEATS + 1)
        ]
    return timings


def _until_excerpt_changes(tab: Browsing, act: Callable[[], Any]) -> float:
    before = tab.page.evaluate(EXCERPT)

    def whole() -> None:
        act()
        tab.page.wait_for_function(f"(before) => {EXCERPT} !== undefined && {EXCERPT} !== before", arg=before)

    seconds = _seconds(whole)
    tab.page.wait_for_timeout(700)  # what still comes belongs to this interaction, not to the next
    return seconds


def _walk(tab: Browsing) -> float:
    heading = tab.page.get_by_role("heading", name="Around")
    before = heading.inner_text()

    def whole() -> None:
        tab.page.get_by_role("table").first.get_by_role("row").nth(2).get_by_role("checkbox").click()
        tab.page.wait_for_function(
            "(before) => [...document.querySelectorAll('h3')].some((h) => h.textContent.startsWith('Around')"
            " && h.textContent !== before)",
            arg=before,
        )

    seconds = _seconds(whole)
    tab.page.wait_for_timeout(700)
    return seconds


def _seconds(act: Callable[[], Any]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def _discard(_: object) -> None:
    return None


def _cell(seconds: list[float] | None, wanted_s: float) -> str:
    if seconds is None:
        return ""
    warm = seconds[1:]
    middle = statistics.median(warm)
    mark = "**" if middle > wanted_s else ""
    return f"{mark}{1000 * middle:.0f}{mark} ({1000 * min(warm):.0f} to {1000 * max(warm):.0f})"


def _intro() -> str:
    return f"""# The dashboard, warm

Wanted: at most 200 ms on the demo's data, at most 1 s on a corpus of 100 M tokens; bold is what takes longer. A new
direction is the longest way: words, candidates, documents and excerpt follow from each other; the last is waited for.

Median (least to most) of {REPEATS} interactions, each with another word, token or language, after one that does not
count. *Questions* is what the interaction asks the published copy and the lake; *in the browser* goes from the click to
the new text on the page, Chromium's and marimo's part included. {available_threads()} threads, 4-core x86-64 machine.

    PYTHONPATH=.:tests python -m benchmarks.bench_dashboard --home DEMO_HOME --home LARGER_HOME

"""


if __name__ == "__main__":
    main()
