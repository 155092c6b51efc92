"""Counts by stratum: as raw tables, and as what the kernels need for E and Var (method sections 2 to 4)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from warehouse.counting.tables.writer import Columns
from warehouse.counting.units.corpus_units import Corpus

_LANES = 16


@dataclass
class Expectation:
    """r_k(x) = n_k(x)/N_k of all tokens, twice: exact and sparse for the result, rough and dense to skip cells fast."""

    starts: np.ndarray  # int64[ranks + 1]: the strata of rank x are entries [starts[x], starts[x + 1])
    strata: np.ndarray  # int32[entries], ascending within a rank
    rates: np.ndarray  # float64[entries]
    max_rates: np.ndarray  # float64[ranks], the largest r_k(x)
    rough: np.ndarray  # float32[ranks, strata rounded up to a multiple of the vector length]
    sizes: np.ndarray  # float64[strata], N_k
    margin: float  # a rough E times (1 - margin) is never above the exact one


def expectation(corpus: Corpus, order: np.ndarray | None = None) -> Expectation:
    """Prepare the tables of a corpus, its tokens in the order of their ranks or in that of `order`, ranks."""
    stratum_docs = corpus.stratum_docs if order is None else corpus.stratum_docs[order]
    n_ranks, n_strata = stratum_docs.shape
    ranks, strata = np.nonzero(stratum_docs)
    rates = stratum_docs[ranks, strata] / corpus.stratum_sizes[strata]
    width = -(-n_strata // _LANES) * _LANES
    rough = np.zeros((n_ranks, width), np.float32)
    rough[ranks, strata] = rates
    max_rates = np.zeros(n_ranks)
    np.maximum.at(max_rates, ranks, rates)
    return Expectation(
        starts=np.searchsorted(ranks, np.arange(n_ranks + 1)),
        strata=strata.astype(np.int32),
        rates=rates,
        max_rates=max_rates,
        rough=rough,
        sizes=corpus.stratum_sizes.astype(np.float64),
        # each of `width` float32 additions of positive terms, and each factor, is off by at most 2^-24 of the sum
        margin=(width + 4) * 2.0**-23,
    )


def strata_tables(corpus: Corpus) -> Iterator[tuple[str, Columns]]:
    """Yield the additive tables with their rows, sorted: N_k, n_k(x) and n_k(w)."""
    langs = np.array([lang for lang, _ in corpus.strata])
    bins = np.array([length_bin for _, length_bin in corpus.strata], np.int32)
    held = corpus.stratum_sizes > 0  # a stratum whose last unit was removed does not count
    yield "strata", {"lang": langs[held], "length_bin": bins[held], "n_docs": corpus.stratum_sizes[held]}
    by_token_id = np.argsort(corpus.token_ids)
    by_stratum = corpus.stratum_docs[by_token_id].T
    strata, tokens = np.nonzero(by_stratum)
    columns = {"lang": langs[strata], "length_bin": bins[strata]}
    n_docs = by_stratum[strata, tokens].astype(np.int64)
    yield "token_documents", columns | {"token_id": corpus.token_ids[by_token_id][tokens], "n_docs": n_docs}
    strata, words = np.nonzero(corpus.word_strata.T)
    columns = {"lang": langs[strata], "length_bin": bins[strata]}
    n_docs = corpus.word_strata[words, strata].astype(np.int64)
    yield "word_strata", columns | {"word_id": corpus.word_ids[words], "n_docs": n_docs}
