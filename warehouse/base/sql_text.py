"""Text as it has to be written inside SQL, where a value cannot be bound as a parameter."""

from pathlib import Path


def literal(text: str | Path) -> str:
    """Return a string of standard SQL (DuckDB, PostgreSQL): quotes within it are doubled."""
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return the name of a table or column in standard SQL, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def spark_literal(text: str | Path) -> str:
    """Return a string of Spark SQL, where a backslash escapes what follows it."""
    return "'" + str(text).replace("\\", "\\\\").replace("'", "\\'") + "'"


def spark_identifier(name: str) -> str:
    """Return the name of a table or column in Spark SQL, whatever it holds."""
    return "`" + name.replace("`", "``") + "`"
