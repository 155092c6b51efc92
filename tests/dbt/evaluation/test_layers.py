"""Behaviours, AUC, thresholds and layer curves against naive Python."""

import math
from collections import Counter, defaultdict
from statistics import fmean
from typing import Any

from support.corpora.evaluation_results import CONSTANT_TOKEN, DIRECTIONS, ITEMS
from support.homes.evaluation_home import Evaluated, classes, close, predictors
from support.naive import evaluation as naive

NORMAL_QUANTILE = 1.959963984540


def expected_auc(words: dict[naive.Key, str], predictor: dict[naive.Key, int], direction: tuple[str, str]) -> Any:
    positives = [predictor[k] for k, b in words.items() if b == "cooccurrence" and k.direction == direction]
    negatives = [predictor[k] for k, b in words.items() if b == "pivot" and k.direction == direction]
    return *naive.auc_and_error(positives, negatives), len(positives), len(negatives)


def test_behaviours(evaluated: Evaluated) -> None:
    expected = naive.behaviours(evaluated.written["layer_traces"])
    found = evaluated.by("from marts.fct_behaviours", "run_id", "item_id", "source_lang", "target_lang")
    assert len(found) == sum(len(words) for words in expected.values())
    for run, words in expected.items():
        for key, word in words.items():
            row = found[run, *key]
            assert (row["behaviour"], row["behaviour_by_threshold"]) == (word["peak"], word["threshold"])
            assert row["peak_layer"] == word["peak_layer"]


def test_auc_by_every_definition_and_predictor(evaluated: Evaluated) -> None:
    found = evaluated.by("from marts.fct_behaviour_auc", "run_id", "source_lang", "target_lang", "definition")
    known = predictors(evaluated)
    words = naive.behaviours(evaluated.written["layer_traces"])
    assert len(found) == len(words) * (len(DIRECTIONS) + 1) * 6
    for run in ("trace-base", "trace-original-1"):
        for definition in ("peak", "threshold"):
            labels = {key: word[definition] for key, word in words[run].items()}
            for name in ("pair_count", "target_frequency", "source_frequency"):
                suffix = "" if name == "pair_count" else f"_{name}"
                areas, errors = [], []
                for direction in DIRECTIONS:
                    row = found[run, *direction, definition + suffix]
                    predictor = {key: counts[name] for key, counts in known.items()}
                    auc, error, n_positive, n_negative = expected_auc(labels, predictor, direction)
                    assert (row["n_cooccurrence"], row["n_pivot"]) == (n_positive, n_negative)
                    assert row["auc"] == close(auc)
                    low, high = (
                        (None, None)
                        if error is None
                        else (auc - NORMAL_QUANTILE * error, auc + NORMAL_QUANTILE * error)
                    )
                    assert row["ci_low"] == close(low if low is None else max(low, 0.0))
                    assert row["ci_high"] == close(high if high is None else min(high, 1.0))
                    areas += [] if auc is None else [auc]
                    errors += [] if error is None else [error]
                row = found[run, "all", "all", definition + suffix]
                assert row["auc"] == close(fmean(areas))
                assert row["ci_low"] == close(max(0.0, fmean(areas) - NORMAL_QUANTILE * fmean(errors)))


def test_a_trace_without_corpus_has_behaviours_but_no_auc(evaluated: Evaluated) -> None:
    rows = evaluated.rows("from marts.fct_behaviour_auc where run_id = 'trace-alone'")
    assert rows
    assert all(row["auc"] is None and row["n_pivot"] == 0 for row in rows)


def test_threshold_sensitivity(evaluated: Evaluated) -> None:
    found = evaluated.by("from marts.fct_threshold_sensitivity", "run_id", "source_lang", "target_lang", "threshold")
    known = {key: counts["pair_count"] for key, counts in predictors(evaluated).items()}
    thresholds = {key[3] for key in found}
    assert {0.1, 0.5} < thresholds
    for threshold in thresholds:
        words = naive.behaviours(evaluated.written["layer_traces"], threshold)["trace-base"]
        labels = {key: word["threshold"] for key, word in words.items()}
        for direction in DIRECTIONS:
            row = found["trace-base", *direction, threshold]
            auc, _, n_positive, n_negative = expected_auc(labels, known, direction)
            same = [
                w["peak"] == w["threshold"]
                for k, w in words.items()
                if k.direction == direction and w["peak"] not in ("excluded", "unread")
            ]
            assert (row["n_cooccurrence"], row["n_pivot"]) == (n_positive, n_negative)
            assert (row["auc"], row["agreement"]) == (close(auc), close(fmean(same)))


