"""What an engine must do for a count: everything between the files of a corpus and the rows of the counted tables."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np

from warehouse.counting.changes import Changes
from warehouse.counting.inputs import CountInputs
from warehouse.counting.options import CountOptions
from warehouse.counting.rows.dense_rows import Packed
from warehouse.counting.tables.writer import Columns
from warehouse.counting.units.corpus_units import Corpus

SaveRows = Callable[[str, Packed], None]  # ("words" or "tokens", complete rows): called in the order of the rows


class Counted(Protocol):
    """A corpus whose units were read; its co-occurrence is counted when it is asked for, each table once, in order."""

    @property
    def corpus(self) -> Corpus:
        """The counts by stratum, and how much was read. Only the embedded engine keeps units there."""

    def pair_docs(self, pairs: np.ndarray) -> np.ndarray:
        """Return int64[pairs], n(s,t) of pairs of words of one item (int64[pairs, 2], of `item_pairs`)."""

    def word_tokens(self, save: SaveRows | None) -> Iterator[Columns]:
        """Yield the rows of `raw.word_tokens`, sorted; `save` gets the complete rows, also cells that are not kept."""

    def token_pairs(self, save: SaveRows | None) -> Iterator[Columns]:
        """Yield the rows of `raw.token_pairs`, sorted; `save` as in `word_tokens`."""


# (inputs, changes since sums were kept, options, a scratch folder that need not exist)
Engine = Callable[[CountInputs, Changes, CountOptions, Path], AbstractContextManager[Counted]]
