"""Which items serve as examples in a prompt: a function of item, direction and draw, and of nothing else."""

import unicodedata

import numpy as np

from ml.translation.eval_set import EvalSet, Query
from warehouse.contract.errors import UsageError
from warehouse.contract.hashing import id64

N_SHOTS = 5
N_DRAWS = 5


def mix(values: np.ndarray) -> np.ndarray:
    """Return well-spread hashes of uint64 values (the finaliser of splitmix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        values = values + np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))


def _plain(word: str) -> str:
    return unicodedata.normalize("NFC", word).casefold()


class ShotPool:
    """The items that can be examples for one direction: those with a word in both languages."""

    def __init__(self, eval_set: EvalSet, source_lang: str, target_lang: str) -> None:
        source, target = eval_set.words.get(source_lang, {}), eval_set.words.get(target_lang, {})
        ids = sorted(source.keys() & target.keys())
        self._ids = np.array(ids, dtype=np.uint64)
        self._same_source = _by_word(ids, source)
        self._same_target = _by_word(ids, target)
        self._place = {item_id: place for place, item_id in enumerate(ids)}
        self._folder = eval_set.folder

    def draw(self, query: Query, draw: int, n_shots: int = N_SHOTS) -> list[int]:
        """Return the item ids of the shots of one draw, in prompt order.

        The query's own item is never among them, nor another item that spells its source or target word the same,
        which would give the answer away. Every item has a hash for this (item, direction, draw); the smallest are
        taken, so the choice does not depend on the order of the list, and hardly on what else is in it.
        Raises UsageError when fewer than `n_shots` items are left.
        """
        key = np.uint64(id64("shots", str(query.item_id), query.source_lang, query.target_lang, str(draw)))
        hashes = mix(mix(self._ids) ^ key)
        barred = {self._place[query.item_id]}
        barred.update(self._same_source.get(_plain(query.source_word), ()))
        barred.update(self._same_target.get(_plain(query.target_word), ()))
        wanted = n_shots + len(barred)
        order = np.argsort(hashes, kind="stable") if wanted >= len(hashes) else _smallest(hashes, wanted)
        chosen = [int(place) for place in order if int(place) not in barred][:n_shots]
        if len(chosen) < n_shots:
            raise UsageError(
                f"--eval-set {self._folder}: {query.source_lang} -> {query.target_lang} has too few items to show "
                f"{n_shots} examples beside item {query.item_id}"
            )
        return [int(self._ids[place]) for place in chosen]


def _smallest(hashes: np.ndarray, count: int) -> np.ndarray:
    places = np.argpartition(hashes, count)[:count]
    return places[np.argsort(hashes[places], kind="stable")]


def _by_word(ids: list[int], words: dict[int, str]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = {}
    for place, item_id in enumerate(ids):
        places.setdefault(_plain(words[item_id]), []).append(place)
    return places
