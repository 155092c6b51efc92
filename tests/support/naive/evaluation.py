"""The evaluation formulas of the method once more, as naive loops that share nothing with the SQL."""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import product
from statistics import fmean, stdev
from typing import Any, NamedTuple

import numpy as np

Row = dict[str, Any]
N_RESAMPLES = 1000
ALL = ("all", "all")


class Key(NamedTuple):
    """One scored word: an item in a direction."""

    item: int
    source: str
    target: str

    @property
    def direction(self) -> tuple[str, str]:
        return self.source, self.target


def key_of(row: Row) -> Key:
    return Key(row["item_id"], row["source_lang"], row["target_lang"])


def hash_unit(value: str, salt: str) -> float:
    return int(hashlib.md5(f"{salt}:{value}".encode()).hexdigest()[:13], 16) / 2**52


def word_split(item: int) -> str:
    return "judge" if hash_unit(str(item), "word_split") < 0.5 else "find"


def in_split(item: int, split: str) -> bool:
    return split in ("all", word_split(item))


def poisson_count(uniform: float) -> int:
    """Return the smallest count whose Poisson(1) distribution function exceeds the number."""
    count, probability = 0, math.exp(-1)
    below = probability
    while uniform >= below:
        count += 1
        probability /= count
        below += probability
    return count


def bootstrap_weights(items: Iterable[int]) -> dict[int, np.ndarray]:
    """Return item -> how often each resample draws it."""
    return {
        item: np.array([poisson_count(hash_unit(f"{item}:{b}", "bootstrap")) for b in range(1, N_RESAMPLES + 1)])
        for item in sorted(set(items))
    }


def item_scores(word_scores: list[Row], field: str = "nll_mean") -> dict[str, dict[Key, dict[str, Any]]]:
    """Return run -> word -> score and rank of the right candidate, for words with a distractor."""
    draws: dict[tuple[str, Key], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in word_scores:
        if math.isfinite(row["nll_mean"]) and math.isfinite(row["nll_mean_without_space"]):
            draws[row["run_id"], key_of(row)][row["candidate"]].append(row[field])
    scores: dict[str, dict[Key, dict[str, Any]]] = defaultdict(dict)
    for (run, key), candidates in draws.items():
        nll = {candidate: fmean(values) for candidate, values in candidates.items()}
        if 0 not in nll or len(nll) == 1:
            continue
        wrong = [value for candidate, value in nll.items() if candidate]
        scores[run][key] = {
            "score": math.exp(-nll[0]) - fmean(math.exp(-value) for value in wrong),
            "rank": 1 + sum(value <= nll[0] for value in wrong),
            "chance": 1 / len(nll),
        }
    return scores


def mean_over_directions(values: dict[Key, float], split: str) -> dict[tuple[str, str], float]:
    """Return direction -> mean over its items, and all/all -> the mean of those."""
    by_direction: dict[tuple[str, str], list[float]] = defaultdict(list)
    for key, value in values.items():
        if in_split(key.item, split):
            by_direction[key.direction].append(value)
    means = {direction: fmean(members) for direction, members in by_direction.items()}
    return {**means, ALL: fmean(means.values())} if means else {}


def resampled(
    values: dict[Key, float], split: str, weights: dict[int, np.ndarray]
) -> dict[tuple[str, str], np.ndarray]:
    """Return direction -> weighted mean per resample (NaN where no item was drawn), and the mean over directions."""
    sums: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros(N_RESAMPLES))
    drawn: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros(N_RESAMPLES))
    for key, value in values.items():
        if in_split(key.item, split):
            sums[key.direction] += weights[key.item] * value
            drawn[key.direction] += weights[key.item]
    with np.errstate(invalid="ignore"):
        means = {direction: sums[direction] / drawn[direction] for direction in sums}
    return {**means, ALL: np.nanmean(list(means.values()), axis=0)}


def percentile_interval(resamples: np.ndarray) -> tuple[float, float]:
    low, high = np.nanquantile(resamples, [0.025, 0.975])
    return float(low), float(high)


def paired_deltas(arm: dict[int | None, dict[Key, Row]], base: dict[int | None, dict[Key, Row]]) -> Row:
    """Return each seed's differences by word, and their mean over seeds; base[None] stands for every seed."""
    by_seed = {}
    for seed, scored in arm.items():
        partner = base.get(seed, base.get(None))
        if partner is not None:
            by_seed[seed] = {
                key: scored[key]["score"] - partner[key]["score"] for key in scored.keys() & partner.keys()
            }
    gathered: dict[Key, list[float]] = defaultdict(list)
    for deltas in by_seed.values():
        for key, delta in deltas.items():
            gathered[key].append(delta)
    return {"by_seed": by_seed, "mean": {key: fmean(values) for key, values in gathered.items()}}