def test_layer_curves(evaluated: Evaluated) -> None:
    words, lenses = naive.behaviours(evaluated.written["layer_traces"]), naive.lenses(evaluated.written["layer_traces"])
    of_constants = {
        (row["run_id"], naive.key_of(row))
        for row in evaluated.written["layer_traces"]
        if row["is_top_pivot"] and row["top_token_id"] in lenses[row["run_id"]].constants
    }
    assert of_constants
    of_word = classes(evaluated)
    curves: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    by_class: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in evaluated.written["layer_traces"]:
        run, key, layer = row["run_id"], naive.key_of(row), row["layer"]
        if (run, key) in of_constants:  # pivots that are artefacts of the lens are none
            row = row | {"p_pivot": None, "p_control": None}
        behaviour = words[run][key]["peak"]
        for direction in (key.direction, naive.ALL):
            curves[run, *direction, behaviour, layer].append(row)
        if run != "trace-alone" and behaviour != "excluded":
            for name, value in of_word[key].items():
                by_class[run, name, value, layer].append(row)
    found = evaluated.by(
        "from marts.fct_pivot_layer_curves", "run_id", "source_lang", "target_lang", "behaviour", "layer"
    )
    classed = evaluated.by("from marts.fct_pivot_layer_curves_by_class", "run_id", "word_class", "class_value", "layer")
    for marts, expected in ((found, curves), (classed, by_class)):
        assert set(marts) == set(expected)
        for cell, rows in expected.items():
            assert marts[cell]["n_items"] == len(rows)
            if marts is found:
                n_with_pivots = sum(row["p_pivot"] is not None for row in rows)
                assert marts[cell]["n_items_with_pivots"] == n_with_pivots
            for column in ("p_pivot", "p_control", "p_source", "p_target"):
                values = [row[column] for row in rows if row[column] is not None]
                assert marts[cell][column] == close(fmean(values) if values else None)


def test_the_peak_layer_is_where_the_curve_is_highest(evaluated: Evaluated) -> None:
    curves: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in evaluated.rows("from marts.fct_pivot_layer_curves order by layer"):
        curves[row["run_id"], row["source_lang"], row["target_lang"], row["behaviour"]].append(row)
    for rows in curves.values():
        inner = [row for row in rows if row["is_read"] and row["p_pivot"] is not None]
        highest = max(inner, key=lambda row: row["p_pivot"], default=None)  # the first of equal ones
        assert [row["layer"] for row in rows if row["is_peak"]] == ([highest["layer"]] if highest else [])
        assert {row["layer"] for row in rows if row["is_read"]} == (
            set() if rows[0]["run_id"] == "trace-alone" else {2, 3, 4, 5}
        )


def test_layers_of_the_lens(evaluated: Evaluated) -> None:
    found = evaluated.by("from marts.fct_lens_layers", "run_id", "layer")
    lenses = naive.lenses(evaluated.written["layer_traces"])
    assert lenses["trace-base"].constants == {CONSTANT_TOKEN}
    assert set(found) == {(run, layer) for run, lens in lenses.items() for layer in lens.layers}
    final = {(row["run_id"], naive.key_of(row)): row for row in evaluated.written["layer_traces"] if row["layer"] == 5}
    for (run, layer), row in found.items():
        rows = [r for r in evaluated.written["layer_traces"] if (r["run_id"], r["layer"]) == (run, layer)]
        tops = lenses[run].layers[layer]
        shares = [n / len(rows) for n in tops.values()]
        token = min(tops, key=lambda token: (-tops[token], token))
        assert (row["n_prompts"], row["n_top_tokens"], row["n_items"]) == (len(rows), len(tops), len(ITEMS))
        assert (row["modal_token_id"], row["modal_token"]) == (token, f"t{token}")
        assert row["modal_share"] == close(max(shares))
        assert row["top_entropy"] == close(-sum(share * math.log(share) for share in shares))
        same = [r["top_token_id"] == final[run, naive.key_of(r)]["top_token_id"] for r in rows]
        assert row["final_agreement"] == close(fmean(same))
        assert row["p_top"] == close(fmean(r["p_top"] for r in rows))
        assert row["is_read"] == (layer in lenses[run].read)


def test_a_run_whose_peaks_are_one_token_is_flagged(evaluated: Evaluated) -> None:
    found = evaluated.by("from marts.fct_failure_signatures where signature = 'peaks_are_one_token'", "run_id")
    behaviours = evaluated.rows("from marts.fct_behaviours")
    for run in ("trace-alone", "trace-base"):
        tops = Counter(r["top_token_id"] for r in behaviours if r["run_id"] == run and r["behaviour"] != "excluded")
        share = max(tops.values()) / tops.total()
        assert found[run,]["value"] == close(share)
        assert found[run,]["status"] == ("flagged" if share > 0.5 else "ok")
    assert found["trace-alone",]["status"] == "flagged"
    assert found["trace-base",]["status"] == "ok"


def role(row: dict[str, Any]) -> str:
    return {row["source_lang"]: "source", row["target_lang"]: "target"}.get(row["lang"], "other")


