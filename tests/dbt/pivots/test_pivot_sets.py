"""Token languages, graphs and pivot sets against naive Python."""

import math
from collections import Counter, defaultdict

import pytest

from support.corpora.random_rows import BLANK, N_TOKENS, SPECIAL, VARIABLES, Corpus
from support.homes.built import Built

WEIGHT = 1e-6  # floating sums in another order


def token_languages(corpus: Corpus) -> dict[int, str | None]:
    """Return the language that holds enough of a token's summed unit rates, mixed codes counting for each part."""
    parts = {d.doc_id: set(d.lang.split("-")) - {"und", "mul"} for d in corpus.documents}
    units = Counter(lang for langs in parts.values() for lang in langs)
    found: dict[int, str | None] = {}
    for token in range(N_TOKENS):
        docs = corpus.with_token(token)
        rates = {lang: round(1e9 * sum(lang in parts[d] for d in docs) / n) for lang, n in units.items()}
        if sum(rates.values()):
            best = min(rates, key=lambda lang: (-rates[lang], lang))
            share = rates[best] / sum(rates.values())
            found[token] = best if share >= VARIABLES["bridge_min_language_share"] else None
    return found


def edges(corpus: Corpus, kind: str) -> dict[tuple[int, int], float]:
    """Return {(a, b): weight} of a graph, a < b."""
    tokens = {t: corpus.with_token(t) for t in range(N_TOKENS) if t not in (SPECIAL, BLANK)}
    strata = corpus.strata()
    found = {}
    for a, docs_a in tokens.items():
        for b, docs_b in tokens.items():
            n, n_a, n_b = len(docs_a & docs_b), len(docs_a), len(docs_b)
            if a >= b or not n:
                continue
            if kind == "adjacency":
                weight = round(min(n / n_a - n_b / corpus.n_units, n / n_b - n_a / corpus.n_units), 12)
                keep = weight >= VARIABLES["adjacency_threshold"]
            else:
                of_a, of_b = corpus.by_stratum(docs_a), corpus.by_stratum(docs_b)
                shares = {k: of_a[k] * of_b[k] / size**2 for k, size in strata.items()}
                expected = sum(size * shares[k] for k, size in strata.items())
                variance = sum(size * shares[k] * (1 - shares[k]) for k, size in strata.items())
                weight = round((n - expected) / math.sqrt(variance + 1), 9)
                keep = (
                    weight >= VARIABLES["bridge_min_z"]
                    and n >= VARIABLES["bridge_min_joint_units"]
                    and min(n_a, n_b) >= VARIABLES["bridge_min_units"]
                )
            if keep:
                found[a, b] = weight
    return found


def set_size(corpus: Corpus, pivot_set: str) -> int:
    occurring = sum(bool(corpus.with_token(t)) for t in range(N_TOKENS))
    share = VARIABLES["maxz_max_share" if pivot_set.startswith("maxz") else "pivot_set_max_share"]
    return min(VARIABLES[f"{pivot_set}_size"], math.floor(share * occurring))


def pivot_set(built: Built, corpus: str, name: str) -> list[dict]:
    return built.rows(f"from marts.dim_pivot_tokens where corpus = '{corpus}' and pivot_set = '{name}' order by rank")


def test_token_languages(built: Built) -> None:
    for corpus in built.corpora:
        rows = built.rows(f"from marts.dim_tokens where corpus = '{corpus.name}'")
        assert len(rows) == N_TOKENS
        expected = token_languages(corpus)
        for row in rows:
            assert row["n_docs"] == len(corpus.with_token(row["token_id"]))
            assert row["doc_rate"] == pytest.approx(row["n_docs"] / corpus.n_units)
            assert row["lang"] == expected.get(row["token_id"])


@pytest.mark.parametrize("name", ["adjacency", "adjacency_small"])
def test_adjacency_sets_hold_the_tokens_of_highest_degree(built: Built, name: str) -> None:
    for corpus in built.corpora:
        degree: Counter[int] = Counter()
        weight: dict[int, float] = defaultdict(float)
        for ends, edge_weight in edges(corpus, "adjacency").items():
            for token in ends:
                degree[token] += 1
                weight[token] += edge_weight
        best = sorted(degree, key=lambda t: (-degree[t], -round(weight[t], 10), t))[: set_size(corpus, name)]
        rows = pivot_set(built, corpus.name, name)
        assert [r["token_id"] for r in rows] == best
        assert [r["degree"] for r in rows] == [degree[t] for t in best]
        assert [r["weighted_degree"] for r in rows] == pytest.approx([weight[t] for t in best], abs=WEIGHT)


@pytest.mark.parametrize("name", ["bridge", "bridge_small"])
def test_bridge_sets_hold_the_tokens_that_reach_a_third_language(built: Built, name: str) -> None:
    sizes = {}
    for corpus in built.corpora:
        languages = token_languages(corpus)
        into: dict[int, Counter[str]] = defaultdict(Counter)
        weight: dict[tuple[int, str], float] = defaultdict(float)
        for (a, b), edge_weight in edges(corpus, "bridge").items():
            for token, neighbour in [(a, b), (b, a)]:
                if lang := languages[neighbour]:
                    into[token][lang] += 1
                    weight[token, lang] += edge_weight
        # the third-best language decides, the last one where there are only two
        place = max(2, min(3, len({lang for degrees in into.values() for lang in degrees}))) - 1
        reached = {}
        for token, degrees in into.items():
            ordered = sorted(degrees, key=lambda g: (-degrees[g], -round(weight[token, g], 8), g))
            if len(ordered) > place:
                reached[token] = (degrees[ordered[place]], round(weight[token, ordered[place]], 8))
        best = sorted(reached, key=lambda t: (-reached[t][0], -reached[t][1], t))[: set_size(corpus, name)]
        rows = pivot_set(built, corpus.name, name)
        sizes[corpus.name] = len(rows)
        assert [r["token_id"] for r in rows] == best
        assert [r["bridge_degree"] for r in rows] == [reached[t][0] for t in best]
    assert sizes["balanced"]
    assert not sizes["single"]


