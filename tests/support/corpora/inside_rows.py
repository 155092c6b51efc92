"""Interventions in a model, and scores of two checkpoints of a series: random rows on the words of `write_results`."""

import itertools
import random

from support.corpora.evaluation_results import CORPUS, ITEMS, LANGUAGES, has_word
from support.homes.raw_home import write_raw
from warehouse.base.settings import Home

INTERVENTIONS = ("own_pivots", "other_pivots", "random_tokens", "concept_mean")


def write_inside(home: Home, seed: int) -> None:
    """Write the runs and their rows."""
    draw = random.Random(seed)
    shared = {"corpus": CORPUS, "model_id": "series"}
    runs = [shared | {"run_id": "intervene-1", "kind": "intervene"}]
    runs += [
        shared
        | {
            "run_id": f"score-{step}",
            "kind": "score",
            "model_series": "s",
            "model_step": step,
            "n_tokens_seen": 64 * step,
        }
        for step in (10, 20)
    ]
    directions = [
        {"item_id": item, "source_lang": source, "target_lang": target}
        for item in ITEMS
        for source, target in itertools.permutations(LANGUAGES, 2)
        if has_word(item, source) and has_word(item, target)
    ]
    interventions = [
        direction
        | {
            "run_id": "intervene-1",
            "layer": 2,
            "intervention": kind,
            "n_directions": None if kind == "concept_mean" else 3,
            "changed_share": draw.random(),
            "n_target_tokens": draw.randint(1, 3),
            "nll_mean_untouched": draw.uniform(1, 4),
            "nll_mean": draw.uniform(1, 8),
        }
        for direction in directions
        for kind in INTERVENTIONS
    ]
    scores = [
        direction
        | {"run_id": f"score-{step}", "candidate": candidate, "draw": 0, "nll_mean": nll, "nll_mean_without_space": nll}
        for step in (10, 20)
        for direction in directions
        for candidate in range(4)
        for nll in [draw.uniform(1, 9)]
    ]
    write_raw(home, "runs", runs)
    write_raw(home, "interventions", interventions)
    write_raw(home, "word_scores", scores)
