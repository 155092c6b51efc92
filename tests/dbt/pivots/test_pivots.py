"""Pair counts, candidates and their quality against naive Python."""

import itertools
import math
from collections import defaultdict
from typing import Any

import pytest

from support.corpora.random_rows import (
    BLANK,
    LANGUAGES,
    N_ITEMS,
    N_TOKENS,
    SPECIAL,
    VARIABLES,
    Corpus,
    expected_units,
    hash_unit,
    items,
    word_forms,
    word_id,
)
from support.homes.built import Built

Pair = tuple[str, int, str, str]  # corpus, item_id, lang_a, lang_b


def item_words() -> dict[int, dict[str, int]]:
    words: dict[int, dict[str, int]] = defaultdict(dict)
    for item, lang, word in items():
        words[item][lang] = word
    return words


def own_tokens(word: int) -> set[int]:
    by_word = {word_id(i, lang): word_forms(i, lang) for i in range(N_ITEMS) for lang in LANGUAGES}
    return {t for ids in by_word[word].values() for t in ids}


def deviance_root(n: int, expected: float) -> float:
    term = n * math.log(n / expected) if n else 0.0
    return round(math.copysign(1, n - expected) * math.sqrt(max(2 * (term - (n - expected)), 0)), 9)


def finding_roots(corpus: Corpus) -> dict[tuple[str, int], dict[int, float]]:
    """Return (language, token) -> word -> G > 0, over the language's words of find items."""
    roots: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)
    for lang, word in {(lang, word) for item, lang, word in items() if hash_unit(item, "word_split") >= 0.5}:
        of_word = corpus.with_word(word)
        for token in range(N_TOKENS):
            docs = corpus.with_token(token)
            if docs & of_word:
                root = deviance_root(len(docs & of_word), expected_units(corpus, of_word, docs))
                if root > 0:
                    roots[lang, token][word] = root
    return roots


def top_root_mean(of_finding: dict[int, float], word: int, root: float) -> float:
    """Return a fifth of a token's five largest G over the finding words and the word itself."""
    return sum(sorted((of_finding | {word: root}).values())[-5:]) / 5


def naive_candidates(corpus: Corpus) -> dict[tuple[str, Pair], list[tuple[int, float]]]:
    """Return (score method, unordered pair) -> [(token_id, score)], best first, cut."""
    tokens = {t: corpus.with_token(t) for t in range(N_TOKENS) if t not in (SPECIAL, BLANK)}
    found: dict[tuple[str, Pair], list[tuple[int, float]]] = {}
    of_finding = finding_roots(corpus)
    for item, words in item_words().items():
        for lang_a, lang_b in itertools.combinations(sorted(words), 2):
            a, b = corpus.with_word(words[lang_a]), corpus.with_word(words[lang_b])
            if not a or not b:
                continue
            excluded = own_tokens(words[lang_a]) | own_tokens(words[lang_b])
            scores: dict[str, list[tuple[int, float]]] = {"paper": [], "adjusted": [], "specific": []}
            for token, docs in tokens.items():
                if token in excluded or not docs & a or not docs & b:
                    continue
                background = len(docs) / corpus.n_units
                paper = min(len(docs & a) / len(a) - background, len(docs & b) / len(b) - background)
                roots = [deviance_root(len(docs & w), expected_units(corpus, w, docs)) for w in (a, b)]
                adjusted = math.sqrt(max(roots[0], 0) * max(roots[1], 0))
                scores["paper"].append((token, round(paper, 12)))
                scores["adjusted"].append((token, round(adjusted, 9)))
                if min(roots) > 0:
                    weighed = [
                        g * (g / top_root_mean(of_finding.get((lang, token), {}), words[lang], g)) ** 0.25
                        for g, lang in zip(roots, (lang_a, lang_b), strict=True)
                    ]
                    mean = (sum(round(s, 9) ** 0.5 for s in weighed) / 2) ** 2
                    scores["specific"].append((token, round(mean, 9)))
            for method, scored in scores.items():
                best = sorted((t for t in scored if t[1] > 0), key=lambda t: (-t[1], t[0]))
                if best:
                    found[method, (corpus.name, item, lang_a, lang_b)] = best[: VARIABLES["max_candidates"]]
    return found


@pytest.fixture(scope="module")
def naive(built: Built) -> dict[tuple[str, Pair], list[tuple[int, float]]]:
    merged: dict[tuple[str, Pair], list[tuple[int, float]]] = {}
    for corpus in built.corpora:
        merged |= naive_candidates(corpus)
    return merged


def candidates(built: Built) -> dict[tuple[str, Pair], list[dict[str, Any]]]:
    grouped: dict[tuple[str, Pair], list[dict[str, Any]]] = defaultdict(list)
    for row in built.rows("from marts.fct_pivot_candidates order by pivot_rank"):
        pair = (row["corpus"], row["item_id"], row["source_lang"], row["target_lang"])
        grouped[row["score_method"], pair].append(row)
    return grouped


def test_pair_counts_are_those_of_the_documents(built: Built) -> None:
    rows = built.rows("from marts.fct_word_pair_cooccurrence")
    expected = {}
    for corpus in built.corpora:
        for item, words in item_words().items():
            for source, target in itertools.permutations(words, 2):
                s, t = corpus.with_word(words[source]), corpus.with_word(words[target])
                rate = len(s & t) / len(s) if s else None
                expected[corpus.name, item, source, target] = (len(s), len(t), len(s & t), rate)
    names = ("n_docs_source", "n_docs_target", "n_docs_both", "cooccurrence_rate")
    keys = ("corpus", "item_id", "source_lang", "target_lang")
    assert {tuple(r[k] for k in keys): tuple(r[n] for n in names) for r in rows} == expected


