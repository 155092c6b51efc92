"""The report: self-contained, true to the marts, and readable with any part of the data missing."""

import re
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from support.homes.handmade import make_marts, published_home
from support.servers.browser import Browsing, needs_browser, open_browser
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.cli import app
from warehouse.lake.connections import open_published_ibis
from warehouse.serving import queries
from warehouse.serving.publish import publish
from warehouse.serving.report import write_report
from warehouse.serving.report.network import layout
from warehouse.serving.report.page import _json_in_html
from warehouse.serving.status import status

NAMES_ON_NAMES = """() => [...document.querySelectorAll("[data-chart]")].reduce((found, chart) => {
  const boxes = [...chart.querySelectorAll(".mark-text text")]
    .filter((text) => text.style.display !== "none").map((text) => text.getBoundingClientRect());
  const on = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  return found + boxes.filter((a, i) => boxes.slice(0, i).some((b) => on(a, b))).length;
}, 0)"""
SECTIONS = ("overview", "pivots", "selection", "results", "signatures", "lineage")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return published_home(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def page(home: Home) -> str:
    return write_report(home).read_text(encoding="utf-8")


class Outline(HTMLParser):
    """Collects what a page links to, its ids, and its visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.text: list[str] = []
        self.open_tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open_tags.append(tag)
        for name, value in attrs:
            if name in ("href", "src", "srcset", "action", "data", "poster"):
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        if self.open_tags and self.open_tags[-1] not in ("script", "style"):
            self.text.append(data)


def outline(page: str) -> Outline:
    parsed = Outline()
    parsed.feed(page)
    return parsed


def visible(page: str) -> str:
    return re.sub(r"\s+", " ", " ".join(outline(page).text))


def without_library(page: str) -> str:
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_nothing_is_loaded_from_outside(page: str) -> None:
    found = outline(page)
    assert all(link.startswith("#") for link in found.links)  # the models' documentation is linked once it is written
    assert {link[1:] for link in found.links} <= set(found.ids)
    own = without_library(page)
    assert not re.findall(r"https?://|@import|url\(", own)
    assert "default-src 'none'" in own


def test_every_section_is_there_and_ids_are_unique(page: str) -> None:
    ids = outline(page).ids
    assert len(ids) == len(set(ids))
    assert set(SECTIONS) <= set(ids)


def test_a_newcomer_finds_the_best_pivots_and_whether_pivot_aware_data_won(page: str) -> None:
    text = visible(page)
    assert "Did pivot aware data win?" in text
    assert "Perhaps: +0.0050" in text
    assert re.search(r"The 3 best pivots water → eau en → fr 1\. ␣ river 2\. ␣ drink 3\. ␣ book", text)
    assert "bibliothèque" in text
    assert "図書館" in text
    assert "1 failure signature flagged" in text


def test_the_first_pair_has_the_strongest_evidence_of_the_corpus(home: Home, page: str) -> None:
    with open_published_ibis(home) as warehouse:
        strongest = queries.strongest_pairs(warehouse, "demo", limit=1).to_pyarrow().to_pylist()[0]
    assert re.search(f"best pivots {strongest['source_word']} → {strongest['target_word']} ", visible(page))


def test_names_are_explained_where_they_appear(page: str) -> None:
    text = visible(page)
    assert "word density What word_density takes." in text
    assert "by peak The behaviour told by" in text
    assert re.search(r"pivot: \d+ word pairs", text)


def test_every_figure_shows_its_query(page: str) -> None:
    own = without_library(page)
    assert own.count('class="block is-figure"') >= 9
    assert own.count("In Python: <code>queries.") >= own.count('class="block is-figure"')
    assert "queries.selection_summary(warehouse, &#39;demo&#39;)" in own


def test_candidates_stand_side_by_side_with_their_rates(page: str) -> None:
    first = re.search(r'<table class="candidates">.*?</table>', page, re.DOTALL)
    assert first
    text = visible(first[0])
    assert text.startswith(" candidate specific adjusted paper with water with eau of all")
    assert re.search(r"␣ river 1 6\.0 1 6\.0 \d+ 0\.\d+ 45% 41% 5\.0%", text)


def test_a_network_has_the_same_places_for_the_same_edges() -> None:
    edges = [(1, 2, 0.5), (1, 3, 2.0), (4, 5, 1.0), (6, 7, 1.0), (2, 8, 3.0)]
    places = layout(edges)
    assert places == layout(list(reversed(edges)))
    assert set(places) == {1, 2, 3, 4, 5, 6, 7, 8}
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in places.values())
    assert len(set(places.values())) == 8


@pytest.mark.slow
def test_the_report_links_to_the_models_documentation_once_it_is_written(tmp_path: Path) -> None:
    home = published_home(tmp_path / "home")
    assert "pivots docs" in visible(write_report(home).read_text(encoding="utf-8"))
    home.dbt_docs_file.parent.mkdir()
    home.dbt_docs_file.write_text("docs")
    assert "dbt-docs/index.html" in outline(write_report(home).read_text(encoding="utf-8")).links
    elsewhere = write_report(home, tmp_path / "out" / "r.html").read_text(encoding="utf-8")
    assert "../home/dbt-docs/index.html" in outline(elsewhere).links


def test_words_cannot_break_out_of_the_page(page: str) -> None:
    assert "<b>" in "".join(outline(page).text)  # the token ' <b>' is text
    assert _json_in_html({"w": "</script><script>alert(1)"}).count("<") == 0


@pytest.mark.slow
def test_the_same_copy_gives_the_same_bytes(home: Home, tmp_path: Path) -> None:
    assert write_report(home, tmp_path / "a.html").read_bytes() == write_report(home, tmp_path / "b.html").read_bytes()


def test_status_knows_which_copy_a_report_shows(home: Home, page: str) -> None:
    assert page
    assert status(home)["report"]["published_number"] == 1


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        (
            [
                "fct_pivot_candidates",
                "fct_selection_summary",
                "fct_strategy_layer_curves",
                "fct_failure_signatures",
                "fct_strategy_comparison",
            ],
            [
                "No pair has been scored.",
                "No strategy has chosen documents.",
                "No model has been traced.",
                "There is no run to examine.",
                "Not known yet",
            ],
        ),
        (["fct_translation_scores"], ["No model has been trained and scored"]),
        (
            [
                "fct_behaviour_shares",
                "fct_behaviour_auc",
                "fct_held_out_losses",
                "fct_selection_overlap",
                "fct_pivot_quality",
                "dim_pivot_tokens",
            ],
            ["Along the layers", "Candidates of chosen pairs"],
        ),
    ],
)
@pytest.mark.slow
@pytest.mark.parametrize("how", ["drop table", "delete from"])
def test_a_part_without_data_says_so(tmp_path: Path, gone: list[str], says: list[str], how: str) -> None:
    home = Home(tmp_path)
    make_marts(home)
    with duckdb.connect(str(home.warehouse_file)) as connection:
        for name in gone:
            connection.execute(f"{how} marts.{name}")
    text = visible(write_report(published_home_with_runs(home)).read_text(encoding="utf-8"))
    assert [sentence for sentence in says if sentence not in text] == []


def published_home_with_runs(home: Home) -> Home:
    from support.homes.handmade import make_runs

    make_runs(home)
    publish(home)
    return home


def test_a_home_with_documents_only_has_a_report(tmp_path: Path) -> None:
    home = Home(tmp_path)
    make_marts(home)
    with duckdb.connect(str(home.warehouse_file)) as connection:
        names = connection.execute(
            "select table_name from duckdb_tables() where table_name <> 'dim_documents'"
        ).fetchall()
        for (name,) in names:
            connection.execute(f"delete from marts.{name}")
    publish(home)
    text = visible(write_report(home).read_text(encoding="utf-8"))
    assert "Tokens by language in demo" in text
    assert "pivots experiment" in text


def test_nothing_published_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing is ingested"):
        write_report(Home(tmp_path))
    assert not (tmp_path / "report.html").exists()


def test_the_command_writes_where_it_is_told(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "r.html"
    result = CliRunner().invoke(app, ["report", "--out", str(out), "--home", str(home.root)], catch_exceptions=False)
    assert result.stdout.strip() == str(out)
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")


@needs_browser
@pytest.mark.parametrize(("width", "dark"), [(1280, False), pytest.param(390, True, marks=pytest.mark.slow)])
def test_in_a_browser_every_chart_is_drawn_without_an_error_or_a_request(
    home: Home, page: str, width: int, dark: bool
) -> None:
    assert page
    with open_browser(width=width, dark=dark) as tab:
        open_report(tab, home)
        charts = tab.page.locator("[data-chart]")
        assert charts.count() > 12
        assert charts.locator("svg").count() == charts.count()
        assert tab.problems == []
        assert tab.requests == [home.report_file.as_uri()]
        # nothing is wider than the window
        assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        # no name in a picture lies on another
        assert tab.page.evaluate(NAMES_ON_NAMES) == 0
        tab.page.locator("details.source summary").nth(1).click()
        tab.page.locator("details.source pre").nth(1).wait_for(state="visible")
        background = tab.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(19, 22, 27)") == dark


@pytest.mark.slow
@needs_browser
def test_in_a_browser_nothing_stands_in_the_way_of_keyboard_and_screen_reader(home: Home, page: str) -> None:
    assert page
    with open_browser() as tab:
        open_report(tab, home)
        assert tab.barriers(contrast=False) == []
        # the first key press leads to the content, the next ones through the sections
        tab.page.keyboard.press("Tab")
        assert tab.page.evaluate("document.activeElement.textContent") == "Skip to content"
        tab.page.keyboard.press("Enter")
        assert tab.page.url.endswith("#main")


@needs_browser
@pytest.mark.slow
@pytest.mark.parametrize("dark", [False, True])
def test_in_a_browser_every_text_stands_out(home: Home, page: str, dark: bool) -> None:
    assert page
    with open_browser(dark=dark) as tab:
        open_report(tab, home)
        assert tab.barriers() == []


def open_report(tab: Browsing, home: Home) -> None:
    tab.page.goto(home.report_file.as_uri())
    tab.page.wait_for_function("document.documentElement.dataset.drawn")
    tab.page.evaluate("document.querySelector('details.source').open = true")  # one of many that are alike
