"""The dashboard: every cell runs on any published copy, and in a browser it answers."""

import contextlib
import importlib
import importlib.util
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from support.homes.handmade import CORPUS, make_marts, make_runs, published_home, write_rows
from support.servers.browser import Browsing, needs_browser, open_browser
from support.servers.dashboards import open_page, served, without_key
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.serving import queries
from warehouse.serving.dashboard import data, run_dashboard, tables, views
from warehouse.serving.publish import publish
from warehouse.serving.units import DOCUMENTS, UnitName

pytest.importorskip("marimo", reason="the dashboard needs the extra `dashboard`: pip install '.[dashboard]'")
TEXT = "the water of a river"
# 0 to 765, whatever the form in which a browser states the colour
BRIGHTNESS = """e => {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = getComputedStyle(e).backgroundColor;
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data.slice(0, 3).reduce((sum, part) => sum + part, 0);
}"""
WINDOWS = UnitName("windows", "windows of 512 tokens")


def add_documents(home: Home) -> None:
    """Give the home a tokenizer of single bytes, one document and its word, and one traced word."""
    tokenizer = Tokenizer(models.BPE({c: i for i, c in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}, []))
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    (home.lake / "tokenizers").mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(home.lake / "tokenizers" / "t.json"))
    ids = tokenizer.encode(TEXT).ids
    write_rows(home, "corpora", [{"corpus": CORPUS, "tokenizer_hash": "t", "tokenizer_name": "bytes"}], corpus=CORPUS)
    rows = [
        {"corpus": CORPUS, "shard_id": "s", "doc_id": d, "lang": "en", "n_tokens": len(ids), "token_ids": ids}
        for d in range(60)
    ]
    write_rows(home, "documents", rows, name="s", corpus=CORPUS)
    write_rows(home, "words", [{"word_id": 1, "lang": "en", "word": "water"}])
    held = {"corpus": CORPUS, "shard_id": "s", "doc_id": 1, "word_id": 1, "token_starts": [TEXT.index("water")]}
    write_rows(home, "word_documents", [held], name="s", corpus=CORPUS)
    traces = [
        {"run_id": "trace-base-0", "item_id": 1, "source_lang": "en", "target_lang": "fr", "layer": layer}
        | {"top_token": "x", "p_top": 0.5, "p_pivot": 0.1, "p_control": 0.0, "p_source": 0.1, "p_target": 0.2}
        for layer in range(3)
    ]
    write_rows(home, "layer_traces", traces, name="trace-base-0")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = Home(tmp_path_factory.mktemp("dashboard"))
    add_documents(made)
    return published_home(made.root)


