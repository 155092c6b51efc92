"""Writes the sums of a count, part by part."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from warehouse.counting.inputs import CountInputs
from warehouse.counting.options import CountOptions
from warehouse.counting.shards import Shards
from warehouse.counting.totals import TOTALS, Totals
from warehouse.lake.schemas import MATCH_POLICY

_FORMAT = 1  # raise when the same files would give other sums, or be written otherwise


def sums_kind(inputs: CountInputs, options: CountOptions) -> dict[str, Any]:
    """Return what sums must share to be added to: everything that decides how one file is counted."""
    hashes = inputs.hashes()
    return {
        "format": _FORMAT,
        "unit": options.unit_name,
        "match_policy": MATCH_POLICY,
        "vocab_size": inputs.vocab_size,
        **{name: hashes[name] for name in ("tokenizer", "translation_items")},
    }


class SumsWriter:
    """Takes the packed rows of a count, in order, and at the end everything else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sizes: dict[str, list[np.ndarray]] = {"tokens": [], "words": []}
        self._files = {name: (folder / f"{name}.bin").open("wb") for name in self._sizes}

    def append(self, name: str, packed: tuple[np.ndarray, np.ndarray]) -> None:
        """Add rows: their bytes, and how many are each row's."""
        content, sizes = packed
        self._files[name].write(content.data)
        self._sizes[name].append(sizes)

    def finish(
        self, inputs: CountInputs, shards: Shards, options: CountOptions, totals: Totals, pair_docs: np.ndarray
    ) -> None:
        """Write everything beside the rows.

        Args:
            pair_docs: int64, n(s,t) of `item_pairs`.
        """
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
            file.close()
        for name, sizes in self._sizes.items():
            ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), *sizes]))
            np.save(self._folder / f"{name}-starts.npy", ends)
        arrays = {name: getattr(totals, name) for name in TOTALS} | {"pair_docs": pair_docs}
        for name, array in arrays.items():
            np.save(self._folder / f"{name}.npy", array)
        if inputs.superseded is not None:
            shutil.copyfile(inputs.superseded, self._folder / "superseded.parquet")
        described = {
            "kind": sums_kind(inputs, options),
            "documents": shards.documents,
            "word_documents": shards.word_documents,
            "strata": totals.strata,
            "n_tokens": totals.n_tokens,
        }
        (self._folder / "sums.json").write_text(json.dumps(described))
