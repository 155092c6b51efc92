"""Marts of infini-gram counts against plain Python on random answers, beside random corpora and without them."""

import itertools
from collections import Counter, defaultdict
from statistics import correlation
from typing import Any

import pytest

from support.corpora.evaluation_results import word_id
from support.corpora.infini_gram_rows import MAX_CLAUSE_FREQ
from support.corpora.random_rows import items
from support.homes.built import Built
from support.homes.evaluation_home import Evaluated
from support.naive import evaluation as evaluation_naive

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def marts(built: Built) -> dict[tuple[Any, ...], dict[str, Any]]:
    rows = built.rows("select * from marts.fct_infini_gram_cooccurrence")
    keys = [(row["run_id"], row["item_id"], row["source_lang"], row["target_lang"]) for row in rows]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, rows, strict=True))


def naive(built: Built) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return what the mart should hold, by its key: loops over items and answers."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for run_id, answers in built.infini_gram.items():
        corpus = next((c for c in built.corpora if c.name == answers[0]["corpus"]), None)
        words = {r["word_id_a"]: r for r in answers if r.get("word_id_a") and not r.get("word_id_b")}
        pairs = {(r["word_id_a"], r["word_id_b"]): r for r in answers if r.get("word_id_b")}
        for (item, lang, word), (other_item, other_lang, other) in itertools.permutations(items(), 2):
            if item != other_item or word not in words or other not in words:
                continue
            a, b = words[word], words[other]
            answer = pairs.get((min(word, other), max(word, other)))
            if 0 in (a["n_occurrences"], b["n_occurrences"]):
                both, docs = 0, 0 if a["n_docs"] is not None else None
            elif a["query"] == b["query"]:
                both, docs = a["n_occurrences"], a["n_docs"]
            elif answer:
                both, docs = answer["n_occurrences"], answer["n_docs"]
            else:
                continue
            found[run_id, item, lang, other_lang] = {
                "n_occurrences_source": a["n_occurrences"],
                "n_occurrences_target": b["n_occurrences"],
                "n_occurrences_both": both,
                "max_diff_tokens": answers[0]["max_diff_tokens"],
                "n_docs_both": docs,
                "is_approx": bool(answer and answer["is_approx"]),
                "is_sampled": bool(answer) and max(a["n_occurrences"], b["n_occurrences"]) > MAX_CLAUSE_FREQ,
                "counted_docs_both": corpus and len(corpus.with_word(word) & corpus.with_word(other)),
                "counted_docs_source": corpus and len(corpus.with_word(word)),
            }
    return found


def test_pairs_are_those_of_plain_python(built: Built, marts: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    expected = naive(built)
    assert marts.keys() == expected.keys()
    for key, row in marts.items():
        wanted = expected[key]
        assert {column: row[column] for column in wanted} == wanted, key
        least = min(row["n_occurrences_source"], row["n_occurrences_target"])
        assert row["rarer_word_rate"] == (row["n_occurrences_both"] / least if least else None)
    cases = {(row["is_approx"], row["is_sampled"], row["n_docs_both"] is None) for row in marts.values()}
    assert len(cases) >= 4
    assert {row["counted_docs_both"] is None for row in marts.values()} == {True, False}


def test_agreement_is_that_of_plain_python(built: Built, marts: dict[tuple[Any, ...], dict[str, Any]]) -> None:
    values: dict[tuple[str, ...], list[tuple[int, int]]] = defaultdict(list)
    for (run_id, _, source, target), row in marts.items():
        for measure, counted in (
            ("n_occurrences_source", "counted_docs_source"),
            ("n_occurrences_both", "counted_docs_both"),
            ("n_docs_source", "counted_docs_source"),
            ("n_docs_both", "counted_docs_both"),
        ):
            if row[measure] is not None and row[counted] is not None:
                for langs in ((source, target), ("all", "all")):
                    values[run_id, *langs, measure].append((row[measure], row[counted]))
    rows = built.rows("select * from marts.fct_infini_gram_agreement")
    assert {(r["run_id"], r["source_lang"], r["target_lang"], r["measure"]) for r in rows} == values.keys()
    for row in rows:
        pairs = values[row["run_id"], row["source_lang"], row["target_lang"], row["measure"]]
        ours, exact = (list(side) for side in zip(*pairs, strict=True))
        assert row["n_pairs"] == len(pairs)
        assert row["n_equal"] == sum(a == b for a, b in pairs)
        assert row["n_missed"] == sum(a == 0 < b for a, b in pairs)
        assert row["n_spurious"] == sum(b == 0 < a for a, b in pairs)
        assert row["total_ratio"] == (pytest.approx(sum(ours) / sum(exact)) if sum(exact) else None)
        if len(set(ours)) > 1 and len(set(exact)) > 1:
            assert row["rank_correlation"] == pytest.approx(correlation(ranks(ours), ranks(exact)), abs=1e-8)
        else:
            assert row["rank_correlation"] is None


def test_auc_is_that_of_plain_python(evaluated: Evaluated) -> None:
    answers = evaluated.written["infini_gram_counts"]
    n_words = {row["word_id_a"]: row["n_occurrences"] for row in answers if "word_id_b" not in row}
    n_pairs = {(row["word_id_a"], row["word_id_b"]): row["n_occurrences"] for row in answers if "word_id_b" in row}
    keys = ("run_id", "source_lang", "target_lang", "behaviour_definition", "predictor")
    found = evaluated.by("from marts.fct_infini_gram_auc", *keys)
    n_compared = n_left_out = 0
    for run, words in evaluation_naive.behaviours(evaluated.written["layer_traces"]).items():
        for definition in ("peak", "threshold"):
            for predictor in ("pair_count", "target_frequency", "source_frequency"):
                classes: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
                left_out: Counter[tuple[str, str]] = Counter()
                for key, word in words.items():
                    source, target = word_id(key.item, key.source), word_id(key.item, key.target)
                    if source not in n_words or target not in n_words or word[definition] in ("excluded", "unread"):
                        continue
                    pair = (min(source, target), max(source, target))
                    both = n_pairs.get(pair, 0 if 0 in (n_words[source], n_words[target]) else None)
                    if both is None:  # not asked for yet
                        continue
                    if predictor == "pair_count" and pair in n_pairs and max(n_words[source], n_words[target]) > 12:
                        left_out[key.direction] += 1
                        continue
                    value = {"pair_count": both, "target_frequency": n_words[target]}.get(predictor, n_words[source])
                    classes[key.direction][word[definition]].append(value)
                for direction, labelled in classes.items():
                    row = found[run, *direction, definition, predictor]
                    positives, negatives = labelled["cooccurrence"], labelled["pivot"]
                    assert (row["n_cooccurrence"], row["n_pivot"]) == (len(positives), len(negatives))
                    assert row["n_left_out"] == left_out[direction]
                    auc, _ = evaluation_naive.auc_and_error(positives, negatives)
                    assert row["auc"] == (None if auc is None else pytest.approx(auc))
                    n_compared, n_left_out = n_compared + (auc is not None), n_left_out + left_out[direction]
    assert n_compared > 20
    assert n_left_out > 20


def ranks(values: list[int]) -> list[float]:
    return [sum(v < value for v in values) + (sum(v == value for v in values) + 1) / 2 for value in values]
