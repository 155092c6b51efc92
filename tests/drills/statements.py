"""Ten thousand hostile statements on the connection that readers get: nothing is read, written, attached or endless.

    PYTHONPATH=.:tests python -m drills.statements --n 10000

Statements are trees that sqlglot makes and writes as DuckDB's SQL: every function that DuckDB has, called with paths,
SQL text, settings and large numbers, as a value, a table, an argument or a lateral join, inside subqueries, CTEs,
unions and set operations; and every kind of statement that does something. Each runs with a limit of one second in a
process that is killed when it does not end (as the dashboard does it). Of each is checked that

* a secret in a file beside the home, in the environment and in the writer's file is in no answer,
* no file appeared, changed or went away, in the home or in the folder that statements name,
* it ended: with rows, refused in one line, or killed.

Prints counts and failures as JSON; exit code 1 when there is a failure.
"""

import json
import multiprocessing as mp
import os
import random
import sys
import tempfile
import time
from collections import Counter
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from drills.command_line import parser_of, write_out
from support.homes.handmade import published_home
from warehouse.base.errors import StepFailed, UsageError
from warehouse.base.settings import Home

_LIMIT_S, _GRACE_S = 1.0, 2.0
_SECRET = "5ecre7-of-the-drill"
_TABLES = ("marts.dim_tokens", "marts.fct_pivot_scores", "raw.documents", "duckdb_secrets()", "pg_catalog.pg_class")
_ACTIONS = (
    "copy (select 1) to '{path}/out.csv'",
    "copy marts.dim_tokens from '{path}/secret.csv'",
    "export database '{path}/out'",
    "import database '{path}'",
    "attach '{path}/other.duckdb' as other",
    "attach ':memory:' as other",
    "detach memory",
    "use memory",
    "install httpfs",
    "load httpfs",
    "set allowed_directories = ['{path}']",
    "set enable_external_access = true",
    "set lock_configuration = false",
    "reset enable_external_access",
    "pragma enable_profiling",
    "pragma database_list",
    "call pragma_version()",
    "call enable_logging()",
    "create table t as select 1 as a",
    "create or replace temp table t as select 1 as a",
    "create secret s (type s3, key_id 'a', secret 'b')",
    "create macro f(a) as a",
    "create view v as select 1",
    "create type mood as enum ('a')",
    "create sequence s",
    "drop table marts.dim_tokens",
    "drop schema marts cascade",
    "alter table marts.dim_tokens add column a integer",
    "insert into marts.dim_tokens select * from marts.dim_tokens",
    "update marts.dim_tokens set token = 'x'",
    "delete from marts.dim_tokens",
    "truncate marts.dim_tokens",
    "begin transaction",
    "commit",
    "checkpoint",
    "vacuum",
    "analyze",
    "prepare p as select 1",
    "execute p",
    "comment on table marts.dim_tokens is 'x'",
    "explain analyze delete from marts.dim_tokens",
    "explain copy (select 1) to '{path}/out.csv'",
    "describe select * from read_text('{path}/secret.csv')",
    "summarize '{path}/secret.csv'",
    "from '{path}/secret.csv'",
    "select * from '{path}/secret.csv'",
    "select 1; select * from read_text('{path}/secret.csv')",
    "with a as (delete from marts.dim_tokens returning *) select * from a",
    "select * from query('select * from read_text(''{path}/secret.csv'')')",
    "select * from query_table('{path}/secret.csv')",
    "merge into marts.dim_tokens using (select 1) on true when matched then delete",
)


def main() -> None:
    """Run the drill that the arguments ask for."""
    parser = parser_of(__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="statements-") as scratch:
        outcome = drill(Path(scratch).resolve(), arguments.n, arguments.seed)
    print(json.dumps(outcome, indent=1))
    write_out(arguments.out, outcome)
    sys.exit(bool(outcome["failures"]))


def drill(folder: Path, n: int, seed: int) -> dict[str, Any]:
    """Run `n` statements against a published home below `folder`; return what came of them."""
    home, named = published_home(folder / "home"), folder / "named"
    named.mkdir()
    (named / "secret.csv").write_text(f"a,b\n{_SECRET},1\n")
    os.environ["DRILL_SECRET"] = _SECRET
    with duckdb.connect(str(home.warehouse_file)) as connection:
        connection.execute(f"create table kept_back as select '{_SECRET}' as a")
    before = _files(folder)
    ends: Counter[str] = Counter()
    failures: list[str] = []
    reader = _Reader(home)
    began = time.monotonic()
    for number in range(n):
        sql = statement(random.Random(f"{seed} {number}"), str(named))
        how, answer = reader.ask(sql)
        ends[how] += 1
        if _SECRET in answer:
            failures.append(f"read: {sql}")
        if how not in ("rows", "refused", "killed"):
            failures.append(f"{how}: {answer[:200]}: {sql}")
        if (after := _files(folder)) != before:
            changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
            failures.append(f"changed {', '.join(changed[:3])}: {sql}")
            before = after
    reader.stop()
    return {"n": n, "seed": seed, "seconds": round(time.monotonic() - began), "ends": dict(ends), "failures": failures}


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "/tmp/" not in path.relative_to(folder).as_posix()
    }