def run_app(home: Home, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run every cell without a browser and return what they define."""
    monkeypatch.setenv("PIVOTS_HOME", str(home.root))
    module = importlib.reload(importlib.import_module("warehouse.serving.dashboard.app"))
    _, defined = module.app.run()
    return dict(defined)


def test_every_cell_runs_and_starts_with_water(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    defined = run_app(home, monkeypatch)
    assert defined["corpus"].value == CORPUS
    assert defined["pair"]["source_word"] == "water"
    assert [row["token"] for row in defined["candidates"]][:2] == [" river", " drink"]
    assert defined["experiment"].value == "experiment-1"


@pytest.mark.parametrize("keep", [(), ("dim_documents",), ("dim_documents", "fct_word_pair_cooccurrence")])
def test_every_cell_runs_when_marts_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: tuple[str, ...]
) -> None:
    home = Home(tmp_path)
    make_marts(home)
    make_runs(home)
    with duckdb.connect(str(home.warehouse_file)) as connection:
        names = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        for (name,) in names:
            if name not in keep:
                connection.execute(f"{'delete from' if name == 'dim_documents' else 'drop table'} marts.{name}")
    publish(home)
    run_app(home, monkeypatch)


def test_documents_behind_a_pivot_and_their_text(home: Home) -> None:
    (pair,) = (
        row for row in data.ask(home, queries.words_with_pivots, CORPUS, "en", "fr") if row["source_word"] == "water"
    )
    river = Tokenizer.from_file(str(home.lake / "tokenizers" / "t.json")).encode("v").ids[0]
    (document,) = data.documents_behind(home, CORPUS, pair, river)
    assert (document["doc_id"], document["has_source"], document["has_target"]) == (1, True, False)
    segments = data.read_document(home, CORPUS, 1, pair=pair, marked=frozenset({river}))
    assert segments == [
        ("the ", None),
        ("water", "source"),
        (" of a ri", None),
        ("v", "pivot"),
        ("er", None),
    ]
    assert data.read_document(home, CORPUS, 10**6, pair=None, marked=frozenset())[0][1] is None


def test_traces_of_a_word(home: Home) -> None:
    pair = {"item_id": 1, "source_lang": "en", "target_lang": "fr"}
    assert [row["layer"] for row in data.traces(home, "experiment-1", pair)] == [0, 1, 2]


def test_what_is_kept_of_the_lake_is_read_again_when_a_file_changes(tmp_path: Path) -> None:
    home = Home(tmp_path)
    add_documents(home)
    published_home(home.root)
    pair = {"item_id": 1, "source_lang": "en", "target_lang": "fr"}
    (path,) = (home.lake / "layer_traces").glob("*/*.parquet")
    before = data.traces(home, "experiment-1", pair)
    rows = pq.read_table(path)
    pq.write_table(rows.set_column(rows.schema.get_field_index("layer"), "layer", pc.add(rows["layer"], 5)), path)
    assert [row["layer"] for row in data.traces(home, "experiment-1", pair)] == [row["layer"] + 5 for row in before]


def test_html_escapes_what_documents_say() -> None:
    assert "<script>" not in views.marked_text([("<script>", None), ("<b>", "pivot")], lang='en"><script>')
    assert "<b>" not in views.marked_text([("<b>", None)], lang="en")
    edge = {"neighbour": " <b>", "neighbour_lang": None, "neighbour_rank": 1, "edge_weight": 2.0, "n_docs_both": 3}
    assert "<b>" not in views.neighbourhood({"token": "<b>"}, [edge], DOCUMENTS)


def test_the_neighbour_that_is_walked_to_is_the_token_itself() -> None:
    """A table shows white space as signs, and a token may hold those signs: the text shown tells neither apart."""
    rows = [{"neighbour_id": 3, "neighbour": " a"}, {"neighbour_id": 4, "neighbour": "␣a"}]
    rows += [{"neighbour_id": 5, "neighbour": "\n\t"}]
    for row in rows:
        shown = tables.titled([row])
        assert views.chosen_neighbour(shown, rows) == {"token_id": row["neighbour_id"], "token": row["neighbour"]}
    assert views.chosen_neighbour([], rows) is None


def test_tables_keep_identities_exact() -> None:
    assert tables.readable(
        [{"doc_id": 3778562595017583601, "n": 7, "big": 2**60, "share": 0.123456, "none": None}]
    ) == [{"doc_id": "3778562595017583601", "n": 7, "big": str(2**60), "share": 0.1235, "none": None}]


def test_tables_are_in_words() -> None:
    rows = [{"doc_id": 2**60, "has_source": True, "n_docs_both": 3, "smoothed_rank_in_lang": 1, "odd_name": None}]
    assert tables.titled(rows, WINDOWS) == [
        {"document id": str(2**60), "source word": "yes", "windows together": 3, "rank": 1, "odd name": "–"}
    ]


def test_a_document_is_known_by_how_it_begins(home: Home) -> None:
    rows = data.beginnings(home, CORPUS, [{"doc_id": 3, "n_tokens": 21}, {"doc_id": 10**6, "n_tokens": 1}])
    assert rows == [
        {"begins": "the water of a r", "n_tokens": 21, "doc_id": 3},  # the first 16 of its tokens, which are bytes
        {"begins": None, "n_tokens": 1, "doc_id": 10**6},
    ]
    assert data.beginnings(home, CORPUS, []) == []


def test_the_first_page_says_what_came_out_and_what_is_stale(home: Home) -> None:
    found = data.overview(home, CORPUS, "experiment-1")
    assert found.verdict is not None
    assert found.verdict["headline"].startswith("Perhaps: +0.0050")
    assert len(found.doubts) == 1
    assert {row["lang"] for row in found.languages} >= {"en", "fr"}
    assert all(set(entry) == {"what", "why", "fix"} for entry in found.stale)
    none = data.overview(home, None, None)
    assert (none.verdict, none.doubts, none.languages) == (None, [], [])


def test_a_traced_pair_that_says_nothing_is_told_apart(home: Home) -> None:
    rows = data.ask(home, queries.traced_words, "experiment-1", CORPUS, "en", "fr")
    assert rows
    behaviours = {
        row["item_id"]: [told["behaviour"] for told in data.ask(home, queries.behaviour_of_word, "experiment-1", *key)]
        for row in rows
        for key in [(row["item_id"], "en", "fr")]
    }
    for row in rows:
        assert row["is_excluded"] == (set(behaviours[row["item_id"]]) == {"excluded"})


def test_what_cannot_be_served_is_a_usage_error(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="nothing is ingested"):
        run_dashboard(Home(tmp_path), port=0, browser=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match=r"--port \d+ on 127\.0\.0\.1: Address already in use; give another"):
            run_dashboard(home, port=taken.getsockname()[1], browser=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"\[dashboard\]"):
        run_dashboard(home, port=0, browser=False)


@pytest.fixture(scope="module")
def address(home: Home) -> Iterator[str]:
    with served(home) as found:
        yield found


@pytest.fixture(scope="module")
def tab(address: str) -> Iterator[Browsing]:
    """One browser on one server for the tests below: each goes to its own page."""
    with open_browser(width=1300, height=1000, timeout_s=60) as tab:
        tab.page.goto(address)
        tab.page.get_by_role("heading", name="What is stale").wait_for()
        yield tab
        assert tab.problems == []
        assert tab.outside(without_key(address)) == []


@contextlib.contextmanager
def another_window(tab: Browsing, **options: Any) -> Iterator[Any]:
    """Open a window of its own in the tab's browser, without its cookies."""
    browser = tab.page.context.browser
    assert browser is not None
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, **options)
    context.set_default_timeout(60_000)
    try:
        yield context.new_page()
    finally:
        context.close()


