"""Document rankings and selections against naive Python."""

import itertools
import math
from collections import defaultdict
from typing import Any

import pytest

from support.corpora.random_rows import VARIABLES, Corpus, Document, hash_unit, items
from support.homes.built import Built
from support.naive import kinds as naive_kinds
from support.naive.coverage import Covering, coverage, greedy_order, sorted_order

LENGTH = VARIABLES["min_document_tokens"]
DEFAULT_SET = "maxz"


def first_copies(corpus: Corpus) -> list[Document]:
    by_text: dict[int, Document] = {}
    for document in sorted(corpus.documents, key=lambda d: d.doc_id):
        by_text.setdefault(document.content_hash, document)
    return [d for d in by_text.values() if len(d.token_ids) >= LENGTH]


def is_held_out(document: Document) -> bool:
    return hash_unit(document.content_hash, "held_out") < VARIABLES["held_out_share"]


def eligible(corpus: Corpus) -> list[Document]:
    return [d for d in first_copies(corpus) if not is_held_out(d)]


def find_words() -> set[int]:
    return {word for item, _, word in items() if hash_unit(item, "word_split") >= 0.5}


def bridging_tokens(built: Built, corpus: Corpus, pivots: set[int]) -> dict[int, int]:
    """Return {doc_id: pivots that stand in one window with a near neighbour in another language}."""
    near: dict[int, list[tuple[str | None, int, str]]] = defaultdict(list)
    for row in built.rows(
        f"from marts.fct_token_neighbours where corpus = '{corpus.name}' and graph = 'bridge'"
        " and neighbour_rank_in_lang <= 3 and neighbour_lang is not null"
    ):
        near[row["token_id"]].append((row["lang"], row["neighbour_id"], row["neighbour_lang"]))
    size = VARIABLES["bridging_window_tokens"]
    found = {}
    for d in eligible(corpus):
        windows = [d.token_ids[i : i + size] for i in range(0, len(d.token_ids), size)]
        found[d.doc_id] = sum(
            token in pivots
            and any(other in window and lang != (own or d.lang) for own, other, lang in near.get(token, []))
            for window in windows
            for token in window
        )
    return found


def marked_tokens(built: Built, corpus: Corpus) -> dict[str, dict[int, int]]:
    """Return ranking -> {doc_id: marked tokens} for every pivot set of the corpus and for the list's words."""
    sets: dict[str, set[int]] = defaultdict(set)
    for row in built.rows(f"from marts.dim_pivot_tokens where corpus = '{corpus.name}'"):
        sets[row["pivot_set"]].add(row["token_id"])
    documents = eligible(corpus)
    marked = {name: {d.doc_id: sum(t in s for t in d.token_ids) for d in documents} for name, s in sets.items()}
    if "bridge_small" in sets:
        marked["bridging"] = bridging_tokens(built, corpus, sets["bridge_small"])
    words = find_words()
    marked["word_density"] = {d.doc_id: sum(n for w, n in d.words.items() if w in words) for d in documents}
    return marked


def covering(built: Built, corpus: Corpus) -> list[tuple[Document, Covering]]:
    """Return the eligible documents with the edges that they contain; none if the default set has no edge anywhere."""
    edges = {
        (row["token_id"], row["neighbour_id"])
        for row in built.rows(
            f"""
            select n.token_id, n.neighbour_id
            from marts.fct_token_neighbours n semi join marts.dim_pivot_tokens p
                on n.corpus = p.corpus and n.token_id = p.token_id and p.pivot_set = '{DEFAULT_SET}'
            where n.corpus = '{corpus.name}' and n.graph = 'bridge' and n.neighbour_lang is not null
                and n.neighbour_rank_in_lang <= {VARIABLES["coverage_neighbours_per_language"]}
            """
        )
    }
    found = [
        (d, Covering(d.doc_id, len(d.token_ids), frozenset(e for e in edges if set(e) <= set(d.token_ids))))
        for d in eligible(corpus)
    ]
    return found if any(c.edges for _, c in found) else []