def seed_interval(means: list[float], t_quantile: float) -> tuple[float, float] | tuple[None, None]:
    if len(means) < 2:
        return None, None
    half = t_quantile * stdev(means) / math.sqrt(len(means))
    return fmean(means) - half, fmean(means) + half


class Lens(NamedTuple):
    """What of a run's layers counts."""

    layers: dict[int, Counter[int]]  # layer -> how often which top token
    read: set[int]
    constants: set[int]  # tokens that a layer shows whatever the prompt is
    last: int


def lenses(layer_traces: list[Row], max_share: float = 0.2, min_items: int = 5) -> dict[str, Lens]:
    """Return run -> what of its layers counts: those whose most frequent top token stands in few prompts."""
    of_run: dict[str, list[Row]] = defaultdict(list)
    for row in layer_traces:
        of_run[row["run_id"]].append(row)
    found = {}
    for run, rows in of_run.items():
        layers: dict[int, Counter[int]] = defaultdict(Counter)
        for row in rows:
            layers[row["layer"]][row["top_token_id"]] += 1
        last, is_judged = max(layers), len({row["item_id"] for row in rows}) >= min_items

        def share(layer: int, token: int, layers: dict[int, Counter[int]] = layers) -> float:
            return layers[layer][token] / layers[layer].total()

        frequent = {
            layer: {t for t in tops if is_judged and share(layer, t) > max_share} for layer, tops in layers.items()
        }
        read = {layer for layer, tokens in frequent.items() if layer > 0 and not tokens}
        constants = set().union(*(tokens for layer, tokens in frequent.items() if layer > 0))
        found[run] = Lens(layers, read if read - {last} else set(), constants, last)
    return found


def counts(row: Row, lens: Lens) -> bool:
    """Return whether a layer's top token may make a peak."""
    is_own = row["layer"] == lens.last or row["is_top_source"] or row["is_top_target"]
    return row["layer"] in lens.read and (is_own or row["top_token_id"] not in lens.constants)


def behaviours(layer_traces: list[Row], threshold: float = 0.1) -> dict[str, dict[Key, dict[str, Any]]]:
    """Return run -> word -> behaviour by both definitions, read after each layer that counts."""
    lens = lenses(layer_traces)
    by_word: dict[tuple[str, Key], list[Row]] = defaultdict(list)
    for row in layer_traces:
        if row["layer"] > 0:
            by_word[row["run_id"], key_of(row)].append(row)
    found: dict[str, dict[Key, dict[str, Any]]] = defaultdict(dict)
    for (run, key), rows in by_word.items():
        rows.sort(key=lambda row: row["layer"])
        counted = [row for row in rows if row.get("is_counted", counts(row, lens[run]))]
        highest = max(row["p_top"] for row in counted or rows)
        peak = [row for row in counted or rows if row["p_top"] == highest][-1]
        elsewhere = [row["p_top"] for row in counted if not row["is_top_source"] and not row["is_top_target"]]
        if peak["top_token_id"] != rows[-1]["top_token_id"] and not peak["is_top_source"]:
            by_peak = "pivot"
        else:
            by_peak = "cooccurrence"
        by_threshold = "pivot" if any(p >= threshold for p in elsewhere) else "cooccurrence"
        if not counted:
            by_peak = by_threshold = "unread"
        if rows[0]["shares_token"]:
            by_peak = by_threshold = "excluded"
        found[run][key] = {"peak": by_peak, "threshold": by_threshold, "peak_layer": peak["layer"]}
    return found


def auc_and_error(positives: Sequence[float], negatives: Sequence[float]) -> tuple[float | None, float | None]:
    """Return the area under the ROC curve, couple by couple, and DeLong's standard error."""
    if not positives or not negatives:
        return None, None

    def wins(a: float, b: float) -> float:
        return 1.0 if a > b else 0.5 if a == b else 0.0

    auc = fmean(wins(a, b) for a, b in product(positives, negatives))
    if min(len(positives), len(negatives)) < 2:
        return auc, None
    of_positives = [fmean(wins(a, b) for b in negatives) for a in positives]
    of_negatives = [fmean(wins(a, b) for a in positives) for b in negatives]
    return auc, math.sqrt(stdev(of_positives) ** 2 / len(positives) + stdev(of_negatives) ** 2 / len(negatives))
