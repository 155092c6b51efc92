"""The outcomes of a scored word once more, as naive loops that share nothing with the SQL."""

import math
from collections import defaultdict
from statistics import fmean
from typing import Any

from support.naive.evaluation import Key, Row, key_of

OUTCOMES = ("score", "normalised_log_p", "margin", "first_rank", "bits_per_byte")
Outcomes = dict[str, dict[Key, float]]


def item_outcomes(word_scores: list[Row], words: dict[tuple[int, str], str]) -> dict[str, Outcomes]:
    """Return run -> outcome -> word -> value; `words` names the word of an item in a language."""
    draws: dict[tuple[str, Key], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    n_tokens: dict[tuple[str, Key], int] = {}
    for row in word_scores:
        if math.isfinite(row["nll_mean"]) and math.isfinite(row["nll_mean_without_space"]):
            draws[row["run_id"], key_of(row)][row["candidate"]].append(row["nll_mean"])
            n_tokens[row["run_id"], key_of(row)] = row["n_target_tokens"]
    found: dict[str, Outcomes] = defaultdict(lambda: {outcome: {} for outcome in OUTCOMES})
    for (run, key), candidates in draws.items():
        nll = {candidate: fmean(values) for candidate, values in candidates.items()}
        if 0 not in nll:
            continue
        for outcome, value in _of_one_word(nll).items():
            found[run][outcome][key] = value
        if (word := words.get((key.item, key.target))) is not None:
            answer = f" {word}".encode()
            found[run]["bits_per_byte"][key] = nll[0] * n_tokens[run, key] / math.log(2) / len(answer)
    return found


def _of_one_word(nll: dict[int, float]) -> dict[str, float]:
    wrong = [value for candidate, value in nll.items() if candidate]
    if not wrong:
        return {}
    likelihoods: list[Any] = [math.exp(-value) for value in wrong]
    return {
        "score": math.exp(-nll[0]) - fmean(likelihoods),
        "normalised_log_p": -nll[0] - math.log(math.exp(-nll[0]) + sum(likelihoods)),
        "margin": min(wrong) - nll[0],
        "first_rank": float(nll[0] < min(wrong)),
    }