@pytest.mark.parametrize("name", ["maxz", "maxz_small"])
def test_maxz_sets_hold_the_tokens_of_no_language_with_the_strongest_third_edge(built: Built, name: str) -> None:
    sizes = {}
    for corpus in built.corpora:
        languages = token_languages(corpus)
        strongest: dict[int, dict[str, float]] = defaultdict(dict)
        for (a, b), z in edges(corpus, "bridge").items():
            for token, neighbour in [(a, b), (b, a)]:
                lang = languages[neighbour]
                if lang and languages[token] is None:
                    strongest[token][lang] = max(z, strongest[token].get(lang, 0.0))
        place = max(2, min(3, len({lang for best in strongest.values() for lang in best}))) - 1
        reached = {t: sorted(best.values())[-1 - place] for t, best in strongest.items() if len(best) > place}
        best = sorted(reached, key=lambda t: (-reached[t], t))[: set_size(corpus, name)]
        rows = pivot_set(built, corpus.name, name)
        sizes[corpus.name] = len(rows)
        assert [r["token_id"] for r in rows] == best
        assert [r["bridge_z"] for r in rows] == pytest.approx([reached[t] for t in best], abs=1e-8)
        assert not [r for r in rows if r["lang"] is not None]
    assert sizes["balanced"]
    assert not sizes["single"]


@pytest.mark.parametrize(
    ("name", "method", "condition"),
    [
        ("pairs", "specific", f"pivot_rank <= {VARIABLES['pairs_top_k']}"),
        ("pairs_top3", "specific", "pivot_rank <= 3"),
        ("pairs_threshold", "specific", f"pivot_rank <= 3 and pivot_score >= {VARIABLES['pairs_min_score']}"),
        ("pairs_paper", "paper", f"pivot_rank <= {VARIABLES['pairs_paper_top_k']}"),
    ],
)
def test_pairs_sets_hold_the_tokens_that_serve_most_pairs(built: Built, name: str, method: str, condition: str) -> None:
    for corpus in built.corpora:
        rows = built.rows(
            f"""
            select token_id, pivot_score from marts.fct_pivot_candidates
            where corpus = '{corpus.name}' and score_method = '{method}' and {condition}
                and word_split = 'find' and source_lang < target_lang
            """
        )
        served = Counter(r["token_id"] for r in rows)
        total: dict[int, float] = defaultdict(float)
        for row in rows:
            total[row["token_id"]] += row["pivot_score"]
        best = sorted(served, key=lambda t: (-served[t], -round(total[t], 8), t))[: set_size(corpus, "pairs")]
        got = pivot_set(built, corpus.name, name)
        assert [r["token_id"] for r in got] == best
        assert [r["n_pairs"] for r in got] == [served[t] for t in best]


def test_the_truth_is_a_set_where_it_is_known(built: Built) -> None:
    for corpus in built.corpora:
        truth = {t for tokens in corpus.planted.values() for t in tokens if t is not None}
        assert {r["token_id"] for r in pivot_set(built, corpus.name, "planted_truth")} == truth


def test_recall_counts_the_planted_pivots_of_every_set(built: Built) -> None:
    for corpus in built.corpora:
        truth = {t for tokens in corpus.planted.values() for t in tokens if t is not None}
        rows = built.rows(f"from marts.fct_pivot_set_recall where corpus = '{corpus.name}' and kind = 'all'")
        assert bool(rows) == bool(truth)
        for row in rows:
            members = {r["token_id"] for r in pivot_set(built, corpus.name, row["pivot_set"])}
            assert (row["n_planted"], row["n_found"], row["n_tokens"]) == (
                len(truth),
                len(truth & members),
                len(members),
            )
            assert row["recall"] == len(truth & members) / len(truth)
            assert row["set_precision"] == (len(truth & members) / len(members) if members else None)


def test_sensitivity_says_how_large_each_set_would_be(built: Built) -> None:
    rows = built.rows("from marts.fct_pivot_set_sensitivity")
    for corpus in built.corpora:
        candidates = built.rows(
            f"""
            from marts.fct_pivot_candidates
            where corpus = '{corpus.name}' and word_split = 'find' and source_lang < target_lang
            """
        )
        truth = {t for tokens in corpus.planted.values() for t in tokens if t is not None}
        own = [r for r in rows if r["corpus"] == corpus.name]
        assert len(own) == 3 * 6 * 4 + 3 * 6 * 3
        for row in own:
            if not row["pivot_family"].startswith("pairs_"):
                continue
            marked = {
                c["token_id"]
                for c in candidates
                if f"pairs_{c['score_method']}" == row["pivot_family"]
                and c["pivot_rank"] <= row["top_k"]
                and c["pivot_score"] >= row["min_score"]
            }
            assert row["n_tokens"] == len(marked)
            assert row["planted_precision"] == (len(marked & truth) / len(marked) if truth and marked else None)
            assert row["planted_recall"] == (len(marked & truth) / len(truth) if truth else None)
