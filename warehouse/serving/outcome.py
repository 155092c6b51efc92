"""What a build and a publication came to, in words: what was made, what to look at, and what to type next."""

import os
import shlex
from typing import Any

from warehouse.base.settings import CALLERS_HOME, Home
from warehouse.build import dbt_runner
from warehouse.lake.connections import open_published_ibis
from warehouse.serving import queries
from warehouse.serving.publish import Publication

_BEST_PIVOTS = 3
_CORPORA_SHOWN = 3
_NAMES_SHOWN = 5


def build_lines(home: Home) -> list[str]:
    """Say what the last build of this home made and which tests of the data warned."""
    results = dbt_runner.run_results(home.dbt_target)
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        by_kind.setdefault(result["unique_id"].split(".")[0], []).append(result)
    tests = [*by_kind.get("test", ()), *by_kind.get("unit_test", ())]
    warned = sorted(result["unique_id"].split(".")[2] for result in results if result["status"] == "warn")
    n_passed = sum(result["status"] == "pass" for result in tests)
    n_models = len(by_kind.get("model", ())) + len(by_kind.get("seed", ()))
    lines = [f"built      {_number(n_models, 'model')}, {_number(n_passed, 'test')} passed"]
    if warned:
        lines.append(f"warnings   {_listed(warned)}: the rows are in schema failures of {home.warehouse_file}")
    return lines


def published_lines(home: Home, made: Publication, before: dict[str, Any] | None) -> list[str]:
    """Say what readers have now.

    Args:
        before: the manifest of the copy that readers had before, None when there was none.
    """
    number, tables = made.manifest["number"], made.manifest["tables"]
    if not made.is_new:
        return [f"published  nothing has changed since copy {number}, which stays"]
    n_rows = sum(table["n_rows"] for table in tables.values())
    lines = [f"published  copy {number}: {_number(len(tables), 'table')}, {n_rows:,} rows in {home.published_file}"]
    if before is not None:
        changed = sorted(name for name, table in tables.items() if before["tables"].get(name) != table)
        lines.append(f"changed    {_listed(changed)}" if changed else "changed    no table, only how they were built")
    return lines


def pivot_lines(home: Home) -> list[str]:
    """Name the best pivots of each corpus's pair with the strongest evidence: that of the highest score."""
    lines = []
    with open_published_ibis(home) as warehouse:
        needed = ("dim_documents", "dim_score_methods", "fct_pivot_candidates")
        if not all(queries.has_rows(warehouse, mart) for mart in needed):
            return ["pivots     none: no pair of words has a candidate; both words must occur, see `pivots status`"]
        for corpus in queries.corpora(warehouse).to_pyarrow()["corpus"].to_pylist()[:_CORPORA_SHOWN]:
            for pair in queries.strongest_pairs(warehouse, corpus, limit=1).to_pyarrow().to_pylist():
                asked = (corpus, pair["source_word"], pair["source_lang"], pair["target_lang"])
                rows = queries.pivots_of_pair(warehouse, *asked, top_k=_BEST_PIVOTS).to_pyarrow().to_pylist()
                tokens = [repr(row["token"]) for row in rows if row["item_id"] == pair["item_id"]]
                source, target = (f"{pair[f'{end}_word']} ({pair[f'{end}_lang']})" for end in ("source", "target"))
                lines.append(f"pivots     best of {source} and {target} in {corpus}: {', '.join(tokens)}")
            sets = queries.pivot_sets(warehouse, corpus).to_pyarrow().to_pylist()
            if not any(row["is_default"] for row in sets):
                fuller = ", ".join(row["pivot_set"] for row in sets) or "none: the corpus is too small"
                lines.append(
                    f"no set     strategy pivot_aware selects nothing of {corpus}: its pivot set holds no token."
                )
                lines.append(
                    f'           Sets with tokens: {fuller}; build with --vars \'{{"default_pivot_set": "NAME"}}\''
                )
    return lines


def next_lines(home: Home) -> list[str]:
    """Say where to look next, as it can be typed."""
    return [
        f"next       {typed(home, 'report')}",
        f"           {typed(home, 'dashboard')}",
        f"           {typed(home, 'sql')} 'select * from marts.fct_pivot_candidates limit 10'",
    ]


def typed(home: Home, command: str) -> str:
    """Return a command as it is typed for this home: with --home unless commands take it by themselves."""
    usual = os.environ.get(CALLERS_HOME) or str(Home.resolve().root)
    option = "" if usual == str(home.root) else f" --home {shlex.quote(str(home.root))}"
    return f"pivots {command}{option}"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMES_SHOWN])
    return shown + (f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else "")


def _number(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
