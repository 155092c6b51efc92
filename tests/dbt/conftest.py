"""Scratch homes, and one that is built once for all tests of corpora, pivots and selections."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import evaluation_naive
import pytest
from evaluation_home import Evaluated
from evaluation_results import write_results
from infini_gram_rows import write_answers
from random_corpus import Corpus, make_corpus, write_corpus, write_vocabulary
from raw_home import build, query, write_raw

from warehouse.settings import Home

__all__ = ["build", "query", "write_raw"]

# Small enough that every threshold, cut and cap of the models does something on corpora of some hundred documents.
VARIABLES: dict[str, Any] = {
    "max_candidates": 12,
    "quality_top_ks": [1, 3, 10],
    "quality_min_units": 4,
    "pivot_set_max_share": 0.5,
    "pairs_top_k": 4,
    "pairs_size": 15,
    "pairs_min_score": 1.0,
    "pairs_paper_top_k": 6,
    "adjacency_threshold": 0.05,
    "adjacency_size": 20,
    "adjacency_small_size": 5,
    "bridge_min_z": 0.5,
    "bridge_min_units": 5,
    "bridge_min_joint_units": 2,
    "bridge_min_language_share": 0.4,
    "bridge_size": 20,
    "bridge_small_size": 5,
    "held_out_share": 0.1,
    "min_document_tokens": 4,
    "density_pseudo_tokens": 20,
    "bridging_set": "bridge_small",
    "bridging_window_tokens": 8,
    "language_temperature": 0.3,
    "multilingual_min_share": 0.15,
    "summary_budget_share": 0.3,
}


@dataclass(frozen=True)
class Built:
    """A home with several random corpora, built, and the corpora as they were drawn."""

    home: Home
    corpora: list[Corpus]
    infini_gram: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # answers of an index, by run

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return query(self.home, sql)


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Home]:
    """Return a function that makes an empty home with a name."""
    return lambda name: Home(tmp_path_factory.mktemp(name, numbered=True))


@pytest.fixture(scope="session")
def built(new_home: Callable[[str], Home]) -> Built:
    """Four corpora that share a vocabulary: balanced with truth, mixed codes, one language, hardly anything."""
    home = new_home("random-corpora")
    corpora = [
        make_corpus("balanced", 1, n_docs=400, languages=["en", "fr", "ja", "zh"], planted=True),
        make_corpus("mixed", 2, n_docs=250, languages=["en", "en", "en", "fr", "en-fr", "en-zh", "und", "mul"]),
        make_corpus("single", 3, n_docs=120, languages=["ja"]),
        make_corpus("tiny", 4, n_docs=3, languages=["en", "fr"]),
    ]
    write_vocabulary(home)
    for corpus in corpora:
        write_corpus(home, corpus)
    far = make_corpus("far", 5, n_docs=100, languages=["en", "ja"])  # known from an index only
    answers = {
        "local": write_answers(home, corpora[0], run_id="local", seed=1, has_docs=True),
        "api": write_answers(home, corpora[1], run_id="api", seed=2, has_docs=False),
        "far": write_answers(home, far, run_id="far", seed=3, has_docs=False),
    }
    # the tests of the SQL itself run on their own: here it is held to Python
    build(home, "+path:models/marts/corpus", "+path:models/marts/pivots", "+path:models/marts/selection", **VARIABLES)
    return Built(home, corpora, answers)


@pytest.fixture(scope="session")
def evaluated(new_home: Callable[[str], Home]) -> Evaluated:
    """An experiment with random results."""
    home = new_home("evaluation")
    written = write_results(home, seed=7)
    return Evaluated(home, written, build(home))


@pytest.fixture(scope="session")
def scores(evaluated: Evaluated) -> dict[str, dict[evaluation_naive.Key, dict[str, Any]]]:
    """The experiment's naive item scores: run -> word -> score, rank and chance."""
    return evaluation_naive.item_scores(evaluated.written["word_scores"])