def test_latent_languages(evaluated: Evaluated) -> None:
    cells: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in evaluated.written["layer_words"]:
        if not row["shares_token"]:
            for direction in (naive.key_of(row).direction, naive.ALL):
                cells[row["run_id"], *direction, row["lang"], role(row), row["layer"]].append(row)
    keys = ("run_id", "source_lang", "target_lang", "lang", "lang_role", "layer")
    found = evaluated.by("from marts.fct_latent_languages", *keys)
    assert set(found) == set(cells)
    totals: dict[tuple[Any, ...], float] = defaultdict(float)
    for (run, source, target, _, _, layer), rows in cells.items():
        totals[run, source, target, layer] += fmean(row["p"] for row in rows)
    for key, rows in cells.items():
        p = fmean(row["p"] for row in rows)
        assert (found[key]["n_words"], found[key]["p"]) == (len(rows), close(p))
        assert found[key]["top_rate"] == close(fmean(row["word_rank"] == 1 for row in rows))
        assert found[key]["mean_reciprocal_rank"] == close(fmean(1 / row["word_rank"] for row in rows))
        assert found[key]["language_share"] == close(p / totals[*key[:3], key[5]])


def test_barriers_and_copies(evaluated: Evaluated) -> None:
    lenses = naive.lenses(evaluated.written["layer_traces"])
    words: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in evaluated.written["layer_words"]:
        words[row["run_id"], naive.key_of(row)].append(row)
    cells: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for (run, key), rows in words.items():
        if any(row["shares_token"] and role(row) != "other" for row in rows):
            continue
        lens = lenses[run]
        tops = [row for row in rows if row["word_rank"] == 1 and row["layer"] in lens.read]
        first = {
            name: min((row["layer"] for row in tops if role(row) == name), default=None)
            for name in ("source", "target")
        }
        solved = [
            row
            for row in tops
            if row["layer"] < lens.last and role(row) != "source" and not (role(row) == "other" and row["shares_token"])
        ]
        word = first | {"is_solved": bool(solved)}
        for name in ("source", "target"):
            word[f"ends_{name}"] = any(row["layer"] == lens.last and role(row) == name for row in tops)
        for direction in (key.direction, naive.ALL):
            cells[run, *direction].append(word)
    barriers = evaluated.by("from marts.fct_translation_barrier", "run_id", "source_lang", "target_lang")
    copies = evaluated.by("from marts.fct_copy_rates", "run_id", "source_lang", "target_lang")
    assert set(barriers) == set(copies) == set(cells)
    for cell, members in cells.items():
        failed = [word for word in members if not word["ends_target"]]
        row = barriers[cell]
        assert (row["n_words"], row["n_answered"]) == (len(members), len(members) - len(failed))
        assert (row["n_solved_inside"], row["n_lost"]) == (
            sum(word["is_solved"] for word in members),
            sum(word["is_solved"] for word in failed),
        )
        assert row["barrier_share"] == close(fmean(word["is_solved"] for word in failed))
        row = copies[cell]
        both = [word for word in members if None not in (word["source"], word["target"])]
        assert row["copy_rate"] == close(fmean(word["source"] is not None for word in members))
        assert row["target_rate"] == close(fmean(word["target"] is not None for word in members))
        assert row["n_words_with_both"] == len(both)
        assert row["copied_first_rate"] == close(fmean(word["source"] < word["target"] for word in both))
        assert row["copied_answer_rate"] == close(fmean(word["ends_source"] for word in members))


def test_pivots_beside_words(evaluated: Evaluated) -> None:
    lenses = naive.lenses(evaluated.written["layer_traces"])
    traces = {(r["run_id"], naive.key_of(r), r["layer"]): r for r in evaluated.written["layer_traces"]}
    of_constants = {
        (run, key)
        for (run, key, _), row in traces.items()
        if row["is_top_pivot"] and row["top_token_id"] in lenses[run].constants
    }
    cells: dict[tuple[Any, ...], list[tuple[float, float]]] = defaultdict(list)
    for word in evaluated.written["layer_words"]:
        run, key = word["run_id"], naive.key_of(word)
        if role(word) == "other" and not word["shares_token"] and (run, key) not in of_constants:
            pair = (word["p"], traces[run, key, word["layer"]]["p_pivot_beyond_words"])
            for direction in (key.direction, naive.ALL):
                cells[run, *direction, word["lang"], word["layer"]].append(pair)
    found = evaluated.by("from marts.fct_pivots_beside_words", "run_id", "source_lang", "target_lang", "lang", "layer")
    assert set(found) == set(cells)
    for cell, pairs in cells.items():
        assert found[cell]["n_words"] == len(pairs)
        assert found[cell]["p_word"] == close(fmean(p for p, _ in pairs))
        assert found[cell]["p_pivot_beyond_words"] == close(fmean(pivot for _, pivot in pairs))
        assert found[cell]["pivot_above_word_rate"] == close(fmean(pivot > p for p, pivot in pairs))
