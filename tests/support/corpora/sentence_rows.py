"""Random translations of a few sentences, before and after a training, as raw rows like the translator's."""

import random
from datetime import UTC, datetime
from typing import Any

from ml.translation.chrf import ngram_counts, sentence_scores
from support.homes.raw_home import write_raw
from warehouse.base.settings import Home

Texts = dict[tuple[str, str, str, int], tuple[str, str]]

WORDS = ["un", "chat,", "noir!", "le", "la", "maison", "猫", "が", "いる", "房子", "(很)", "大。", "eau", "."]
RUNS = {"before": "start", "after": "trained"}
DIRECTIONS = (("en", "fr"), ("fr", "en"), ("en", "ja"))


def texts(seed: int) -> Texts:
    """Return (translation, reference) by run, direction and sentence; some translations are empty or one letter."""
    draw = random.Random(seed)
    references = {n: " ".join(draw.choices(WORDS, k=draw.randint(1, 7))) for n in range(12)}
    return {
        (run, *direction, n): (draw.choice(["", "x", references[n], " ".join(draw.choices(WORDS, k=4))]), references[n])
        for run in RUNS
        for direction in DIRECTIONS
        for n in references
        if (run, n) != ("before", 3)  # a sentence that the earlier run did not have
    }


def write_sentences(home: Home, seed: int) -> Texts:
    """Write two runs, their sentences and n-grams; return (translation, reference) by run, direction and sentence."""
    written = texts(seed)
    clock = datetime(2026, 1, 1, tzinfo=UTC)
    runs: list[dict[str, Any]] = [
        {"run_id": run, "kind": "sentences", "model_id": model, "corpus": "c", "config_hash": "h",
         "strategy": "base" if run == "before" else "original", "inputs": '{"sentence_set": "s"}', "finished_at": clock}
        for run, model in RUNS.items()
    ]  # fmt: skip
    runs.append({"run_id": "t", "kind": "train", "model_id": "trained", "inputs": '{"model": "start"}'})
    write_raw(home, "runs", runs)
    rows, ngrams = [], []
    for (run, source, target, sentence), (translation, reference) in written.items():
        key = {"run_id": run, "sentence_id": sentence, "source_lang": source, "target_lang": target}
        chrf, chrf_pp = sentence_scores(translation, reference)
        rows.append(key | {"sentence_set_id": "s", "chrf": chrf, "chrf_pp": chrf_pp, "stopped_by": "newline"})
        ngrams += [key | counts for counts in ngram_counts(translation, reference)]
    write_raw(home, "sentence_scores", rows)
    write_raw(home, "sentence_ngrams", ngrams)
    return written