def coverage_by_language(built: Built, corpus: Corpus) -> dict[str, list[Covering]]:
    by_language: dict[str, list[Covering]] = defaultdict(list)
    for document, covered in covering(built, corpus):
        by_language[document.lang].append(covered)
    return by_language


def smoothed_order(documents: list[Document], marked: dict[int, int]) -> dict[int, float]:
    """Return {doc_id: smoothed density}."""
    pseudo = VARIABLES["density_pseudo_tokens"]
    density = {}
    for lang in {d.lang for d in documents}:
        members = [d for d in documents if d.lang == lang]
        mean = sum(marked[d.doc_id] for d in members) / sum(len(d.token_ids) for d in members)
        for d in members:
            density[d.doc_id] = round((marked[d.doc_id] + pseudo * mean) / (len(d.token_ids) + pseudo), 12)
    return density


def above_threshold(documents: list[Document], marked: dict[int, int]) -> set[int]:
    """Return the documents whose smoothed density is 1.25 times the mean of their language, or more."""
    density = smoothed_order(documents, marked)
    found = set()
    for lang in {d.lang for d in documents}:
        members = [d for d in documents if d.lang == lang]
        mean = sum(marked[d.doc_id] for d in members) / sum(len(d.token_ids) for d in members)
        found |= {d.doc_id for d in members if density[d.doc_id] >= 1.25 * mean}
    return found


def cell(document: Document) -> tuple[str, int, int, bool]:
    """Return what a matched draw keeps alike: language, length, evaluation words, mixture."""
    judged = {word for item, _, word in items() if hash_unit(item, "word_split") < 0.5}
    n_matches = sum(n for word, n in document.words.items() if word in judged)
    languages = {lang for _, lang, word in items() if word in document.words}
    return document.lang, math.floor(2 * math.log2(len(document.token_ids))), min(n_matches, 8), len(languages) > 1


def matched(reference: list[Document]) -> list[Document]:
    """Return the reference's documents, those of a cell in random order in place of their own."""
    drawn: dict[tuple[str, int, int, bool], list[Document]] = defaultdict(list)
    for d in sorted(reference, key=lambda d: (hash_unit(d.doc_id, "matched_random:0"), d.doc_id)):
        drawn[cell(d)].append(d)
    return [drawn[cell(d)].pop(0) for d in reference]


def orders(built: Built, corpus: Corpus) -> dict[str, list[Document]]:
    """Return strategy -> eligible documents in the order in which their language gives them."""
    documents = eligible(corpus)
    words = find_words()
    marked = marked_tokens(built, corpus)

    def draw(salt: str) -> list[Document]:
        return sorted(documents, key=lambda d: (hash_unit(d.doc_id, f"{salt}:0"), d.doc_id))

    def weighted(d: Document) -> tuple[bool, float, int]:
        n, u = len(words & set(d.words)), 1 - hash_unit(d.doc_id, "frequency_weighted:0")
        return (n == 0, round(-math.log(u) / (n or 1), 12), d.doc_id)

    found = {
        "original": draw("original"),
        "random_multilingual": draw("random_multilingual"),
        "frequency_weighted_multilingual": sorted(documents, key=weighted),
    }
    for name, counts in marked.items():
        density = smoothed_order(documents, counts)
        strategy = name if name in ("word_density", "planted_truth") else f"pivot_aware_{name}"
        found[strategy] = sorted(documents, key=lambda d, density=density: (-density[d.doc_id], d.doc_id))
    if languages := coverage_by_language(built, corpus):
        by_id = {d.doc_id: d for d in documents}
        found["pivot_coverage"] = [
            by_id[c.doc_id]
            for members in languages.values()
            for c in sorted_order(members, VARIABLES["coverage_passes"])
        ]
        found["matched_random"] = matched(found["pivot_coverage"])
    known = naive_kinds.kinds(corpus)
    found["no_mixed"] = naive_kinds.without_mixed(documents, known)
    found |= {kind: naive_kinds.by_kind(documents, known, kind) for kind in ("parallel", "code_switched")}
    found["dsir"] = naive_kinds.importance_drawn(documents, known)
    if DEFAULT_SET in marked:
        found["weighted_density"] = naive_kinds.weighted(documents, smoothed_order(documents, marked[DEFAULT_SET]))
        above = above_threshold(documents, marked[DEFAULT_SET])
        found["pivot_aware_threshold"] = sorted(draw("pivot_aware_threshold"), key=lambda d: d.doc_id not in above)
    if f"pivot_aware_{DEFAULT_SET}" in found:
        found["pivot_aware"] = found[f"pivot_aware_{DEFAULT_SET}"]
    return {strategy: order for strategy, order in found.items() if order}