class _Reader:
    """A process that answers one statement after the other, killed and started again when one does not end."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._start()

    def _start(self) -> None:
        self._pipe, other = mp.get_context("fork").Pipe()
        self._process = mp.get_context("fork").Process(target=_answer, args=(self._home, other), daemon=True)
        self._process.start()
        other.close()

    def ask(self, sql: str) -> tuple[str, str]:
        """Return how a statement ended, and what it said."""
        self._pipe.send(sql)
        if self._pipe.poll(_LIMIT_S + _GRACE_S):
            try:
                how, answer = self._pipe.recv()
                return how, answer
            except EOFError:
                how = f"the process ended with {self._process.exitcode}"
        else:
            how = "killed"
        self.stop()
        self._start()
        return how, ""

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def _answer(home: Home, pipe: Connection) -> None:
    from warehouse.serving.sql import query_table

    while True:
        try:
            sql = pipe.recv()
        except EOFError:
            return
        try:
            rows = query_table(home, sql, max_rows=50, time_limit_s=_LIMIT_S)
            pipe.send(("rows", str(rows.to_pylist())[:1_000_000]))
        except (UsageError, StepFailed) as problem:
            said = str(problem)
            pipe.send(("refused" if "\n" not in said else "more than one line", said))
        except Exception as error:
            pipe.send((f"traceback of {type(error).__name__}", str(error)))


def statement(rng: random.Random, path: str) -> str:
    """Return one statement."""
    if rng.random() < 0.25:
        text = rng.choice(_ACTIONS).format(path=path)
        return _disguised(rng, text)
    tree = _query(rng, path, depth=rng.randint(0, 3))
    return _disguised(rng, tree.sql(dialect="duckdb", comments=False))


def _disguised(rng: random.Random, sql: str) -> str:
    """Return the same statement as somebody writes it who hopes that a check looks at text."""
    match rng.randrange(8):
        case 0:
            return sql.upper() if "'" not in sql else sql
        case 1:
            return sql.replace(" ", "/**/", rng.randint(1, 3))
        case 2:
            return f"-- select 1;\n{sql}"
        case 3:
            return f"explain {sql}"
        case 4:
            return f"({sql})"
        case _:
            return sql


def _query(rng: random.Random, path: str, depth: int) -> exp.Query:
    source = _source(rng, path, depth)
    found: exp.Query = sqlglot.select(*(_value(rng, path, depth) for _ in range(rng.randint(1, 3)))).from_(source)
    if rng.random() < 0.3:
        found = found.where(exp.EQ(this=_value(rng, path, depth), expression=_value(rng, path, 0)))
    if rng.random() < 0.2 and depth:
        found = found.union(_query(rng, path, depth - 1), distinct=bool(rng.randrange(2)))
    if rng.random() < 0.2 and depth:
        inner = _query(rng, path, depth - 1)
        found = sqlglot.select("*").from_("c").with_("c", as_=inner, dialect="duckdb")
    return found


def _source(rng: random.Random, path: str, depth: int) -> exp.Expression:
    kind = rng.randrange(4)
    if kind == 0 and depth:
        return _query(rng, path, depth - 1).subquery("q")
    if kind == 1:
        return exp.to_table(rng.choice(_TABLES[:3]))
    return exp.Table(this=_call(rng, path, depth, tables=True), alias=exp.TableAlias(this=exp.to_identifier("t")))


def _value(rng: random.Random, path: str, depth: int, kind: str = "ANY") -> exp.Expression:
    """Return an expression, most often of a type that DuckDB takes where `kind` is asked for."""
    if depth and rng.random() < 0.5:
        if rng.random() < 0.2:
            return _query(rng, path, depth - 1).subquery()
        return _call(rng, path, depth - 1, tables=False)
    if "[]" in kind or kind == "LIST":
        return exp.array(*(_value(rng, path, 0, "VARCHAR") for _ in range(2)), dialect="duckdb")
    if kind == "BOOLEAN":
        return exp.Boolean(this=bool(rng.randrange(2)))
    if any(word in kind for word in ("INT", "DOUBLE", "DECIMAL", "FLOAT")):
        return exp.Literal.number(rng.choice((0, 1, 2, 7, 1 << 31, 1 << 62, 100_000_000)))
    texts = (
        f"{path}/secret.csv",
        f"{path}/out-{rng.randrange(9)}",
        f"{path}/*",
        "DRILL_SECRET",
        "select * from kept_back",
        "enable_external_access",
        "a" * 300,
        "2020-01-01",
        '{"a": [1, 2]}',
    )
    if kind == "ANY" and rng.random() < 0.3:
        return rng.choice((exp.Null(), exp.Literal.number(rng.randrange(1 << 40)), exp.column("token")))
    return exp.Literal.string(rng.choice(texts))


def _call(rng: random.Random, path: str, depth: int, *, tables: bool) -> exp.Expression:
    """Return a call of one of DuckDB's functions, most often with arguments of its types, sometimes with others."""
    kinds = ("table", "pragma", "table_macro") if tables else ("scalar", "aggregate", "macro", "table")
    name, types = rng.choice(_functions(kinds))
    if tables and rng.random() < 0.5:
        name, types = rng.choice((("range", ["BIGINT"]), ("unnest", ["LIST"]), ("repeat", ["ANY", "BIGINT"])))
    if rng.random() < 0.1:
        types = ["ANY"] * rng.randrange(4)
    return exp.Anonymous(this=name, expressions=[_value(rng, path, depth, kind) for kind in types])


@cache
def _functions(kinds: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """Return name and types of parameters of DuckDB's functions of some kinds."""
    with duckdb.connect() as connection:
        return connection.execute(
            "select distinct function_name, list_transform(parameter_types, t -> coalesce(t, 'ANY'))"
            " from duckdb_functions() where list_contains(?, function_type)"
            " and regexp_matches(function_name, '^[a-z_0-9]+$') order by all",
            [list(kinds)],
        ).fetchall()


if __name__ == "__main__":
    main()
