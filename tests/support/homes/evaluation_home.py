"""A built home with random evaluation results, and what several tests read from it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from support.corpora.evaluation_results import DIRECTIONS, Rows
from support.homes.raw_home import query
from support.naive import evaluation as naive
from warehouse.base.settings import Home


@dataclass(frozen=True)
class Evaluated:
    """A built home and the result rows that were written to it."""

    home: Home
    written: dict[str, Rows]
    statuses: dict[str, int]

    def rows(self, sql: str) -> Rows:
        return query(self.home, sql)

    def by(self, sql: str, *keys: str) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Return the query's rows by their key, which must be unique."""
        rows = self.rows(sql)
        found = {tuple(row[key] for key in keys): row for row in rows}
        assert len(found) == len(rows), f"{keys} is no key of: {sql}"
        return found


def close(expected: float | None) -> Any:
    return None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-11)


def classes(evaluated: Evaluated) -> dict[naive.Key, dict[str, str]]:
    """Return word -> class -> value."""
    counts = evaluated.rows("from marts.fct_word_pair_cooccurrence")
    n_tokens = {
        row["lang"]: row["n"]
        for row in evaluated.rows("select lang, sum(n_tokens)::bigint as n from raw.documents group by 1")
    }
    rarest = {direction: min(n_tokens[lang] for lang in direction) for direction in DIRECTIONS}
    median = float(np.median(list(rarest.values())))
    kinds = {row["item_id"]: row for row in evaluated.rows("from raw.planted_concepts")}

    def band(n: int) -> str:
        return "0" if n == 0 else ["1-9", "10-99", "100-999", "1000+"][min(len(str(n)) - 1, 3)]

    return {
        naive.key_of(row): {
            "kind": kinds[row["item_id"]]["kind"],
            "role": kinds[row["item_id"]]["role"],
            "shared_docs": band(row["n_docs_both"]),
            "target_docs": band(row["n_docs_target"]),
            "pair": "-".join(sorted((row["source_lang"], row["target_lang"]))),
            "resource": "high" if rarest[row["source_lang"], row["target_lang"]] > median else "low",
        }
        for row in counts
    }


def predictors(evaluated: Evaluated) -> dict[naive.Key, dict[str, int]]:
    return {
        naive.key_of(row): {
            "pair_count": row["n_docs_both"],
            "target_frequency": row["n_docs_target"],
            "source_frequency": row["n_docs_source"],
        }
        for row in evaluated.rows("from marts.fct_word_pair_cooccurrence")
    }
