"""What `sqlfluff` puts in place of dbt's `adapter`, so that lint needs neither a warehouse nor a compiled manifest."""

from collections.abc import Callable

# Macros that stand for a whole query rather than for an expression.
QUERIES = {"integer_series"}


def dispatch(macro_name: str, package: str) -> Callable[..., str]:
    """Return a macro that renders a stand-in: the dispatched SQL itself is not linted."""
    rendered = f"select {macro_name}_value" if macro_name in QUERIES else f"{macro_name}_value"
    return lambda *arguments, **options: rendered
