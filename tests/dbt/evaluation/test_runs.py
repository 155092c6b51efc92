"""Held-out losses, exposure and failure signatures against naive Python."""

import itertools
import math
from collections import defaultdict
from statistics import fmean
from typing import Any

from support.corpora.evaluation_results import EXPORT_BUDGET, LANGUAGES
from support.homes.evaluation_home import Evaluated, classes, close


def test_held_out_losses(evaluated: Evaluated) -> None:
    written = {(row["run_id"], row["lang"]): row for row in evaluated.written["held_out_losses"]}
    found = evaluated.by("from marts.fct_held_out_losses", "run_id", "lang")
    assert set(found) == set(written)
    for (run, lang), row in found.items():
        bits = written[run, lang]["nll_sum"] / math.log(2) / 1500
        base = written["held_out-base", lang]["nll_sum"] / math.log(2) / 1500
        compared = run not in ("held_out-base", "held_out-alone", "held_out-pivot_aware-1-first-try")
        assert row["bits_per_byte"] == close(bits)
        assert row["loss"] == close(written[run, lang]["nll_sum"] / 400)
        assert row["bits_per_byte_delta"] == close(bits - base if compared else None)


def test_word_exposure(evaluated: Evaluated) -> None:
    selected = evaluated.rows(
        "from marts.fct_selected_documents"
        f" where strategy = 'random_multilingual' and min_budget_tokens <= {EXPORT_BUDGET}"
    )
    assert 0 < len(selected) < 120
    docs = {row["doc_id"] for row in selected}
    expected: dict[int, list[int]] = defaultdict(list)
    for match in evaluated.rows("from raw.word_documents"):
        if match["doc_id"] in docs:
            expected[match["word_id"]].append(match["n_matches"])
    found = evaluated.by("from marts.fct_word_exposure", "word_id")
    assert {key[0]: (row["n_docs"], row["n_matches"]) for key, row in found.items()} == {
        word: (len(matches), sum(matches)) for word, matches in expected.items()
    }


def test_exposure_by_step(evaluated: Evaluated) -> None:
    """Read in order, counting the words of each part; rows are the steps at which a count grows."""
    matches: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for match in evaluated.rows("from raw.word_documents"):
        matches[match["doc_id"]].append(match)
    items: dict[int, list[tuple[int, str]]] = defaultdict(list)
    listed = evaluated.rows("from raw.translation_items")
    for item in listed:
        items[item["word_id"]].append((item["item_id"], item["lang"]))
    known = {(item["item_id"], item["lang"]) for item in listed}
    seen: dict[tuple[int, str], int] = defaultdict(int)
    together: dict[tuple[int, str, str], int] = defaultdict(int)
    expected: dict[tuple[Any, ...], tuple[int, int, int]] = {}
    by_step: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for read in evaluated.written["training_reads"]:
        by_step[read["step"]].append(read)
    for step, reads in sorted(by_step.items()):
        touched = set()
        for read in reads:
            shown: dict[tuple[int, str], int] = defaultdict(int)
            inside = range(read["first_token"], read["first_token"] + read["n_tokens"])
            for match in matches[read["doc_id"]]:
                n = sum(start in inside for start in match["token_starts"])
                for key in items[match["word_id"]] if n else ():
                    shown[key] += n
            for key, n in shown.items():
                seen[key] += n
                touched.add(key)
            for (item_a, a), (item_b, b) in itertools.combinations(sorted(shown), 2):
                if item_a == item_b:
                    together[item_a, a, b] += 1
        for item_id, lang in touched:
            for other in LANGUAGES:
                if other != lang and (item_id, other) in known:
                    a, b = sorted((lang, other))
                    counts = (seen[item_id, a], seen[item_id, b], together[item_id, a, b])
                    expected["train-original-1", item_id, a, b, step] = counts
    found = evaluated.by("from marts.fct_exposure_by_step", "run_id", "item_id", "lang_a", "lang_b", "step")
    assert {key: (row["n_matches_a"], row["n_matches_b"], row["n_together"]) for key, row in found.items()} == expected
    assert any(counts[2] for counts in expected.values())