def pool(corpus: Corpus, strategy: str) -> list[Document]:
    """Return the documents that languages' shares are of."""
    documents = eligible(corpus)
    return naive_kinds.without_mixed(documents, naive_kinds.kinds(corpus)) if strategy == "no_mixed" else documents


def target_shares(corpus: Corpus, strategy: str) -> dict[str, float]:
    tokens: dict[str, int] = defaultdict(int)
    for d in pool(corpus, strategy):
        tokens[d.lang] += len(d.token_ids)
    power = 1.0 if strategy == "original" else VARIABLES["language_temperature"]
    weights = {lang: n**power for lang, n in tokens.items()}
    unshared = {lang: n / sum(tokens.values()) for lang, n in tokens.items()}
    for lang, share in list(unshared.items()):
        if len(lang) == 2 and share >= VARIABLES["multilingual_min_share"]:
            del unshared[lang]
    left = (1 - sum(unshared.values())) / sum(w for lang, w in weights.items() if lang not in unshared)
    return {lang: unshared.get(lang, w * left) for lang, w in weights.items()}


def due_tokens(corpus: Corpus, strategy: str, budget: int) -> dict[str, float]:
    """Return what each language is due of a budget, found by bisection of the water level."""
    shares = target_shares(corpus, strategy)
    documents = pool(corpus, strategy)
    most = {lang: sum(len(d.token_ids) for d in documents if d.lang == lang) for lang in shares}
    low, high = 0.0, 1.0
    while sum(min(most[g], shares[g] * high) for g in shares) < min(budget, sum(most.values())) - 1e-9:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if sum(min(most[g], shares[g] * middle) for g in shares) < budget:
            low = middle
        else:
            high = middle
    return {lang: min(most[lang], shares[lang] * high) for lang in shares}


def naive_selection(corpus: Corpus, strategy: str, order: list[Document], budget: int) -> set[int]:
    """Take the documents of each language in order, as long as they fit into what it is due."""
    taken = set()
    for lang, due in due_tokens(corpus, strategy, budget).items():
        so_far = itertools.accumulate(len(d.token_ids) for d in order if d.lang == lang)
        for document, total in zip([d for d in order if d.lang == lang], so_far, strict=True):
            if total <= due + 1e-6:
                taken.add(document.doc_id)
    return taken


def test_documents_know_whether_they_are_copies_or_held_out(built: Built) -> None:
    n_held_out = 0
    for corpus in built.corpora:
        rows = {r["doc_id"]: r for r in built.rows(f"from marts.dim_documents where corpus = '{corpus.name}'")}
        assert rows.keys() == {d.doc_id for d in corpus.documents}
        assert {i for i, r in rows.items() if r["is_eligible"]} == {d.doc_id for d in eligible(corpus)}
        held_out = {d.doc_id for d in first_copies(corpus) if is_held_out(d)}
        assert {i for i, r in rows.items() if r["is_held_out"]} == held_out
        texts = {d.doc_id: d.content_hash for d in corpus.documents}
        assert not {texts[i] for i in held_out} & {texts[i] for i, r in rows.items() if r["is_eligible"]}
        n_held_out += len(held_out)
    assert n_held_out


