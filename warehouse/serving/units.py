"""What a corpus's counts count, in words: whole documents, or windows of them. Readers' sentences take it from here."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from warehouse.serving import queries

_WINDOW = "window_"


@dataclass(frozen=True)
class UnitName:
    """The unit of a count as sentences say it.

    Attributes:
        plural: one word: documents, windows, or units where counts of several units stand together.
        described: the same with its length: `windows of 2,048 tokens`.
    """

    plural: str
    described: str

    @property
    def is_document(self) -> bool:
        """Whether whole documents are counted."""
        return self.plural == DOCUMENTS.plural


DOCUMENTS = UnitName("documents", "documents")


def unit_name(units: Iterable[str]) -> UnitName:
    """Return how to call what stands in `raw.counts.unit` (`document`, `window_<tokens>`); documents when nothing does.

    Raises:
        ValueError: a unit is neither.
    """
    names = {_unit_name(unit) for unit in units}
    if len(names) > 1:
        described = ", ".join(sorted(name.described for name in names))
        return UnitName("units", f"units ({described})")
    return names.pop() if names else DOCUMENTS


def corpus_unit(warehouse: Any, *corpora: str) -> UnitName:
    """Return what the published counts of some corpora count."""
    return unit_name(
        row["unit"] for corpus in corpora for row in queries.current_counts(warehouse, corpus).to_pyarrow().to_pylist()
    )


def _unit_name(unit: str) -> UnitName:
    if unit == "document":
        return DOCUMENTS
    if not unit.startswith(_WINDOW):
        raise ValueError(f"raw.counts.unit is {unit!r}: neither document nor {_WINDOW}<tokens>")
    return UnitName("windows", f"windows of {int(unit.removeprefix(_WINDOW)):,} tokens")
