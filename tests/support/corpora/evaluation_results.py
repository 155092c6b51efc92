"""A small word list, corpus and experiment with random results: scores, traces, losses, written as raw tables."""

import itertools
import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from support.homes.raw_home import write_raw
from warehouse.base.settings import Home

CORPUS = "toy"
LANGUAGES = ["en", "fr", "zh"]
ITEMS = [10_000 + 37 * i for i in range(40)]
DIRECTIONS = list(itertools.permutations(LANGUAGES, 2))
KINDS = ["direct", "pivot", "unlinked"]
N_DRAWS = 3
N_LAYERS = 6
START_RUN = "score-start"  # of the model that trainings begin with, on every word
EXPORT_BUDGET = 900
CONSTANT_TOKEN = 9

Rows = list[dict[str, Any]]


def has_word(item: int, lang: str) -> bool:
    """The last item lacks its Chinese word."""
    return not (item == ITEMS[-1] and lang == "zh")


def word_id(item: int, lang: str) -> int:
    return item * 10 + LANGUAGES.index(lang)


def pairs_of_items() -> list[tuple[int, str, str]]:
    return [(i, s, t) for i in ITEMS for s, t in DIRECTIONS if has_word(i, s) and has_word(i, t)]


def make_runs() -> Rows:
    """Return an experiment with unequal seeds, a repeated arm, runs outside any, a checkpoint and a start."""
    arms: list[tuple[str, str, str | None, str | None, int | None]] = [("base", "base", "toy", "toy", None)]
    for strategy, seeds in {"original": [1, 2, 3], "random_multilingual": [1, 2, 3], "pivot_aware": [1, 2]}.items():
        arms += [(f"{strategy}-{seed}", strategy, "toy", "toy", seed) for seed in seeds]
    repeated = ("pivot_aware-1-first-try", "pivot_aware", "toy", "toy", 1)
    alone = ("alone", "base", None, None, None)
    rows = []
    for number, (name, strategy, experiment, corpus, seed) in enumerate([repeated, *arms, alone]):
        for kind in ("train", "score", "trace", "held_out"):
            rows.append(  # noqa: PERF401  two loops and a filter read better
                {
                    "run_id": f"{kind}-{name}",
                    "kind": kind,
                    "experiment": experiment,
                    "corpus": corpus,
                    "strategy": strategy,
                    "seed": seed,
                    "model_id": f"model-{name}",
                    "inputs": '{"model": "model-start"}' if kind == "train" else None,
                    "finished_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number),
                }
            )
    start = {"run_id": START_RUN, "kind": "score", "model_id": "model-start"}
    checkpoint = {
        "run_id": "score-original-1-step2",
        "kind": "score",
        "model_id": "model-original-1-step2",
        "model_series": "/home/runs/train-original-1/models",
        "model_step": 2,
    }
    outside = {"experiment": None, "corpus": None, "strategy": "base", "seed": None}
    written = {"inputs": None, "finished_at": datetime(2026, 1, 2, tzinfo=UTC)}
    return rows + [outside | run | written for run in (start, checkpoint)]


def make_word_scores(draw: random.Random, runs: Rows) -> Rows:
    """Draw likelihoods with ties, items without all distractors, unscored items and a diverged model.

    They are multiples of 1/64, so that equal means are equal doubles.
    """
    rows: Rows = []
    for run in (r for r in runs if r["kind"] == "score"):
        skill = draw.uniform(0.2, 1.2)
        for item, source, target in pairs_of_items():
            if run["run_id"] != START_RUN and draw.random() < 0.1:
                continue
            right = [round(64 * draw.gauss(4 - skill, 1)) / 64 for _ in range(N_DRAWS)]
            for candidate in range(1 + (0, 3, 9, 9)[item % 4]):
                nlls = right if candidate == 0 else [round(64 * draw.gauss(4, 1)) / 64 for _ in range(N_DRAWS)]
                if candidate == 1 and draw.random() < 0.2:
                    nlls = right[::-1]  # as likely as the right word
                for number, nll in enumerate(nlls):
                    diverged = run["run_id"] == "score-alone" and draw.random() < 0.05
                    rows.append(
                        {
                            "run_id": run["run_id"],
                            "item_id": item,
                            "source_lang": source,
                            "target_lang": target,
                            "candidate": candidate,
                            "draw": number,
                            "n_target_tokens": 1 + item % 3,
                            "nll_mean": math.nan if diverged else nll,
                            "nll_mean_without_space": nll * 1.25 if target == "zh" else nll,
                        }
                    )
    return rows