def test_kinds_of_documents_are_the_naive_ones(built: Built) -> None:
    found = set()
    for corpus in built.corpora:
        rows = {r["doc_id"]: r for r in built.rows(f"from marts.fct_document_kinds where corpus = '{corpus.name}'")}
        known = naive_kinds.kinds(corpus)
        assert rows.keys() == known.keys()
        for doc_id, kind in known.items():
            row = rows[doc_id]
            assert (row["document_kind"], row["n_switches"]) == (kind.document_kind, kind.n_switches)
            assert row["second_lang_share"] == pytest.approx(kind.second_lang_share)
            assert row["interleaving"] == pytest.approx(kind.interleaving)
            assert row["translated_share"] == pytest.approx(kind.translated_share)
            found.add(kind.document_kind)
    assert found == {"monolingual", "parallel", "code_switched", "mixed"}


def test_densities_and_ranks_are_the_naive_ones(built: Built) -> None:
    for corpus in built.corpora:
        marked = marked_tokens(built, corpus)
        documents = eligible(corpus)
        rows: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
        for row in built.rows(f"from marts.fct_document_rankings where corpus = '{corpus.name}'"):
            rows[row["pivot_set"]][row["doc_id"]] = row
        assert rows.keys() == marked.keys() - {"word_density"}
        for name, ranked in rows.items():
            counts, smoothed = marked[name], smoothed_order(documents, marked[name])
            plain = {d.doc_id: counts[d.doc_id] / len(d.token_ids) for d in documents}
            assert {i: r["n_pivot_tokens"] for i, r in ranked.items()} == counts
            assert {i: r["pivot_density"] for i, r in ranked.items()} == plain
            above = {i for i, r in ranked.items() if r["is_above_threshold"]}
            assert above == above_threshold(documents, counts)
            assert {i: r["smoothed_density"] for i, r in ranked.items()} == pytest.approx(smoothed, abs=2e-12)
            for lang in {d.lang for d in documents}:
                members = [d.doc_id for d in documents if d.lang == lang]
                for density, column in [(plain, "density_rank_in_lang"), (smoothed, "smoothed_rank_in_lang")]:
                    best = sorted(members, key=lambda i, density=density: (-density[i], i))
                    assert sorted(members, key=lambda i, column=column: ranked[i][column]) == best
                    assert sorted(ranked[i][column] for i in members) == list(range(1, len(members) + 1))


def test_some_pivots_bridge_and_some_do_not(built: Built) -> None:
    rows = built.rows("from marts.fct_document_rankings where pivot_set in ('bridging', 'bridge_small')")
    counts: dict[str, dict[tuple[str, int], int]] = defaultdict(dict)
    for row in rows:
        counts[row["pivot_set"]][row["corpus"], row["doc_id"]] = row["n_pivot_tokens"]
    assert counts["bridging"].keys() == counts["bridge_small"].keys()
    assert all(n <= counts["bridge_small"][key] for key, n in counts["bridging"].items())
    assert 0 < sum(counts["bridging"].values()) < sum(counts["bridge_small"].values())


