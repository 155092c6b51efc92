"""Counting: exact co-occurrence of words and tokens in the units of a corpus, held to the expected by strata.

`definition` says what the counted tables are, as queries; everything else computes the same rows fast.
"""

from typing import TYPE_CHECKING, Any

from warehouse.counting.options import CountOptions

if TYPE_CHECKING:
    from warehouse.counting.count import CountSummary, count_corpus

__all__ = ["CountOptions", "CountSummary", "count_corpus"]


def __getattr__(name: str) -> Any:
    """Import `count` when it is asked for: it takes the lake's lock, and the kernels run where no database is."""
    if name in ("CountSummary", "count_corpus"):
        from warehouse.counting import count

        return getattr(count, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
