"""Sums kept between counts: every count of a corpus that adds up over units, so that more files are added to it.

They are of one unit, whatever the thresholds, and hold all cells, also those below every threshold:
`lake/sums/<corpus>/<unit>-<hash of what was counted>/`.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from warehouse.base.settings import Home
from warehouse.contract.atomic import atomic_folder
from warehouse.contract.hashing import short_hash
from warehouse.counting.inputs import CountInputs
from warehouse.counting.options import CountOptions
from warehouse.counting.shards import superseded_docs
from warehouse.counting.sums.packed_rows import unpack_rows
from warehouse.counting.sums.sums_writer import SumsWriter, sums_kind
from warehouse.counting.totals import TOTALS, Totals


@dataclass(frozen=True, kw_only=True)
class Sums(Totals):
    """What is kept of a count. Ranks are in the order of `token_ids`, words in that of `word_ids` (ascending)."""

    folder: Path
    documents: dict[str, str | None]  # files counted -> their shard
    word_documents: dict[str, str | None]
    superseded: dict[str, np.ndarray]  # shard_id -> doc_ids left out
    pair_docs: np.ndarray  # int64[pairs of words of one item]
    token_starts: np.ndarray  # int64[ranks + 1], where each token's row lies in its file
    word_starts: np.ndarray  # int64[words + 1]

    def read_token_rows(self, first: int, last: int, cells: np.ndarray, begins: np.ndarray) -> None:
        """Write n(x,y) of the ranks in [first, last) to `cells`, rank by rank from `begins` on."""
        self._read("tokens", self.token_starts[first : last + 1], cells, begins)

    def read_word_rows(self, first: int, last: int, cells: np.ndarray, begins: np.ndarray) -> None:
        """Write n(w,x) of the words in [first, last) to `cells`, word by word from `begins` on."""
        self._read("words", self.word_starts[first : last + 1], cells, begins)

    def _read(self, name: str, starts: np.ndarray, cells: np.ndarray, begins: np.ndarray) -> None:
        packed = np.fromfile(
            self.folder / f"{name}.bin", np.uint8, count=int(starts[-1] - starts[0]), offset=int(starts[0])
        )
        unpack_rows(packed, starts - starts[0], cells, begins)


def find_sums(home: Home, inputs: CountInputs, options: CountOptions) -> Sums | None:
    """Return sums that today's files can be added to, or None: every file they hold is still there, as it was.

    A word list imported since then has matches in old files: that is no addition, and neither is a sample, which
    documents that come later push others out of.
    """
    if options.max_docs_per_word is not None:
        return None
    names = {p.stem for p in inputs.documents}
    matches = {p.stem for p in inputs.word_documents}
    for path in sorted((home.lake / "sums" / inputs.corpus).glob("[!.]*/sums.json")):
        found = json.loads(path.read_text())
        if found["kind"] != sums_kind(inputs, options) or not found["documents"].keys() <= names:
            continue
        if found["word_documents"].keys() != {m for m in matches if m in found["word_documents"]}:
            continue
        return load_sums(path.parent)
    return None


def load_sums(folder: Path) -> Sums:
    """Read sums, without their rows."""
    found = json.loads((folder / "sums.json").read_text())
    superseded = folder / "superseded.parquet"
    return Sums(
        folder=folder,
        documents=found["documents"],
        word_documents=found["word_documents"],
        superseded=superseded_docs(superseded if superseded.exists() else None),
        strata=[(lang, length_bin) for lang, length_bin in found["strata"]],
        n_tokens=found["n_tokens"],
        **{name: np.load(folder / f"{name}.npy") for name in (*TOTALS, "pair_docs")},
        **{f"{name}_starts": np.load(folder / f"{name}s-starts.npy") for name in ("token", "word")},
    )


@contextmanager
def sums_writer(home: Home, inputs: CountInputs, options: CountOptions) -> Iterator[SumsWriter]:
    """Yield a writer of the sums of all inputs; when it is done, they replace others of their kind."""
    kind = sums_kind(inputs, options)
    folder = home.lake / "sums" / inputs.corpus / f"{options.unit_name}-{short_hash([kind, inputs.hashes()])}"
    with atomic_folder(folder) as unfinished:
        yield SumsWriter(unfinished)
        # First these, then the rename: killed in between, the next count has no sums and counts everything again.
        # The other way round it would have two, and nothing to tell it that one of them is replaced.
        for path in folder.parent.glob("[!.]*/sums.json"):
            if json.loads(path.read_text())["kind"]["unit"] == kind["unit"]:
                shutil.rmtree(path.parent)