def choose(tab: Browsing, label: str, option: str) -> None:
    tab.page.get_by_label(label, exact=True).select_option(option)


@pytest.mark.slow
@needs_browser
def test_in_a_browser_a_pair_is_chosen_and_a_token_clicked(tab: Browsing) -> None:
    open_page(tab, "Pivots")
    tab.page.get_by_text("␣river").first.wait_for()
    choose(tab, "direction", "fr → en")
    tab.page.get_by_text("eau").first.wait_for()
    choose(tab, "direction", "en → fr")
    tab.page.get_by_role("row").filter(has_text="␣drink").get_by_role("checkbox").click()
    tab.page.get_by_text("those with both words first").wait_for()


@pytest.mark.slow
@needs_browser
def test_in_a_browser_the_graph_is_walked_from_token_to_token(tab: Browsing) -> None:
    open_page(tab, "Graph")
    box = tab.page.get_by_placeholder("begins with")
    box.fill("drink")
    box.press("Enter")
    tab.page.get_by_role("heading", name="Around ␣drink").wait_for()
    tab.page.get_by_role("row").filter(has_text="␣river").get_by_role("checkbox").click()
    tab.page.get_by_role("heading", name="Around ␣river").wait_for()


@pytest.mark.slow
@needs_browser
def test_in_a_browser_every_other_page_opens_and_sql_answers_or_refuses(tab: Browsing) -> None:
    for name, shows in (
        ("Overview", "Perhaps: +0.0050"),
        ("Layers", "top token of each layer"),
        ("Documents", "orange: tokens of the pivot set"),
        ("Strategies", "Two runs, word by word"),
        ("SQL", "At most 1,000 rows"),
    ):
        open_page(tab, name)
        tab.page.get_by_text(shows).first.wait_for()
    run = tab.page.get_by_role("button", name="Run", exact=True)
    run.click()
    tab.page.get_by_text("frequency_weighted_multilingual").first.wait_for()
    editor = tab.page.locator(".cm-content")
    editor.click()
    tab.page.keyboard.press("Control+a")
    tab.page.keyboard.insert_text("select * from read_csv('/etc/passwd')")
    tab.page.keyboard.press("Escape")
    run.focus()
    run.click()
    tab.page.get_by_text("queries read the published tables and nothing else").wait_for()


@pytest.mark.slow
@needs_browser
def test_in_a_browser_the_address_leads_back_to_what_is_looked_at(address: str, tab: Browsing) -> None:
    with another_window(tab) as page:
        page.goto(f"{address}&page=Pivots&direction=fr-en&word=eau")
        page.get_by_text("eau stands in").wait_for()
        assert page.get_by_label("direction", exact=True).input_value() == "fr → en"
        page.get_by_role("tab", name="Graph", exact=True).click()
        page.wait_for_function("new URL(location).searchParams.get('page') === 'Graph'")
        assert "direction=fr-en" in page.url


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("dark", [False, True])
def test_in_a_browser_the_pages_follow_the_light_and_use_the_width(address: str, tab: Browsing, dark: bool) -> None:
    with another_window(tab, color_scheme="dark" if dark else "light") as page:
        page.goto(f"{address}&page=Pivots")
        table = page.get_by_role("table").first
        table.wait_for()
        assert (page.locator("body").evaluate(BRIGHTNESS) < 300) == dark
        box = table.bounding_box()
        assert box is not None
        assert box["width"] > 1100


# what marimo draws itself and we cannot name or colour: docs/decisions/028-marimos-frame.md
FRAME = {"aria-input-field-name", "button-name", "color-contrast", "empty-table-header", "region", "summary-name"}


@pytest.mark.slow
@needs_browser
def test_in_a_browser_only_the_frame_stands_in_the_way_of_keyboard_and_screen_reader(tab: Browsing) -> None:
    for name in views.PAGES:
        open_page(tab, name)
        tab.page.get_by_text(views.PAGES[name]).wait_for()
        tab.page.wait_for_load_state("networkidle")
        assert [found for found in tab.barriers() if found.partition(":")[0] not in FRAME] == [], name
