"""Where counts are of windows, no sentence of report or dashboard calls them documents."""

import re
from pathlib import Path

import pytest

from support.homes.handmade import CORPUS, make_marts, make_runs, write_count
from warehouse.base.settings import Home
from warehouse.counting.options import CountOptions
from warehouse.lake.connections import open_published_ibis
from warehouse.serving.dashboard import data, views
from warehouse.serving.publish import publish
from warehouse.serving.report import write_report
from warehouse.serving.units import DOCUMENTS, UnitName, corpus_unit, unit_name

WINDOWS = UnitName("windows", "windows of 2,048 tokens")
# Sentences about documents that are documents whatever is counted: what is ingested, ranked, chosen or trained on.
OF_DOCUMENTS = (
    r"tokens in \d[\d,]* documents;",
    r": \d[\d,]* documents;",
    r"the latest documents and results",
    r"ranks documents by default",
    r"strategies choose documents",
    r"rule that chooses training documents",
    r"saw the same documents in another order",
    r"that choose the same documents",
    r"on documents nobody trained on",
    r"word-dense documents did",
    r"no strategy has chosen documents",
)


@pytest.fixture(scope="module")
def windows(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that was counted by windows."""
    home = Home(tmp_path_factory.mktemp("windows"))
    make_marts(home)
    make_runs(home)
    write_count(home, CountOptions(unit="window"))
    publish(home)
    return home


def sentences(home: Home, out: Path) -> str:
    """Return what the report says, charts included, without the chart library, names of columns and commands."""
    page = write_report(home, out).read_text(encoding="utf-8")
    page = re.sub(r"<script>.*?</script>|<style>.*?</style>|<pre.*?</pre>|<code>.*?</code>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).lower()


def test_a_report_on_windows_speaks_of_windows(windows: Home, tmp_path: Path) -> None:
    text = sentences(windows, tmp_path / "report.html")
    for pattern in OF_DOCUMENTS:
        text = re.sub(pattern, "", text)
    assert re.findall(r".{60}\bdocuments?\b.{40}", text) == []
    for said in (
        "counts are of windows of 2,048 tokens: a token turns up beside a word when both are in one of them",
        "in which share of the windows a candidate stands",
        "% of the windows with “water”",
        "against windows of the same language and length",
        "by how many windows the two words share",
        "log(1 + windows shared by the pair)",
        "at least this number of windows",
        "shared windows, at least",
        "shares most windows with",
    ):
        assert said in text, said
    assert re.search(r"together in \d+ of \d+ and \d+ windows", text)


@pytest.mark.slow
def test_a_report_on_documents_speaks_of_documents(tmp_path: Path) -> None:
    home = Home(tmp_path)
    make_marts(home)
    make_runs(home)
    write_count(home, CountOptions())
    publish(home)
    text = sentences(home, tmp_path / "report.html")
    assert "window" not in text
    assert "in which share of the documents a candidate stands" in text


def test_the_dashboard_knows_the_unit(windows: Home) -> None:
    assert data.unit(windows, CORPUS) == WINDOWS
    assert data.unit(windows, None) == data.unit(windows, "not counted") == DOCUMENTS
    edge = {"neighbour": " b", "neighbour_lang": None, "neighbour_rank": 1, "edge_weight": 2.0, "n_docs_both": 3}
    assert "3 windows together" in views.neighbourhood({"token": "a"}, [edge], WINDOWS)


def test_counts_of_several_units_are_called_units(windows: Home) -> None:
    assert unit_name([]) == unit_name(["document"]) == DOCUMENTS
    assert unit_name(["window_2048", "window_2048"]) == WINDOWS
    assert unit_name(["window_512", "document"]) == UnitName("units", "units (documents, windows of 512 tokens)")
    with pytest.raises(ValueError, match="sentence"):
        unit_name(["sentence"])
    with open_published_ibis(windows) as warehouse:
        assert corpus_unit(warehouse, CORPUS, "not counted") == WINDOWS
