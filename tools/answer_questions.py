"""The twenty questions of dbt_project/analyses, answered on a home: SQL in, a page of Markdown out.

`python -m tools.answer_questions --home pivots-home/demo` rewrites docs/analyses.md. An analysis begins with comments:
the question, then `Read:` how to read the rows, then `In short:` a sentence with columns of the first row in braces.
"""

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tools import REPOSITORY
from warehouse.base.errors import UsageError
from warehouse.base.settings import Home
from warehouse.build import dbt_runner
from warehouse.lake.connections import writer_lock

PAGE = REPOSITORY / "docs" / "analyses.md"
ROWS_SHOWN = 12


@dataclass(frozen=True)
class Analysis:
    """One question, as its file says it.

    Attributes:
        name: the file's name without its ending.
        question: what is asked, one sentence.
        reading: how to read the rows.
        summary: a sentence with columns of the first row in braces.
        sql: compiled for the home.
    """

    name: str
    question: str
    reading: str
    summary: str
    sql: str


@dataclass(frozen=True)
class Answer:
    """The rows of one analysis."""

    analysis: Analysis
    columns: list[str]
    rows: list[tuple[Any, ...]]

    @property
    def in_short(self) -> str:
        """The summary, filled from the first row; without rows it says so."""
        if not self.rows:
            return "No rows: this home holds nothing that the question is about."
        first = dict(zip(self.columns, self.rows[0], strict=True))
        return _capital(self.analysis.summary.format(**{name: _text(value) for name, value in first.items()}))


def compile_analyses(home: Home, variables: dict[str, Any] | None = None) -> list[Analysis]:
    """Compile the analyses for a home, in the order of their names. The caller holds `writer_lock`.

    Args:
        variables: dbt variables beside those of the home's builds, such as `ask_word`.
    """
    target = home.root / "dbt" / "analyses-target"
    chosen = dbt_runner.build_variables(home) | (variables or {})
    arguments = ["compile", "--select", "path:analyses", "--vars", json.dumps(chosen)]
    dbt_runner.run_dbt(home, arguments, quiet=True, environment={"DBT_TARGET_PATH": str(target)})
    compiled = target / "compiled" / "semantic_pivots" / "analyses"
    return [parse(path.stem, path.read_text()) for path in sorted(compiled.glob("*.sql"))]


def parse(name: str, sql: str) -> Analysis:
    """Take an analysis apart. Raises ValueError where a part of its heading is missing."""
    heading = []
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        heading.append(line.removeprefix("--").strip())
    parts = re.fullmatch(r"(.+?\?) Read: (.+) In short: (.+)", " ".join(heading))
    if parts is None:
        raise ValueError(f"{name}.sql must begin with a question, `Read:` and `In short:` in comments")
    return Analysis(name, parts[1], _capital(parts[2]), parts[3], sql)


def answer(home: Home, variables: dict[str, Any] | None = None, *, only: Sequence[str] = ()) -> list[Answer]:
    """Run the analyses on the writer's file of a home.

    Args:
        only: names of analyses; all when empty.

    Raises:
        UsageError: nothing has been built yet.
    """
    if not home.warehouse_file.exists():
        raise UsageError(f"nothing is built in {home.root}: run `pivots build` first")
    with writer_lock(home):
        analyses = [a for a in compile_analyses(home, variables) if not only or a.name in only]
        with duckdb.connect(str(home.warehouse_file), read_only=True) as connection:
            answers = []
            for analysis in analyses:
                found = connection.execute(analysis.sql)
                columns = [column[0] for column in found.description or ()]
                answers.append(Answer(analysis, columns, found.fetchall()))
            return answers


def page(answers: Sequence[Answer]) -> str:
    """Return the answers as one page of Markdown."""
    lines = [
        "# Twenty questions",
        "",
        "Each is one file of SQL in [dbt_project/analyses](../dbt_project/analyses), answered here on the home that",
        "`pivots demo` leaves: a planted corpus of 60,000 documents, one seed. Made by",
        "`python -m tools.answer_questions --home pivots-home/demo`, which writes this page for any home (`--out`). To",
        "ask one:",
        "",
        "```",
        'eval "$(pivots build --home pivots-home/demo --print-env)"',
        "dbt show --select q01_bridges_of_a_word --limit 20 --vars '{ask_word: bank}'",
        "```",
        "",
        "Tables show at most 12 rows. One seed is no evidence for a strategy: the page shows how to ask, not what is",
        "true of models in general.",
    ]
    for number, found in enumerate(answers, start=1):
        source = f"../dbt_project/analyses/{found.analysis.name}.sql"
        lines += ["", f"## {number}. {found.analysis.question}", "", f"**{found.in_short}**", ""]
        lines += [f"{found.analysis.reading} ([SQL]({source}))"]
        if found.rows:
            lines += ["", "| " + " | ".join(found.columns) + " |", "|" + "---|" * len(found.columns)]
            lines += ["| " + " | ".join(_cell(v) for v in row) + " |" for row in found.rows[:ROWS_SHOWN]]
        if len(found.rows) > ROWS_SHOWN:
            lines += ["", f"… and {len(found.rows) - ROWS_SHOWN:,} more rows."]
    return "\n".join(lines) + "\n"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _text(value: Any) -> str:
    if value is None:
        return "not known"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _cell(value: Any) -> str:
    """A token's spaces matter: text with one at its ends stands in quotes."""
    if isinstance(value, str) and value != value.strip():
        return f'"{value}"'.replace("|", "\\|")
    return "" if value is None else _text(value).replace("|", "\\|")


def main() -> None:
    """Answer all questions on a home and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="the warehouse's folder [PIVOTS_HOME or ./pivots-home]")
    parser.add_argument("--out", type=Path, default=PAGE, help="the page to write")
    options = parser.parse_args()
    options.out.write_text(page(answer(Home.resolve(options.home))))
    print(options.out)


if __name__ == "__main__":
    main()
