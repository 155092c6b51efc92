"""Sums kept between counts: every count of a corpus that adds up over units, so that more files are added to it.

They are of one unit and match policy, whatever the thresholds, and hold all cells, also those below every threshold:
`lake/sums/<corpus>/<unit>-<hash of what was counted>/`.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from warehouse import lake
from warehouse.counting.inputs import CountInputs
from warehouse.counting.options import CountOptions
from warehouse.counting.packing import unpack_rows
from warehouse.counting.shards import Shards, superseded_docs
from warehouse.hashing import short_hash
from warehouse.settings import Home

if TYPE_CHECKING:
    from warehouse.counting.units import Corpus

_FORMAT = 1  # raise when the same files would give other sums, or be written otherwise
_TABLES = ("stratum_sizes", "token_ids", "stratum_docs", "word_ids", "word_strata")


@dataclass(frozen=True)
class Sums:
    """What is kept of a count. Ranks are in the order of `token_ids`, words in that of `word_ids` (ascending)."""

    folder: Path
    documents: dict[str, str | None]  # files counted -> their shard
    word_documents: dict[str, str | None]
    superseded: dict[str, np.ndarray]  # shard_id -> doc_ids left out
    strata: list[tuple[str, int]]
    n_tokens: int
    stratum_sizes: np.ndarray  # int64[strata]
    token_ids: np.ndarray  # int32[ranks]
    stratum_docs: np.ndarray  # uint32[ranks, strata]
    word_ids: np.ndarray  # int64[words]
    word_strata: np.ndarray  # int32[words, strata]
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
        self, inputs: CountInputs, shards: Shards, options: CountOptions, corpus: "Corpus", pair_docs: np.ndarray
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
        arrays = {name: getattr(corpus, name) for name in _TABLES} | {"pair_docs": pair_docs}
        for name, array in arrays.items():
            np.save(self._folder / f"{name}.npy", array)
        if inputs.superseded is not None:
            shutil.copyfile(inputs.superseded, self._folder / "superseded.parquet")
        described = {
            "kind": _kind(inputs, options),
            "documents": shards.documents,
            "word_documents": shards.word_documents,
            "strata": corpus.strata,
            "n_tokens": corpus.n_tokens,
        }
        (self._folder / "sums.json").write_text(json.dumps(described))


def _kind(inputs: CountInputs, options: CountOptions) -> dict[str, Any]:
    """Return what sums must share to be added to: everything that decides how one file is counted."""
    hashes = inputs.hashes()
    return {
        "format": _FORMAT,
        "unit": options.unit_name,
        "match_policy": options.match_policy,
        "vocab_size": inputs.vocab_size,
        **{name: hashes[name] for name in ("tokenizer", "translation_items")},
    }


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
        if found["kind"] != _kind(inputs, options) or not found["documents"].keys() <= names:
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
        **{name: np.load(folder / f"{name}.npy") for name in (*_TABLES, "pair_docs")},
        **{f"{name}_starts": np.load(folder / f"{name}s-starts.npy") for name in ("token", "word")},
    )


@contextmanager
def sums_writer(home: Home, inputs: CountInputs, options: CountOptions) -> Iterator[SumsWriter]:
    """Yield a writer of the sums of all inputs; when it is done, they replace others of their kind."""
    kind = _kind(inputs, options)
    folder = home.lake / "sums" / inputs.corpus / f"{options.unit_name}-{short_hash([kind, inputs.hashes()])}"
    lake.remove_unfinished(folder.parent)
    with lake.atomic_folder(folder) as unfinished:
        yield SumsWriter(unfinished)
    for path in folder.parent.glob("[!.]*/sums.json"):
        other = json.loads(path.read_text())["kind"]
        if path.parent != folder and (other["unit"], other["match_policy"]) == (kind["unit"], kind["match_policy"]):
            shutil.rmtree(path.parent)
