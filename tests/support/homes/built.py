"""A home with random corpora, built, and the corpora as they were drawn."""

from dataclasses import dataclass, field
from typing import Any

from support.corpora.random_rows import Corpus
from support.homes.raw_home import query
from warehouse.base.settings import Home


@dataclass(frozen=True)
class Built:
    """A home with several random corpora, built, and the corpora as they were drawn."""

    home: Home
    corpora: list[Corpus]
    infini_gram: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # answers of an index, by run

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return query(self.home, sql)
