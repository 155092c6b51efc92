"""Status as people read it."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

_REASONS_SHOWN = 10


def print_status(described: dict[str, Any], console: Console) -> None:
    """Print a home's status: what exists, then what failed or is stale, with what to do."""
    console.print(Text(described["home"], style="bold"), soft_wrap=True)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, lines in _sections(described):
        grid.add_row(name, "\n".join(lines))
    console.print(grid)
    if not described["stale"]:
        console.print(Text("nothing is stale", style="green"))
    if not (entries := [*described["attention"], *described["stale"]]):
        return
    table = Table(
        title="stale or missing" if described["stale"] else "flows",
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=None,
    )
    for column in ("what", "why", "fix with"):
        table.add_column(column, overflow="fold")
    for entry in entries:
        table.add_row(entry["what"], entry["why"], Text(entry["fix"], style="cyan"))
    console.print(table)


def _sections(described: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [
        ("corpora", [_corpus_line(corpus) for corpus in described["corpora"]] or ["none"]),
        ("words", [_words_line(described["words"])]),
        ("rejects", _reject_lines(described["rejects"])),
        ("build", [_build_line(described["build"])]),
        ("exports", [_export_line(export) for export in described["exports"]] or ["none"]),
        ("runs", [_run_line(run) for run in described["runs"]] or ["none"]),
        ("published", [_published_line(described["published"])]),
        ("report", [described["report"]["file"] if described["report"] else "none"]),
        *([("inbox", [_inbox_line(one) for one in described["inbox"]])] if described["inbox"] else []),
        *([("flows", [_flow_line(one) for one in described["flows"]])] if described["flows"] else []),
    ]


def _corpus_line(corpus: dict[str, Any]) -> str:
    langs = " ".join(f"{by['lang']} {_share(by['n_tokens'], corpus['n_tokens'])}" for by in corpus["languages"][:8])
    count = corpus["count"]
    counted = f"counted by {count['unit']}, {count['n_units']:,} units" if count else "not counted"
    return (
        f"{corpus['corpus']}: {corpus['n_docs']:,} documents, {corpus['n_tokens']:,} tokens ({langs})"
        f" from {corpus['n_files']:,} files; {counted}"
    )


def _words_line(words: dict[str, Any]) -> str:
    if not words["n_items"]:
        return "none"
    by_lang = ", ".join(f"{lang} {n:,}" for lang, n in words["n_words_by_lang"].items())
    return f"{words['n_items']:,} items ({by_lang} words)"


def _reject_lines(rejects: list[dict[str, Any]]) -> list[str]:
    if not rejects:
        return ["none"]
    lines = [f"{row['n']:,} {row['reason']} ({row['step']}, {row['corpus'] or 'word list'})" for row in rejects]
    more = len(lines) - _REASONS_SHOWN
    return lines[:_REASONS_SHOWN] + ([f"and {more} more reasons"] if more > 0 else [])


def _build_line(build: dict[str, Any] | None) -> str:
    if build is None:
        return "none"
    statuses = ", ".join(f"{n} {status}" for status, n in build["statuses"].items())
    look = f"; look at {', '.join(build['not_passed'][:5])}" if build["not_passed"] else ""
    return f"{_minute(build['generated_at'])}: {statuses}{look}"


def _export_line(export: dict[str, Any]) -> str:
    gone = "" if export["exists"] else " (folder is gone)"
    return f"{export['export_id']}: {export['strategy']} of {export['corpus']}, {export['n_tokens']:,} tokens{gone}"


def _run_line(run: dict[str, Any]) -> str:
    of = f" of {run['experiment']}" if run["experiment"] else ""
    return f"{run['n']:,} {run['kind']}{of}, last {_minute(run['last_finished_at'])}"


def _published_line(published: dict[str, Any] | None) -> str:
    if published is None:
        return "none"
    return (
        f"copy {published['number']} of {_minute(published['published_at'])}:"
        f" {published['n_tables']} tables, {published['n_rows']:,} rows"
    )


def _inbox_line(one: dict[str, Any]) -> str:
    state = f"{one['n_new_files']:,} files to ingest" if one["n_new_files"] else "all files are ingested"
    return f"{one['corpus']}: {state}" + ("; no such corpus yet" if one["is_new"] else "")


def _flow_line(flow: dict[str, Any]) -> str:
    when = _minute(flow["ended_at"] or flow["started_at"])
    said = f": {flow['message']}" if flow["message"] else ""
    return f"{flow['flow']} {flow['state']}{' since' if not flow['ended_at'] else ''} {when}{said}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "0%"


def _minute(timestamp: str) -> str:
    return timestamp[:16].replace("T", " ") + " UTC"
