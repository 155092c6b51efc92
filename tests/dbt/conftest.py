"""Scratch homes, and one that is built once for all tests of corpora, pivots and selections."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.corpora.evaluation_results import write_results
from support.corpora.infini_gram_rows import write_answers
from support.corpora.random_rows import VARIABLES, make_corpora, make_corpus, write_corpus, write_vocabulary
from support.homes.built import Built
from support.homes.evaluation_home import Evaluated
from support.homes.raw_home import build, query, write_raw
from support.naive import evaluation as evaluation_naive
from warehouse.base.settings import Home

__all__ = ["VARIABLES", "build", "query", "write_raw"]


HERE = Path(__file__).parent


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that build a warehouse of their own are slow ones: the quick tier builds one, in the tests of the demo."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if HERE in item.path.parents and fixtures & {"built", "evaluated", "other"}:
            item.add_marker(pytest.mark.slow)
