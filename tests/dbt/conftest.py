"""Scratch homes, and one that is built once for all tests of corpora, pivots and selections."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import evaluation_naive
import pytest
from evaluation_home import Evaluated
from evaluation_results import write_results
from infini_gram_rows import write_answers
from random_corpus import VARIABLES, Corpus, make_corpora, make_corpus, write_corpus, write_vocabulary
from raw_home import build, query, write_raw

from warehouse.settings import Home

__all__ = ["VARIABLES", "build", "query", "write_raw"]


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
    corpora = make_corpora()
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
