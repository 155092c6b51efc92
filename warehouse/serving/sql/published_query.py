"""One query on the published copy, which it can read and nothing else."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home
from warehouse.lake.connections import one_line
from warehouse.serving.sql.document_text import open_for_query

# Table functions a query may call. The connection already refuses files, network and settings; this list also keeps
# out what acts on the process itself (enable_logging can end it) and what hides SQL in text (query).
TABLE_FUNCTIONS = frozenset(
    {
        "duckdb_columns",
        "duckdb_functions",
        "duckdb_schemas",
        "duckdb_tables",
        "duckdb_views",
        "generate_series",
        "json_each",
        "json_tree",
        "pragma_table_info",
        "pragma_version",
        "range",
        "repeat",
        "repeat_row",
        "summary",
        "unnest",
    }
)
_ACTING_FUNCTIONS = frozenset({"write_log", "nextval", "setseed"})
_EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?", re.IGNORECASE)
_BATCH_ROWS = 10_000


@contextmanager
def query(
    home: Home, sql: str, *, max_rows: int | None = None, time_limit_s: float | None = None
) -> Iterator[pa.RecordBatchReader]:
    """Run one query on the published copy and yield its rows in batches.

    Args:
        max_rows: how many rows come at most; all when None.
        time_limit_s: stop the query after N seconds.

    Raises:
        UsageError: nothing is published, or the text is not one query that only reads.
        StepFailed: the query ran out of memory or time.
    """
    with query_opened(open_for_query(home, sql), sql, max_rows=max_rows, time_limit_s=time_limit_s) as reader:
        yield reader


@contextmanager
def query_opened(
    opened: AbstractContextManager[duckdb.DuckDBPyConnection],
    sql: str,
    *,
    max_rows: int | None = None,
    time_limit_s: float | None = None,
) -> Iterator[pa.RecordBatchReader]:
    """Run one query on a reader's connection, which is closed afterwards (see `query`).

    The time limit is an interrupt, which some functions do not notice: see `stoppable` and `query_process`.
    """
    with opened as connection:
        checked = check(connection, sql)
        timer = threading.Timer(time_limit_s, connection.interrupt) if time_limit_s else None
        if timer:
            timer.start()
        try:
            result = connection.execute(checked)
            reader = result.to_arrow_reader(_BATCH_ROWS)
            yield pa.RecordBatchReader.from_batches(reader.schema, _first(reader, max_rows))
        except duckdb.InterruptException:
            after = f" after {time_limit_s:g} s" if time_limit_s else ""
            raise StepFailed(f"the query was stopped{after}") from None
        except duckdb.OutOfMemoryException:
            raise StepFailed(
                "the query needs more memory than PIVOTS_MEMORY allows: narrow it, or raise that"
            ) from None
        except duckdb.Error as error:
            raise UsageError(one_line(error)) from None
        finally:
            if timer:
                timer.cancel()


def query_table(home: Home, sql: str, *, max_rows: int | None = None, time_limit_s: float | None = None) -> pa.Table:
    """Return all rows of one query (see `query`)."""
    with query(home, sql, max_rows=max_rows, time_limit_s=time_limit_s) as reader:
        return reader.read_all()


def check(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return the text of the one query in `sql`.

    Raises:
        UsageError: the text is empty, has several statements, is no query, or calls a function that acts.
    """
    try:
        sql.encode()
    except UnicodeEncodeError:
        raise UsageError("the query is not valid UTF-8") from None
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise UsageError(one_line(error)) from None
    if len(statements) != 1:
        what = "several statements" if statements else "an empty query"
        raise UsageError(f"{what}: give one query (a dynamic PIVOT needs its values: `pivot t on x in ('a', 'b') ...`)")
    text = statements[0].query
    plain = _EXPLAIN.sub("", text, count=1) if statements[0].type == duckdb.StatementType.EXPLAIN else text
    # a literal and not a parameter: for the first parameter DuckDB imports pandas, which takes half a second
    literal = "'" + plain.replace("'", "''") + "'"
    (serialized,) = connection.execute(f"select json_serialize_sql({literal})").fetchone() or ("",)
    try:
        tree = json.loads(serialized)
        called = sorted(_called(tree))
    except RecursionError:
        raise UsageError("the query is nested too deeply to be checked: write it with fewer levels") from None
    if tree["error"]:
        kind = statements[0].type.name
        raise UsageError(
            f"{kind} is not a query: the published warehouse is read-only (select, describe, show, explain)"
        )
    for name, is_table_function in called:
        if name in _ACTING_FUNCTIONS or (is_table_function and name not in TABLE_FUNCTIONS):
            raise UsageError(f"{name}() is not available here: queries read the published tables and nothing else")
    return text


def _called(node: Any) -> set[tuple[str, bool]]:
    """Return (name in lower case, whether it stands as a table) of every function called in a serialized query."""
    if isinstance(node, list):
        return set().union(*map(_called, node))
    if not isinstance(node, dict):
        return set()
    found = set().union(*map(_called, node.values()))
    if node.get("type") == "TABLE_FUNCTION":
        found.add((str(node["function"]["function_name"]).lower(), True))
    elif "function_name" in node:
        found.add((str(node["function_name"]).lower(), False))
    return found


def _first(reader: pa.RecordBatchReader, max_rows: int | None) -> Iterator[pa.RecordBatch]:
    left = max_rows
    for batch in reader:
        if left is None:
            yield batch
            continue
        if batch.num_rows >= left:
            yield batch.slice(0, left)
            return
        left -= batch.num_rows
        yield batch