def test_candidates_and_ranks_are_the_naive_ones(
    built: Built, naive: dict[tuple[str, Pair], list[tuple[int, float]]]
) -> None:
    got = candidates(built)
    forward = {key: rows for key, rows in got.items() if key[1][2] < key[1][3]}
    assert forward.keys() == naive.keys()
    assert {method for method, _ in naive} == {"paper", "adjusted", "specific"}
    for key, rows in forward.items():
        assert [r["token_id"] for r in rows] == [token for token, _ in naive[key]], key
        assert [r["pivot_score"] for r in rows] == pytest.approx([score for _, score in naive[key]], abs=2e-9), key
        assert [r["pivot_rank"] for r in rows] == list(range(1, len(rows) + 1))


def test_a_pair_has_the_same_candidates_in_both_directions(built: Built) -> None:
    got = candidates(built)
    swapped = [("source_" + rest, "target_" + rest) for rest in ("rate", "z", "deviance_root", "rate_difference")]
    for (method, (corpus, item, source, target)), rows in got.items():
        back = got[method, (corpus, item, target, source)]
        assert [(r["token_id"], r["pivot_score"]) for r in rows] == [(r["token_id"], r["pivot_score"]) for r in back]
        for one, other in swapped:
            assert [r[one] for r in rows] == [r[other] for r in back]


def test_rates_and_expectations_are_those_of_the_documents(built: Built) -> None:
    corpora = {c.name: c for c in built.corpora}
    words = item_words()
    rows = built.rows("from marts.fct_pivot_candidates order by hash(item_id, token_id, source_lang) limit 200")
    for row in rows:
        corpus = corpora[row["corpus"]]
        docs = corpus.with_token(row["token_id"])
        for side in ("source", "target"):
            of_word = corpus.with_word(words[row["item_id"]][row[f"{side}_lang"]])
            n, expected = len(docs & of_word), expected_units(corpus, of_word, docs)
            assert row[f"n_docs_{side}_token"] == n
            assert row[f"{side}_rate"] == pytest.approx(n / len(of_word))
            assert row[f"expected_{side}_rate"] == pytest.approx(expected / len(of_word))
            assert row[f"{side}_deviance_root"] == pytest.approx(deviance_root(n, expected), abs=1e-6)
        assert row["background_rate"] == pytest.approx(len(docs) / corpus.n_units)


def test_quality_counts_translations_among_the_best(
    built: Built, naive: dict[tuple[str, Pair], list[tuple[int, float]]]
) -> None:
    ranks: dict[tuple[str, str, str, str, str], list[float]] = defaultdict(list)
    for corpus in built.corpora:
        for item, words in item_words().items():
            for lang_a, lang_b in itertools.combinations(sorted(words), 2):
                pair_words = [words[lang_a], words[lang_b]]
                if min(len(corpus.with_word(w)) for w in pair_words) < VARIABLES["quality_min_units"]:
                    continue
                for pivot_lang in set(words) - {lang_a, lang_b}:
                    concept, of = divmod(words[pivot_lang] - 1000, 10)
                    single = {ids[0] for ids in word_forms(concept, LANGUAGES[of]).values() if len(ids) == 1}
                    single -= own_tokens(pair_words[0]) | own_tokens(pair_words[1])
                    for method in ("paper", "adjusted", "specific") if single else ():
                        best = naive.get((method, (corpus.name, item, lang_a, lang_b)), [])
                        places = [rank for rank, (token, _) in enumerate(best, 1) if token in single]
                        key = (corpus.name, method, lang_a, lang_b, pivot_lang)
                        ranks[key].append(min(places, default=math.inf))
    rows = built.rows("from marts.fct_pivot_quality where source_lang < target_lang")
    keys = ("corpus", "score_method", "source_lang", "target_lang", "pivot_lang")
    assert {tuple(r[k] for k in keys) for r in rows} == set(ranks)
    assert len(rows) == len(ranks) * len(VARIABLES["quality_top_ks"])
    for row in rows:
        found = ranks[tuple(row[k] for k in keys)]
        within = [rank for rank in found if rank <= row["top_k"]]
        assert row["n_pairs"] == len(found)
        assert row["recall"] == pytest.approx(len(within) / len(found))
        assert row["mean_reciprocal_rank"] == pytest.approx(sum(1 / r for r in within) / len(found), abs=1e-6)


def test_quality_counts_planted_pivots_where_truth_is_known(
    built: Built, naive: dict[tuple[str, Pair], list[tuple[int, float]]]
) -> None:
    rows = built.rows("from marts.fct_pivot_quality where source_lang < target_lang")
    assert {r["corpus"] for r in rows if r["n_planted_pivots"]} == {"balanced"}
    corpus = next(c for c in built.corpora if c.name == "balanced")
    words = item_words()
    for row in rows:
        lang_a, lang_b = row["source_lang"], row["target_lang"]
        planted = found = listed = 0
        for item, tokens in corpus.planted.items():
            truth = {t for t in tokens if t is not None}
            units = [len(corpus.with_word(words[item][lang])) for lang in (lang_a, lang_b)]
            if row["corpus"] != "balanced" or not truth or min(units) < VARIABLES["quality_min_units"]:
                continue
            best = naive.get((row["score_method"], ("balanced", item, lang_a, lang_b)), [])[: row["top_k"]]
            planted += len(truth)
            found += len(truth & {token for token, _ in best})
            listed += len(best)
        assert row["n_planted_pivots"] == planted
        assert row["planted_recall"] == (pytest.approx(found / planted) if planted else None)
        assert row["planted_precision"] == (pytest.approx(found / listed) if listed else None)