def test_failure_signatures(evaluated: Evaluated, scores: dict[str, Any]) -> None:
    found = evaluated.by("from marts.fct_failure_signatures", "run_id", "signature")
    n_nan = sum(math.isnan(row["nll_mean"]) for row in evaluated.written["word_scores"])
    assert found["score-alone", "non_finite_values"]["value"] == n_nan > 0
    assert found["score-alone", "non_finite_values"]["status"] == "flagged"
    assert found["score-base", "non_finite_values"]["status"] == "ok"
    # drawn as sin^2 of the depth, far above its control
    for signature in ("pivot_curve_flat", "pivot_curve_monotonic", "pivot_curve_like_control"):
        assert found["trace-base", signature]["status"] == "ok"
    assert found["trace-alone", "auc_near_half"]["status"] == "not_applicable"
    auc = evaluated.rows(
        "from marts.fct_behaviour_auc where run_id = 'trace-base' and source_lang = 'all' and definition = 'peak'"
    )
    assert found["trace-base", "auc_near_half"]["value"] == close(abs(auc[0]["auc"] - 0.5))
    losses = evaluated.by("from marts.fct_held_out_losses", "run_id", "lang")
    for lang in LANGUAGES:
        row, delta = (
            found["held_out-original-1", f"forgetting_{lang}"],
            losses["held_out-original-1", lang]["bits_per_byte_delta"],
        )
        assert (row["value"], row["status"]) == (close(delta), "flagged" if delta > 0.02 else "ok")
    assert ("held_out-base", "forgetting_en") not in found

    concepts = {row["item_id"]: row for row in evaluated.rows("from raw.planted_concepts")}
    words: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for key, word in scores["score-base"].items():
        if concepts[key.item]["kind"] == "unlinked" and concepts[key.item]["role"] == "test":
            words[key.item].append(word)
    rate = fmean(fmean(word["rank"] == 1 for word in members) for members in words.values())
    chance = fmean(fmean(word["chance"] for word in members) for members in words.values())
    z = (rate - chance) / math.sqrt(chance * (1 - chance) / len(words))
    row = found["score-base", "unlinked_above_chance"]
    assert (row["value"], row["status"]) == (close(z), "flagged" if z > 3 else "ok")

    def gain(level: str) -> float:
        of_word = classes(evaluated)
        means = [
            fmean(word["score"] for key, word in scores[run].items() if of_word[key]["resource"] == level)
            for run in ("score-original-2", "score-base")
        ]
        return means[0] - means[1]

    row = found["score-original-2", "gains_only_in_high_resource"]
    assert row["value"] == close(gain("low") / gain("high") if gain("high") > 0 else None)
    assert all(row["explanation"] for row in found.values())


def test_flagged_signatures_warn_and_nothing_fails(evaluated: Evaluated) -> None:
    assert evaluated.statuses.get("warn", 0) > 0
    assert not {"error", "fail", "skipped"} & set(evaluated.statuses)


def test_outcomes_of_a_run_stand_beside_each_other(evaluated: Evaluated) -> None:
    found = evaluated.by("from marts.fct_run_outcomes", "run_id", "measure")
    scores = evaluated.by(
        "from marts.fct_translation_scores where source_lang = 'all' and word_split = 'judge'", "run_id"
    )
    losses: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in evaluated.rows("from marts.fct_held_out_losses"):
        losses[row["run_id"]].append(row)
    expected = {(run, m) for (run,) in scores for m in ("word_score", "first_rank_rate")}
    expected |= {(run, "held_out_bits_per_byte") for run in losses}
    assert {key for key in found if key[1] != "sentence_chrf"} == expected
    untrained = scores["score-base",]["score"]
    row = found["score-original-2", "word_score"]
    assert (row["value"], row["delta"]) == (
        close(scores["score-original-2",]["score"]),
        close(scores["score-original-2",]["score"] - untrained),
    )
    assert row["is_better"] == (scores["score-original-2",]["score"] > untrained)
    assert found["score-base", "word_score"]["delta"] is None
    row = found["held_out-original-2", "held_out_bits_per_byte"]
    deltas = [r["bits_per_byte_delta"] for r in losses["held_out-original-2"]]
    assert (row["delta"], row["is_better"]) == (close(fmean(deltas)), fmean(deltas) < 0)
