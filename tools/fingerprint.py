"""Hash what a home holds, so that two builds of the same corpus can be compared column by column.

    python tools/fingerprint.py HOME > before.json
    python tools/fingerprint.py HOME --against before.json

Marts are hashed whatever the order of their rows: every column by itself, and whole rows over the columns that both
sides have. Counts and export shards are hashed byte by byte. What a clock decides (speeds, dates) differs between any
two runs: name such columns with `--ignore`.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import duckdb

from warehouse.contract.hashing import file_hash


def fingerprint(home: Path, columns_of: dict[str, list[str]]) -> dict[str, Any]:
    """Return hashes of a home's marts, counts and export shards.

    Args:
        columns_of: columns that whole rows are hashed over, by mart; all of a mart's columns where it is not named.
    """
    marts: dict[str, Any] = {}
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        tables = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts' order by table_name"
        ).fetchall()
        for (table,) in tables:
            described = connection.execute(f"describe marts.{table}").fetchall()
            columns = [row[0] for row in described]
            in_rows = [name for name in columns_of.get(table, columns) if name in columns]
            sums = ", ".join(f"sum(hash({name}::varchar)::hugeint)::varchar" for name in columns)
            row = f"sum(hash(concat_ws(chr(31), {', '.join(in_rows)}))::hugeint)::varchar"
            n_rows, whole, *hashes = connection.execute(f"select count(*), {row}, {sums} from marts.{table}").fetchone()  # type: ignore[misc]
            marts[table] = {"n_rows": n_rows, "rows": whole, "columns": dict(zip(columns, hashes, strict=True))}
    files = {}
    for path in sorted([*(home / "lake" / "counts").rglob("*.parquet"), *(home / "exports").rglob("*")]):
        counted = path.suffix == ".parquet" and path.name != "counts.parquet"  # that one names the run
        if path.is_file() and (counted or path.suffix in (".bin", ".npy")):
            files[str(path.relative_to(home))] = file_hash(path)
    return {"marts": marts, "files": files}


def differences(before: dict[str, Any], after: dict[str, Any], ignored: set[str]) -> list[str]:
    """Say what differs, a line each: lost and new marts and columns, columns and files with other content."""
    lines = []
    for mart in sorted(before["marts"].keys() | after["marts"].keys()):
        old, new = before["marts"].get(mart), after["marts"].get(mart)
        if old is None or new is None:
            lines.append(f"{mart}: only {'after' if old is None else 'before'}")
            continue
        if old["n_rows"] != new["n_rows"]:
            lines.append(f"{mart}: {old['n_rows']} rows, then {new['n_rows']}")
        for name in sorted(old["columns"].keys() | new["columns"].keys()):
            one, other = old["columns"].get(name), new["columns"].get(name)
            if one != other and f"{mart}.{name}" not in ignored and name not in ignored:
                lines.append(f"{mart}.{name}: {'new' if one is None and name not in old['columns'] else 'differs'}")
        if old["rows"] != new["rows"] and not any(line.startswith(f"{mart}.") for line in lines):
            lines.append(f"{mart}: same columns, other rows (or an ignored column differs)")
    for name in sorted(before["files"].keys() | after["files"].keys()):
        if before["files"].get(name) != after["files"].get(name):
            lines.append(f"{name}: differs")  # noqa: PERF401  a line of reading order
    return lines


def main() -> None:
    """Print a home's hashes, or what differs from hashes printed before."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--against", type=Path, help="hashes of another home or time")
    parser.add_argument("--ignore", nargs="*", default=[], help="columns, as name or mart.name")
    options = parser.parse_args()
    if options.against is None:
        print(json.dumps(fingerprint(options.home, {}), indent=1))
        return
    before = json.loads(options.against.read_text())
    shared = {mart: list(described["columns"]) for mart, described in before["marts"].items()}
    after = fingerprint(options.home, shared)
    lines = differences(before, after, set(options.ignore))
    same = len(before["marts"].keys() & after["marts"].keys())
    print("\n".join(lines) or f"equal: {same} marts, {len(after['files'])} files")
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
