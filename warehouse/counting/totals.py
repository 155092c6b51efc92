"""What is known of a corpus before any row of pairs: its strata, and how many units hold each token and word."""

from dataclasses import dataclass

import numpy as np

# the arrays of `Totals`, by name: what is written to and read from a folder of sums
TOTALS = ("stratum_sizes", "token_ids", "stratum_docs", "word_ids", "word_strata")


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Totals of a count. A rank is an index of `token_ids`."""

    strata: list[tuple[str, int]]  # (lang, length_bin), sorted
    stratum_sizes: np.ndarray  # int64[strata], N_k
    token_ids: np.ndarray  # int32[ranks]
    stratum_docs: np.ndarray  # uint32[ranks, strata], n_k(x)
    word_ids: np.ndarray  # int64[words], ascending
    word_strata: np.ndarray  # int32[words, strata], n_k(w); of the sample, when there is one
    n_tokens: int

    @property
    def n_units(self) -> int:
        """N."""
        return int(self.stratum_sizes.sum())

    @property
    def n_docs(self) -> np.ndarray:
        """int64[ranks], n(x)."""
        return self.stratum_docs.sum(axis=1, dtype=np.int64)

    @property
    def n_word_docs(self) -> np.ndarray:
        """int64[words], n(w)."""
        return self.word_strata.sum(axis=1, dtype=np.int64)