def make_layer_traces(draw: random.Random, runs: Rows) -> Rows:
    """Draw top tokens and probabilities from few values, so that peaks, thresholds and predictors tie.

    As a lens may: the first layer shows one token for most prompts, and `trace-alone` does so in every layer.
    """
    tokens = [1, 1, 2, 2, 2, 3, 3, *range(4, 21)]
    rows: Rows = []
    for run in (
        r for r in runs if r["kind"] == "trace" and r["run_id"] in ("trace-base", "trace-alone", "trace-original-1")
    ):
        for item, source, target in pairs_of_items():
            shares_token = draw.random() < 0.1
            for layer in range(N_LAYERS):
                is_constant = layer == 1 or run["run_id"] == "trace-alone"
                token = CONSTANT_TOKEN if is_constant and draw.random() < 0.8 else draw.choice(tokens)
                rows.append(
                    {
                        "run_id": run["run_id"],
                        "item_id": item,
                        "source_lang": source,
                        "target_lang": target,
                        "layer": layer,
                        "top_token_id": token,
                        "top_token": f"t{token}",
                        "p_top": draw.choice([0.04, 0.08, 0.1, 0.2, 0.2, 0.5]),
                        "p_source": draw.random() / 4,
                        "p_target": draw.random() * layer / N_LAYERS,
                        "p_pivot": draw.random() * math.sin(math.pi * layer / N_LAYERS) ** 2 / 10,
                        "p_control": draw.random() / 100 if item % 2 else None,
                        "p_pivot_beyond_words": None
                        if run["run_id"] == "trace-alone"
                        else draw.choice([0.0, 0.125, 0.25]),
                        "entropy": draw.random() * 5,
                        "is_top_source": token == 1,
                        "is_top_target": token == 2,
                        "is_top_pivot": token == 3 or (token == CONSTANT_TOKEN and item % 7 == 0),
                        "shares_token": shares_token,
                    }
                )
    return rows


def make_layer_words(draw: random.Random, layer_traces: Rows) -> Rows:
    """Draw ranks of the words of each language, some of them shared; the run of an earlier version has none."""
    keys = ("run_id", "item_id", "source_lang", "target_lang", "layer")
    return [
        {
            **{key: trace[key] for key in keys},
            "lang": lang,
            "p": draw.choice([0.0, 0.125, 0.25]),
            "word_rank": draw.choice([1, 1, 2, 5]),
            "shares_token": (trace["item_id"] + len(trace["source_lang"])) % 5 == LANGUAGES.index(lang),
        }
        for trace in layer_traces
        if trace["run_id"] != "trace-alone"
        for lang in LANGUAGES
        if has_word(trace["item_id"], lang)
    ]


def make_held_out_losses(draw: random.Random, runs: Rows) -> Rows:
    return [
        {
            "run_id": run["run_id"],
            "lang": lang,
            "n_docs": 5,
            "n_tokens": 400,
            "n_bytes": 1500,
            "nll_sum": draw.uniform(700, 1500),
        }
        for run in runs
        if run["kind"] == "held_out"
        for lang in LANGUAGES
    ]


def write_words(home: Home) -> None:
    """Write the word list."""
    known = [(i, lang) for i in ITEMS for lang in LANGUAGES if has_word(i, lang)]
    write_raw(home, "words", [{"word_id": word_id(i, lang), "lang": lang, "word": f"{lang}{i}"} for i, lang in known])
    rows = [{"item_id": i, "lang": lang, "word_id": word_id(i, lang)} for i, lang in known]
    write_raw(home, "translation_items", rows)


