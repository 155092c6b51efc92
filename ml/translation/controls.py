"""Pivots of other items, to hold a pair's own pivots against."""

import numpy as np

from ml.translation.shots import mix
from warehouse.contract.hashing import id64

Pivots = dict[tuple[int, str, str], list[int]]  # by item and direction, best first


class Controls:
    """Chooses pivots of other items of the same direction, to hold a pair's own pivots against.

    Where an item's topic is known, the others are of that topic: tokens of a subject stand around all its words, and
    pivots that are no likelier than those of a neighbouring concept link nothing.
    """

    def __init__(self, pivots: Pivots, topics: dict[int, str]) -> None:
        self.pivots, self._topics = pivots, topics
        by_direction: dict[tuple[str, str], list[int]] = {}
        for item_id, source, target in sorted(pivots):
            by_direction.setdefault((source, target), []).append(item_id)
        self._items = {direction: np.array(ids, dtype=np.uint64) for direction, ids in by_direction.items()}

    def choose(self, key: tuple[int, str, str], *, barred: set[int], n_tokens: int | None = None) -> list[int] | None:
        """Return tokens, none of them the pair's own or `barred`; None if there are too few.

        As many as the pair has pivots, where `n_tokens` does not say how many.

        Another item (of the same topic) is chosen by content hash and gives its pivots, best first; if some are barred,
        the next item in the order of the hash fills up.
        """
        item_id, source, target = key
        own = self.pivots[key]
        wanted = len(own) if n_tokens is None else n_tokens
        topic = self._topics.get(item_id)
        items = self._items[source, target]
        order = np.argsort(mix(mix(items) ^ np.uint64(id64("control", str(item_id), source, target))), kind="stable")
        barred = barred | set(own)
        chosen: list[int] = []
        for other in items[order]:
            if int(other) == item_id or (topic is not None and self._topics.get(int(other)) != topic):
                continue
            for token in self.pivots[int(other), source, target]:
                if token not in barred:
                    barred.add(token)
                    chosen.append(token)
                    if len(chosen) == wanted:
                        return sorted(chosen)
        return None

    def kind(self, item_id: int) -> str:
        """Return what the controls of an item are: of its topic, or of any item because no topic is known."""
        return "same_topic" if item_id in self._topics else "any_item"
