"""Experiments in which no strategy differs from another: items and seeds vary, and nothing else does."""

from datetime import UTC, datetime

import numpy as np

from support.homes.raw_home import write_raw
from warehouse.base.settings import Home

STRATEGIES = ("random_multilingual", "pivot_aware", "pivot_coverage")
N_ITEMS = 30
N_SEEDS = 4
SEED_SPREAD, CELL_SPREAD = 0.22, 1.0  # of log-probability: as noisy as real arms, relative to each other
DISTRACTOR_NLL = 12.0  # so much that no probability comes near 1


def write_null_experiments(home: Home, n_experiments: int, seed: int) -> dict[tuple[str, str], np.ndarray]:
    """Write score runs of experiments without any effect; return (experiment, strategy) -> items x seeds of margins."""
    draw = np.random.default_rng(seed)
    runs, scores, margins = [], [], {}
    for experiment in (f"null-{number}" for number in range(n_experiments)):
        of_items = draw.normal(0, 1, N_ITEMS)
        for strategy in STRATEGIES:
            table = (
                of_items[:, None]
                + draw.normal(0, SEED_SPREAD, N_SEEDS)
                + draw.normal(0, CELL_SPREAD, (N_ITEMS, N_SEEDS))
            )
            margins[experiment, strategy] = table
            for number in range(N_SEEDS):
                run_id = f"{experiment}-{strategy}-{number}"
                runs.append(
                    {
                        "run_id": run_id,
                        "kind": "score",
                        "experiment": experiment,
                        "corpus": "null",
                        "strategy": strategy,
                        "seed": number,
                        "started_at": datetime(2026, 1, 1, tzinfo=UTC),
                        "finished_at": datetime(2026, 1, 1, 0, 1, number, tzinfo=UTC),
                    }
                )
                for item in range(N_ITEMS):
                    for candidate, nll in enumerate((DISTRACTOR_NLL - table[item, number], DISTRACTOR_NLL)):
                        scores.append(
                            {
                                "run_id": run_id,
                                "item_id": item,
                                "source_lang": "en",
                                "target_lang": "fr",
                                "candidate": candidate,
                                "draw": 0,
                                "nll_mean": float(nll),
                                "nll_mean_without_space": float(nll),
                            }
                        )
    write_raw(home, "runs", runs)
    write_raw(home, "word_scores", scores)
    return margins