def write_corpus(home: Home, draw: random.Random) -> None:
    """Write documents that show some words, and random document frequencies with many ties."""
    documents, matches = [], []
    for number in range(120):
        lang = draw.choice(["en", "en", "en", "fr", "fr", "zh"])
        documents.append(
            {
                "corpus": CORPUS,
                "shard_id": "s",
                "doc_id": number,
                "source_id": str(number),
                "source": "",
                "source_file": "toy",
                "line_number": number + 1,
                "lang": lang,
                "lang_source": "metadata",
                "content_hash": number,
                "n_chars": 80,
                "n_bytes": 80,
                "n_tokens": 20,
                "token_ids": [2] * 20,
            }
        )
        matches += [
            {"doc_id": number, "word_id": word_id(item, word_lang), "n_matches": draw.choice([1, 2])}
            for item in draw.sample(ITEMS[:20], 3)
            for word_lang in draw.sample(LANGUAGES, 2)
        ]
    for match in matches:
        match["token_starts"] = sorted((match["word_id"] + 9 * n) % 20 for n in range(match["n_matches"]))
    shared = {"corpus": CORPUS, "shard_id": "s", "match_policy": "text"}
    write_raw(home, "documents", documents, corpus=CORPUS)
    write_raw(home, "word_documents", [m | shared for m in matches], corpus=CORPUS)
    write_raw(home, "counts", [{"corpus": CORPUS, "unit": "document", "n_units": 120}], corpus=CORPUS)
    write_raw(home, "strata", [{"corpus": CORPUS, "lang": "en", "length_bin": 1, "n_docs": 120}], corpus=CORPUS)
    frequencies = [
        {
            "corpus": CORPUS,
            "lang": "en",
            "length_bin": 1,
            "word_id": word_id(i, lang),
            "n_docs": draw.choice([12, 20, 30, 110]),
        }
        for i in ITEMS
        for lang in LANGUAGES
        if has_word(i, lang)
    ]
    write_raw(home, "word_strata", frequencies, corpus=CORPUS)
    pairs = [
        {
            "corpus": CORPUS,
            "word_id_a": word_id(i, a),
            "word_id_b": word_id(i, b),
            "n_docs": draw.choice([1, 1, 2, 3, 5, 10]),
        }
        for i in ITEMS
        for a, b in itertools.combinations(LANGUAGES, 2)
        if has_word(i, b) and draw.random() < 0.6
    ]
    write_raw(home, "word_pairs", pairs, corpus=CORPUS)
    concepts = [
        {"corpus": CORPUS, "item_id": i, "kind": KINDS[n % 3], "role": "test" if n % 5 else "train"}
        for n, i in enumerate(ITEMS)
    ]
    write_raw(home, "planted_concepts", concepts, corpus=CORPUS)


def make_infini_gram_counts(draw: random.Random) -> Rows:
    """Answers of an index of another corpus: a few words unknown, many ties, some pairs sampled or not asked for."""
    base = {"corpus": "far", "run_id": "infini_gram-far", "index_name": "i", "engine": "api", "max_diff_tokens": 100}
    base |= {"max_clause_freq": 12, "is_approx": False}
    words = {
        word_id(i, lang): draw.choice([0, 1, 2, 5, 9, 9, 20])
        for i in ITEMS
        for lang in LANGUAGES
        if has_word(i, lang) and draw.random() < 0.95
    }
    rows: Rows = [{**base, "word_id_a": w, "query": f"[{w}]", "n_occurrences": n} for w, n in words.items()]
    for i in ITEMS:
        of_item = [word_id(i, lang) for lang in LANGUAGES if word_id(i, lang) in words]
        for a, b in itertools.combinations(sorted(of_item), 2):
            if words[a] and words[b] and draw.random() < 0.95:
                both = draw.randrange(min(words[a], words[b]) + 1)
                rows.append({**base, "word_id_a": a, "word_id_b": b, "query": f"[[{a}],[{b}]]", "n_occurrences": both})
    return rows


def write_results(home: Home, seed: int) -> dict[str, Rows]:
    """Write everything; return the result tables' rows as written."""
    draw = random.Random(seed)
    write_words(home)
    write_corpus(home, draw)
    runs = make_runs()
    tables = {
        "runs": runs,
        "word_scores": make_word_scores(draw, runs),
        "layer_traces": make_layer_traces(draw, runs),
        "held_out_losses": make_held_out_losses(draw, runs),
        "training_steps": [
            {"run_id": "train-original-1", "step": n, "n_tokens_seen": 64 * n, "loss": 1 / n, "step_s": 0.5}
            for n in range(1, 30)
        ],
        "training_reads": [
            {
                "run_id": "train-original-1",
                "step": 1 + number // 30,
                "sequence": number % 30,
                "doc_id": number,
                "first_token": 5 * (number % 2),
                "n_tokens": 12,
            }
            for number in range(120)
        ],
        "exports": [
            {
                "export_id": "export-1",
                "corpus": CORPUS,
                "strategy": "random_multilingual",
                "budget_tokens": EXPORT_BUDGET,
                "lang": lang,
            }
            for lang in LANGUAGES
        ],
    }
    tables["layer_words"] = make_layer_words(random.Random(seed), tables["layer_traces"])
    tables["infini_gram_counts"] = make_infini_gram_counts(random.Random(seed))
    for table, rows in tables.items():
        write_raw(home, table, rows)
    return tables
