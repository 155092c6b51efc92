"""Every text of a corpus that can reach a page, as markup, script, template and escape: shown as text, in Chromium."""

from pathlib import Path

import duckdb
import pytest

from support.homes.handmade import make_marts, make_runs
from support.servers.browser import Browsing, needs_browser, open_browser
from support.servers.dashboards import open_page, served, without_key
from warehouse.base.settings import Home
from warehouse.serving.publish import publish
from warehouse.serving.report import write_report

pytestmark = [pytest.mark.slow, needs_browser]

MARK = "onerror="
PAYLOAD = (
    '"><img src=x onerror="window.owned=1"><script>window.owned=2</script></script></style></title></textarea>'
    "{{7*7}}${7*7}<svg onload=window.owned=3><a href='javascript:window.owned=4'>x</a>\x1b[31m\u202e\u0000"
).replace("\0", "")
# texts of a corpus, of a word list or of somebody's choice; others are names of ours
_FROM_OUTSIDE = (
    *("token", "word", "source_word", "target_word", "pivot_token", "neighbour_token", "top_token", "topic"),
    *("source", "source_id", "source_file", "text", "model_id"),
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A published home whose texts are all hostile."""
    made = Home(tmp_path_factory.mktemp("hostile"))
    make_marts(made)
    make_runs(made)
    with duckdb.connect(str(made.warehouse_file)) as connection:
        columns = connection.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = 'marts'"
            " and data_type = 'VARCHAR' and list_contains(?, column_name)",
            [list(_FROM_OUTSIDE)],
        ).fetchall()
        assert len(columns) > 10
        for table, column in columns:
            connection.execute(f"update marts.{table} set {column} = {column} || ?", [PAYLOAD])
    publish(made)
    return made


def is_harmless(tab: Browsing) -> bool:
    """Tell whether no text was run, and nothing was asked for because of one."""
    assert tab.page.evaluate("window.owned") is None
    made = tab.page.locator("img[src='x']")
    assert made.count() == 0, made.first.evaluate("e => e.closest('marimo-ui-element, .output, div').outerHTML")[:600]
    return all(address.rsplit("/", 1)[-1] != "x" for address in tab.requests)


def test_the_report_shows_them_as_text(home: Home) -> None:
    file = write_report(home)
    with open_browser() as tab:
        tab.page.goto(file.as_uri())
        tab.page.wait_for_timeout(2000)  # charts are drawn
        for details in tab.page.locator("details > summary").all():
            details.dispatch_event("click")
        assert MARK in tab.page.inner_text("body")
        assert is_harmless(tab)
        assert tab.problems == []
        assert tab.outside(file.as_uri()) == []


def test_the_dashboard_shows_them_as_text(home: Home) -> None:
    pytest.importorskip("marimo", reason="the dashboard needs the extra `dashboard`: pip install '.[dashboard]'")
    with served(home) as address, open_browser(timeout_s=60) as tab:
        tab.page.goto(address)
        for page in ("Pivots", "Graph", "Layers", "Documents", "Strategies", "SQL"):
            open_page(tab, page)
            tab.page.get_by_text(MARK).first.wait_for(state="attached")
            tab.page.wait_for_timeout(1500)
            assert is_harmless(tab), page
        assert tab.outside(without_key(address)) == []


def test_a_page_that_runs_texts_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(f"<p>{PAYLOAD}</p>", encoding="utf-8")
    with open_browser() as tab:
        tab.page.goto(page.as_uri())
        tab.page.wait_for_timeout(300)
        with pytest.raises(AssertionError):
            is_harmless(tab)
