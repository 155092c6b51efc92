"""Commands for readers: publish, report, dashboard, sql, status."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from warehouse.cli.options import CatalogOption, HomeOption

TERMINAL_ROWS = 100


class Format(StrEnum):
    """How `pivots sql` writes a result."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def register(app: typer.Typer) -> None:
    """Add `publish`, `report`, `dashboard`, `sql` and `status`."""
    for command in (publish, report, dashboard, sql, status):
        app.command()(command)


def publish(
    keep: Annotated[int, typer.Option(min=1, help="How many published copies stay on disk.")] = 3,
    home: HomeOption = None,
) -> None:
    """Give readers a fresh copy of the marts, swapped in whole: nobody waits, nobody sees half of it.

    `pivots build` does so at its end; by itself it is for marts that dbt built by hand, or for results of runs.

    Example: `pivots publish`
    """
    from warehouse.base.settings import Home
    from warehouse.cli.build import publish_and_say

    publish_and_say(Home.resolve(home), keep=keep)


def report(
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write [default: report.html in the home].")
    ] = None,
    home: HomeOption = None,
) -> None:
    """Write one self-contained HTML page about the published warehouse: corpus, pivots, selection, results, lineage.

    Example: `pivots report --out report.html`
    """
    from warehouse.base.settings import Home
    from warehouse.serving.report import write_report

    print(write_report(Home.resolve(home), out))


def dashboard(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 2718,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser window.")] = True,
    home: HomeOption = None,
) -> None:
    """Explore the published warehouse in the browser: pivots of a word, layers, documents, strategies, SQL.

    Example: `pivots dashboard --port 2718 --no-browser`
    """
    from warehouse.base.settings import Home
    from warehouse.serving.dashboard import run_dashboard

    run_dashboard(Home.resolve(home), port=port, browser=browser)


def sql(
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="One query.", show_default=False)] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="Read the query from a file; - is standard input."),
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="How to write the result.")] = Format.TABLE,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write here instead.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=0, help=f"At most N rows; 0 is all [default: {TERMINAL_ROWS} for table, else all]."),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(min=0.001, metavar="SECONDS", help="Stop the query after so long [default: never].")
    ] = None,
    catalog: CatalogOption = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="WHEN", help="With --catalog: a snapshot's number, or a timestamp (UTC)."),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Ask the published warehouse, read-only. Without a query, on a terminal: a prompt with history and completion.

    `document_text(corpus, doc_id)` is the text of a document: name it where few documents are left.

    Example: `pivots sql "select * from marts.fct_selection_summary" --format csv`
    """
    from warehouse.base.errors import UsageError
    from warehouse.base.settings import Home
    from warehouse.serving.sql.document_text import open_for_query

    if as_of is not None and catalog is None:
        raise UsageError("--as-of needs --catalog: a published copy has no earlier snapshots")
    if catalog is None and query is None and file is None and sys.stdin.isatty() and sys.stdout.isatty():
        from warehouse.serving.sql.prompt import open_prompt

        open_prompt(Home.resolve(home))
        return
    text = _query_text(query, file)
    if format_ is Format.PARQUET and out is None:
        raise typer.BadParameter("Parquet goes to a file: give --out FILE.", param_hint="--format")
    if limit is None:
        limit = TERMINAL_ROWS if format_ is Format.TABLE else 0
    if catalog is None:
        opened = open_for_query(Home.resolve(home), text)
    else:
        from warehouse.engines.ducklake.address import resolve
        from warehouse.engines.ducklake.attach import open_reader

        opened = open_reader(resolve(catalog), as_of=as_of)
    _write_result(opened, text, format_, out, limit or None, timeout)


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    home: HomeOption = None,
) -> None:
    """Say what is ingested, counted, built, trained and published, what is stale, and which command fixes it.

    Example: `pivots status --json`
    """
    from warehouse.base.settings import Home
    from warehouse.serving.status import status as describe
    from warehouse.serving.status_text import print_status

    described = describe(Home.resolve(home))
    if as_json:
        print(json.dumps(described, ensure_ascii=False, indent=1))
    else:
        print_status(described, _console())


def _query_text(query: str | None, file: Path | None) -> str:
    from warehouse.base.errors import UsageError

    if (query is None) == (file is None):
        raise UsageError('give one query: pivots sql "select ..." or pivots sql -f FILE')
    if file is None:
        return query or ""
    if str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read as a query: {error}") from None


def _write_result(
    opened: AbstractContextManager[Any],
    text: str,
    format_: Format,
    out: Path | None,
    max_rows: int | None,
    time_limit_s: float | None,
) -> None:
    """Answer a query. Whatever it does, one Ctrl-C or the end of its time ends it, and leaves no half file."""
    from warehouse.serving.sql.stoppable import run_stoppable

    connections: list[Any] = []
    unfinished: list[Path] = []

    @contextmanager
    def noted() -> Iterator[Any]:
        with opened as connection:
            connections.append(connection)
            yield connection

    def remove_unfinished() -> None:
        for file in unfinished:
            file.unlink(missing_ok=True)

    run_stoppable(
        lambda: _write(noted(), text, format_, out, max_rows, unfinished.append),
        interrupt=lambda: [connection.interrupt() for connection in connections],
        abandon=remove_unfinished,
        time_limit_s=time_limit_s,
    )


def _write(
    opened: AbstractContextManager[Any],
    text: str,
    format_: Format,
    out: Path | None,
    max_rows: int | None,
    begun: Callable[[Path], Any],
) -> None:
    from warehouse.base.terminal import PrintableStream
    from warehouse.serving.sql import query_opened, render
    from warehouse.serving.sql.output import open_output

    if format_ is Format.TABLE:
        # one row more than asked for, to know whether there are more
        with query_opened(opened, text, max_rows=max_rows and max_rows + 1) as reader:
            rows = reader.read_all()
        shown = rows.slice(0, max_rows) if max_rows else rows
        if out is None:
            render.print_table(shown, _console())
        else:
            with open_output(out, begun=begun) as stream:
                render.print_table(shown, _console(stream))
        if shown.num_rows < rows.num_rows:
            print(f"only the first {max_rows:,} rows are shown; --limit 0 shows all", file=sys.stderr)
        return
    with query_opened(opened, text, max_rows=max_rows) as reader:
        if format_ is Format.PARQUET:
            assert out is not None
            with open_output(out, binary=True, begun=begun) as stream:
                render.write_parquet(reader, stream)
            return
        write = render.write_csv if format_ is Format.CSV else render.write_json
        if out is None:
            write(reader, PrintableStream(sys.stdout) if sys.stdout.isatty() else sys.stdout)
        else:
            with open_output(out, begun=begun) as stream:
                write(reader, stream)


def _console(stream: Any = None) -> Any:
    from rich.console import Console

    return Console(file=stream, highlight=False)