def test_every_budget_selects_what_the_naive_strategy_takes(built: Built) -> None:
    for corpus in built.corpora:
        expected_orders = orders(built, corpus)
        rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in built.rows(f"from marts.fct_selected_documents where corpus = '{corpus.name}'"):
            rows[row["strategy"]].append(row)
        assert rows.keys() == expected_orders.keys()
        total = sum(len(d.token_ids) for d in eligible(corpus))
        for strategy, order in expected_orders.items():
            assert {r["doc_id"] for r in rows[strategy]} == {d.doc_id for d in order}
            for budget in (0, total // 7, total // 3, int(total * 0.8), total):
                taken = {r["doc_id"] for r in rows[strategy] if r["min_budget_tokens"] <= budget}
                # the smallest budget is a whole token: one token more or less of budget is the resolution
                assert naive_selection(corpus, strategy, order, max(0, budget - 1)) <= taken
                assert taken <= naive_selection(corpus, strategy, order, budget + 1)
                assert sum(r["n_tokens"] for r in rows[strategy] if r["doc_id"] in taken) <= budget
            by_rank = sorted(rows[strategy], key=lambda r: r["selection_rank"])
            assert [r["selection_rank"] for r in by_rank] == list(range(1, len(by_rank) + 1))
            budgets = [r["min_budget_tokens"] for r in by_rank]
            assert budgets == sorted(budgets)


def test_summary_and_overlap_are_those_of_the_selections(built: Built) -> None:
    for corpus in built.corpora:
        budget = math.floor(VARIABLES["summary_budget_share"] * sum(len(d.token_ids) for d in eligible(corpus)))
        taken: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
        for row in built.rows(
            f"from marts.fct_selected_documents where corpus = '{corpus.name}' and min_budget_tokens <= {budget}"
        ):
            taken[row["strategy"]][row["doc_id"]] = row
        marked = marked_tokens(built, corpus)
        for row in built.rows(f"from marts.fct_selection_summary where corpus = '{corpus.name}'"):
            chosen = [r for r in taken[row["strategy"]].values() if r["lang"] == row["lang"]]
            n_tokens = sum(r["n_tokens"] for r in chosen)
            assert (row["budget_tokens"], row["n_docs"], row["n_tokens"]) == (budget, len(chosen), n_tokens)
            all_tokens = sum(r["n_tokens"] for r in taken[row["strategy"]].values())
            assert row["token_share"] == pytest.approx(n_tokens / all_tokens)
            assert row["target_share"] == pytest.approx(target_shares(corpus, row["strategy"])[row["lang"]])
            for column, ranking in [
                ("mean_pivot_density", DEFAULT_SET),
                ("mean_planted_pivot_density", "planted_truth"),
                ("mean_word_density", "word_density"),
            ]:
                if ranking in marked and n_tokens:
                    n_marked = sum(marked[ranking][r["doc_id"]] for r in chosen)
                    assert row[column] == pytest.approx(n_marked / n_tokens)
                else:
                    assert row[column] is None
        overlaps = built.rows(f"from marts.fct_selection_overlap where corpus = '{corpus.name}'")
        assert {(r["strategy_a"], r["strategy_b"]) for r in overlaps} == set(itertools.combinations(sorted(taken), 2))
        for row in overlaps:
            a, b = taken[row["strategy_a"]], taken[row["strategy_b"]]
            both = [a[i]["n_tokens"] for i in a.keys() & b.keys()]
            assert (row["n_docs_both"], row["n_tokens_both"]) == (len(both), sum(both))
            assert row["token_share_of_a"] == pytest.approx(sum(both) / sum(r["n_tokens"] for r in a.values()))


def test_coverage_is_nearly_that_of_exact_greedy(built: Built) -> None:
    corpus = next(c for c in built.corpora if c.name == "balanced")
    rows = built.rows(
        f"from marts.fct_selected_documents where corpus = '{corpus.name}' and strategy = 'pivot_coverage'"
    )
    ranks = {row["doc_id"]: row["rank_in_lang"] for row in rows}
    languages = coverage_by_language(built, corpus)
    assert languages
    reached, by_own_gain, best = 0.0, 0.0, 0.0
    for members in languages.values():
        taken, greedy, once = (
            sorted(members, key=lambda d: ranks[d.doc_id]),
            greedy_order(members),
            sorted_order(members, 0),
        )
        for share in (0.1, 0.3, 0.6):
            budget = int(share * sum(d.n_tokens for d in members))
            reached += coverage(taken, budget)
            by_own_gain += coverage(once, budget)
            best += coverage(greedy, budget)
    assert reached > 0.98 * best
    assert reached > by_own_gain
