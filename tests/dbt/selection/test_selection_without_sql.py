"""The rules of `warehouse.planted.selection` choose the documents that the marts choose."""

import numpy as np
import pytest

from support.corpora.random_rows import VARIABLES
from support.homes.built import Built
from warehouse.planted import selection
from warehouse.planted.selection import Documents, eligible, hash_units, select, smoothed_densities

_STRATEGIES = {"original": False, "random_multilingual": True, "planted_truth": True}


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The random corpora are built with other variables than the defaults."""
    monkeypatch.setattr(selection, "HELD_OUT_SHARE", VARIABLES["held_out_share"])
    monkeypatch.setattr(selection, "MIN_DOCUMENT_TOKENS", VARIABLES["min_document_tokens"])
    monkeypatch.setattr(selection, "DENSITY_PSEUDO_TOKENS", VARIABLES["density_pseudo_tokens"])
    monkeypatch.setattr(selection, "LANGUAGE_TEMPERATURE", VARIABLES["language_temperature"])
    monkeypatch.setattr(selection, "MULTILINGUAL_MIN_SHARE", VARIABLES["multilingual_min_share"])


def documents_of(built: Built, corpus: str) -> Documents:
    rows = built.rows(f"from marts.dim_documents where corpus = '{corpus}' order by doc_id")
    return Documents(
        np.array([row["doc_id"] for row in rows], np.int64),
        np.array([row["content_hash"] for row in rows], np.int64),
        np.array([row["lang"] for row in rows]),
        np.array([row["n_tokens"] for row in rows], np.int64),
    )


def eligible_of(documents: Documents) -> Documents:
    return documents.of(eligible(documents, hash_units(documents.content_hashes, "held_out")))


def test_eligible_documents_are_those_of_the_mart(built: Built) -> None:
    n_left_out = 0
    for corpus in built.corpora:
        documents = documents_of(built, corpus.name)
        rows = built.rows(f"from marts.dim_documents where corpus = '{corpus.name}' and is_eligible")
        chosen = eligible_of(documents)
        assert set(chosen.doc_ids.tolist()) == {row["doc_id"] for row in rows}
        n_left_out += len(documents) - len(chosen)
    assert n_left_out


@pytest.mark.parametrize("strategy", _STRATEGIES)
def test_every_budget_takes_the_documents_of_the_mart(built: Built, strategy: str) -> None:
    n_compared = 0
    for corpus in built.corpora:
        name = corpus.name
        documents = eligible_of(documents_of(built, name))
        if strategy == "planted_truth":
            rows = built.rows(
                f"from marts.fct_document_rankings where corpus = '{name}' and pivot_set = 'planted_truth'"
            )
            marked = {row["doc_id"]: row["n_pivot_tokens"] for row in rows}
            if not marked:
                continue
            keys = -smoothed_densities(documents, np.array([marked[i] for i in documents.doc_ids.tolist()]))
        else:
            keys = hash_units(documents.doc_ids, f"{strategy}:0")
        mart = built.rows(f"from marts.fct_selected_documents where corpus = '{name}' and strategy = '{strategy}'")
        total = int(documents.n_tokens.sum())
        for budget in (1, total // 10, total // 3, 9 * total // 10, total, 2 * total):
            taken = select(documents, keys, is_multilingual=_STRATEGIES[strategy], budget_tokens=budget)
            wanted = {row["doc_id"] for row in mart if row["min_budget_tokens"] <= budget}
            assert set(documents.doc_ids[taken].tolist()) == wanted, (name, budget)
            n_compared += len(wanted)
    assert n_compared > 100
