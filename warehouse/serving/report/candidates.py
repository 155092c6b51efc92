"""Candidates of chosen pairs: every score method side by side, with the rates that the scores are made of."""

from typing import Any

from warehouse.serving import queries
from warehouse.serving.report.blocks import Answer, PivotLists, ask
from warehouse.serving.units import UnitName

# English words of pairs that people know how to judge, with the direction to show them in.
CHOSEN_PAIRS = (
    ("water", "en", "fr"),
    ("library", "fr", "ja"),
    ("bread", "en", "zh"),
    ("meaning", "fr", "ja"),
    ("music", "zh", "ja"),
    ("book", "en", "ja"),
)
# what a score method holds a count against, in a sentence; {units} are what the corpus is counted in
METHODS = {
    "adjusted": "“Adjusted” holds every count against {units} of the same language and length.",
    "specific": "“Specific” does so too, and counts a token less that goes with many words as strongly.",
    "paper": "“Paper” is the paper's F, against one background for the whole corpus.",
}
_PAIRS_SHOWN = 6
_STRONGEST_SHOWN = 3  # of them: pairs whose best candidate scores highest in this corpus, whichever they are
_BEST_BY_EACH = 5


def pivot_lists(warehouse: Any, corpus: str, unit: UnitName) -> PivotLists:
    """Return the candidates of the chosen pairs that the corpus has; of its strongest pairs where those are too few."""
    truth = ask(queries.planted_pivots, warehouse, corpus)
    planted = {(row["item_id"], row["token_id"]) for row in truth.rows}
    order = [row["score_method"] for row in ask(queries.score_methods, warehouse).rows]
    of_item: dict[int, tuple[str, str, str]] = {}  # one direction of an item says enough
    for row in ask(queries.strongest_pairs, warehouse, corpus).rows:
        of_item.setdefault(row["item_id"], (row["source_word"], row["source_lang"], row["target_lang"]))
    strongest = list(of_item.values())
    wanted = [*strongest[:_STRONGEST_SHOWN], *_chosen_words(warehouse, corpus), *strongest]
    pairs: list[dict[str, Any]] = []
    shown: Answer | None = None
    for word, source_lang, target_lang in dict.fromkeys(wanted):
        if len(pairs) == _PAIRS_SHOWN:
            break
        answer = ask(
            queries.candidates_by_method, warehouse, corpus, word, source_lang, target_lang, top_k=_BEST_BY_EACH
        )
        shown = shown or answer
        if answer.rows:
            first_item = [row for row in answer.rows if row["item_id"] == answer.rows[0]["item_id"]]
            pairs.append(_pair(warehouse, corpus, first_item, source_lang, target_lang, planted, order))
    says = (
        "First the pairs with the strongest evidence, those whose best candidate scores highest in this corpus; then"
        f" everyday words that it has. The {_BEST_BY_EACH} best candidates by each method, with rank and score by all"
        " of them; the bar is the score against the best one's. The last three columns say in which share of the"
        f" {unit.plural} a candidate stands: of those with the source word, of those with the target word, of all."
    )
    if planted:
        says += " A tick marks a token that was planted as a pivot of this pair."
    return PivotLists(title="Candidates of chosen pairs", says=says, pairs=pairs, unit=unit.plural, answer=shown)


def _pair(
    warehouse: Any,
    corpus: str,
    rows: list[dict[str, Any]],
    source_lang: str,
    target_lang: str,
    planted: set[tuple[int, int]],
    order: list[str],
) -> dict[str, Any]:
    methods = sorted({row["score_method"] for row in rows}, key=order.index)
    best = {m: max(row["pivot_score"] for row in rows if row["score_method"] == m) for m in methods}
    tokens: dict[int, dict[str, Any]] = {}
    for row in rows:
        token = tokens.setdefault(
            row["token_id"], {**row, "by": {}, "is_planted": (row["item_id"], row["token_id"]) in planted}
        )
        token["by"][row["score_method"]] = {
            "rank": row["pivot_rank"],
            "score": row["pivot_score"],
            "share": row["pivot_score"] / best[row["score_method"]],
        }
    absent = 1 + max(row["pivot_rank"] for row in rows)
    ordered = sorted(
        tokens.values(),
        key=lambda token: [token["by"].get(m, {}).get("rank", absent) for m in methods] + [token["token_id"]],
    )
    word, target_word = rows[0]["source_word"], rows[0]["target_word"]
    together = ask(queries.pair_cooccurrence, warehouse, corpus, source_lang, target_lang, source_word=word).rows
    return {
        "source_word": word,
        "target_word": target_word,
        "source_lang": source_lang,
        "target_lang": target_lang,
        "methods": methods,
        "tokens": ordered,
        "together": next((row for row in together if row["target_word"] == target_word), {}),
    }


def _chosen_words(warehouse: Any, corpus: str) -> list[tuple[str, str, str]]:
    """Return (source word, source language, target language) of the chosen pairs that this corpus has words for."""
    found = []
    for english, source_lang, target_lang in CHOSEN_PAIRS:
        if source_lang == "en":
            found.append((english, source_lang, target_lang))
            continue
        rows = ask(queries.pair_cooccurrence, warehouse, corpus, "en", source_lang, source_word=english).rows
        found += [(row["target_word"], source_lang, target_lang) for row in rows[:1]]
    return found
