"""Take the pictures of docs/images/ again: every section of the report and every page of the dashboard.

make screenshots                     # of the home that `make demo` fills
python tests/warehouse/screenshots.py --home DIR [--out DIR]
"""

import argparse
import base64
from pathlib import Path

from support.servers.browser import Browsing, open_browser
from support.servers.dashboards import open_page, served
from tools import REPOSITORY
from warehouse.base.settings import Home
from warehouse.serving.report import write_report

WIDTH, PHONE = 1180, 390
REPORT_PARTS = {
    "report": ("header.top", "section.short"),
    "report-candidates": (".is-pivots",),
    "report-network": ("figure:has(h3:text-is('The best pivots and what they join'))",),
    "report-selection": ("figure:has(h3:text-is('Density of what was chosen'))",),
    "report-results": (
        "figure:has(h3:text-is('Scores by strategy'))",
        "figure:has(h3:text-is('Pivot-aware data against the others'))",
    ),
    "report-layers": ("figure:has(h3:text-is('Along the layers'))",),
    "report-doubt": ("#signatures",),
    "report-lineage": ("figure:has(h3:text-is('To make it again'))",),
}
DASHBOARD_PAGES = {
    "Overview": "What is stale",
    "Pivots": "blue: the source word",
    "Graph": "Around",
    "Layers": "top token of each layer",
    "Documents": "orange: tokens of the pivot set",
    "Strategies": "Two runs, word by word",
    "SQL": "At most 1,000 rows",
}


def main() -> None:
    """Write the pictures that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "images")
    arguments = parser.parse_args()
    home, out = Home.of_demo(arguments.home), arguments.out
    out.mkdir(parents=True, exist_ok=True)
    picture_report(write_report(home), out)
    picture_dashboard(home, out)
    for picture in sorted(out.glob("*.webp")):
        print(f"{picture} {picture.stat().st_size // 1024} KiB")


def picture_report(report: Path, out: Path) -> None:
    """Picture the parts of a report, its first page in the dark, and how it begins on a phone."""
    for dark, parts in ((False, REPORT_PARTS), (True, {"report-dark": REPORT_PARTS["report-network"]})):
        with open_browser(width=WIDTH, dark=dark) as tab:
            _open_report(tab, report)
            for name, selectors in parts.items():
                if all(tab.page.locator(selector).count() for selector in selectors):
                    _save(tab, out / f"{name}.webp", _around(tab, selectors))
    with open_browser(width=PHONE, height=844) as tab:
        _open_report(tab, report)
        _save(tab, out / "report-phone.webp", {"x": 0, "y": 0, "width": PHONE, "height": 844})
        box = _around(tab, (".pairbox:first-child",))
        _save(tab, out / "report-phone-candidates.webp", box)


def picture_dashboard(home: Home, out: Path) -> None:
    """Picture every page of the dashboard as it opens."""
    with served(home) as address, open_browser(width=WIDTH, height=1000, timeout_s=60) as tab:
        tab.page.goto(address)
        tab.page.get_by_role("heading", name="What is stale").wait_for()
        for name, shows in DASHBOARD_PAGES.items():
            open_page(tab, name)
            tab.page.get_by_text(shows).first.wait_for()
            if name == "SQL":
                tab.page.get_by_role("button", name="Run", exact=True).click()
                tab.page.get_by_text("mean_pivot_density").nth(1).wait_for()
            tab.page.wait_for_load_state("networkidle")
            tab.page.wait_for_timeout(1500)  # fonts and chart transitions; nothing says when they have ended
            box = {"x": 0, "y": 0, "width": WIDTH, "height": 1000}
            _save(tab, out / f"dashboard-{name.lower()}.webp", box)


def _open_report(tab: Browsing, report: Path) -> None:
    tab.page.goto(report.resolve().as_uri())
    tab.page.wait_for_function("document.documentElement.dataset.drawn")
    tab.page.add_style_tag(content="nav { position: static !important; }")


def _around(tab: Browsing, selectors: tuple[str, ...]) -> dict[str, float]:
    """Return the box on the page, as wide as the window, that holds elements with a little room."""
    boxes = [
        tab.page.locator(selector).first.evaluate(
            "e => { const b = e.getBoundingClientRect(); return [b.top + scrollY, b.bottom + scrollY]; }"
        )
        for selector in selectors
    ]
    top, bottom = min(box[0] for box in boxes) - 12, max(box[1] for box in boxes) + 12
    width = tab.page.evaluate("innerWidth")
    return {"x": 0, "y": max(0, top), "width": width, "height": bottom - max(0, top)}


def _save(tab: Browsing, path: Path, box: dict[str, float]) -> None:
    session = tab.page.context.new_cdp_session(tab.page)
    shot = session.send(
        "Page.captureScreenshot",
        {"format": "webp", "quality": 72, "clip": {**box, "scale": 1}, "captureBeyondViewport": True},
    )
    path.write_bytes(base64.b64decode(shot["data"]))


if __name__ == "__main__":
    main()
