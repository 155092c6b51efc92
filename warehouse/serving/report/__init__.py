"""The report: one self-contained HTML page on the published warehouse, nothing loaded from outside."""

from pathlib import Path

from warehouse.base.settings import Home


def write_report(home: Home, out: Path | None = None) -> Path:
    """Write the report of the published copy.

    Args:
        out: the file to write; `report.html` in the home when None.

    Returns:
        The file written.

    Raises:
        UsageError: nothing is published.
    """
    from warehouse.contract.atomic import atomic_file
    from warehouse.serving.report.page import render_page

    path = out or home.report_file
    page = render_page(home, path)
    with atomic_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")
    return path
