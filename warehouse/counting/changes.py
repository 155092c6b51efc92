"""What a count has to go through: everything, or what has changed since sums were kept."""

from dataclasses import dataclass

import numpy as np

from warehouse.counting.inputs import CountInputs
from warehouse.counting.shards import NO_DOCS, ShardPart, Shards, find_shards
from warehouse.counting.sums.kept_sums import Sums


@dataclass(frozen=True)
class Changes:
    """The corpus is `base` without `removed` and with `added`."""

    shards: Shards
    base: Sums | None
    added: list[ShardPart]
    removed: list[ShardPart]


def find_changes(inputs: CountInputs, base: Sums | None) -> Changes:
    """Compare the files of a corpus with those that sums hold."""
    shards = find_shards(inputs, {**base.documents, **base.word_documents} if base else None)
    if base is None or _has_new_matches(shards, base):
        return Changes(shards, None, [shards.without(name) for name, shard in shards.documents.items() if shard], [])
    added = [shards.without(name) for name, shard in shards.documents.items() if shard and name not in base.documents]
    removed = []
    for name, shard_id in base.documents.items():
        if shard_id is None:
            continue
        left_out, now = base.superseded.get(shard_id, NO_DOCS), shards.superseded.get(shard_id, NO_DOCS)
        if (gone := np.setdiff1d(now, left_out)).size:
            removed.append(shards.only(name, gone))
        if (back := np.setdiff1d(left_out, now)).size:
            added.append(shards.only(name, back))
    return Changes(shards, base, added, removed)


def _has_new_matches(shards: Shards, base: Sums) -> bool:
    """Tell whether a shard that the sums hold has word matches that they lack."""
    held = {shard_id for shard_id in base.documents.values() if shard_id}
    return any(shard in held for name, shard in shards.word_documents.items() if name not in base.word_documents)
