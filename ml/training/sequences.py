"""Training data: an export folder as fixed-length sequences in an order that is a function of (export, seed, step).

A sequence is `seq_len` consecutive tokens of the export's stream (documents one after another, each closed by EOS), as
in the OLMo memmap layout; the tail that fills no sequence is left out. There is no sampler and so no sampler state:
step s reads places [s*B, (s+1)*B) of an endless list made of one seeded permutation of all sequences per epoch.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from ml.models.nll import IGNORED
from ml.training.leading import leading_places, sequence_starts, with_leading
from warehouse.contract.errors import UsageError, raise_all
from warehouse.contract.folders import MANIFEST, TOKENIZER, ExportManifest
from warehouse.contract.hashing import file_hash, id64
from warehouse.contract.reading import read_manifest

_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Export:
    """An opened export: its manifest and one memory map per shard."""

    folder: Path
    manifest: ExportManifest
    shards: tuple[np.ndarray, ...]
    content_hash: str  # of the manifest, which holds the hash of every shard

    @property
    def n_tokens(self) -> int:
        return int(self.manifest["n_tokens"])

    @property
    def eos_token_id(self) -> int:
        return int(self.manifest["eos_token_id"])

    @property
    def tokenizer_file(self) -> Path:
        return self.folder / TOKENIZER


def open_export(folder: Path) -> Export:
    """Open an export and hold its shards to the manifest, size and hash. Raises UsageError naming what is wrong."""
    manifest_file = folder / MANIFEST
    if not manifest_file.exists():
        raise UsageError(f"--export {folder}: no manifest.json there; make an export with `pivots export`")
    manifest = read_manifest(manifest_file, ExportManifest)
    dtype = np.dtype(manifest["dtype"]).newbyteorder("<")
    shards, problems = [], []
    for shard in manifest["shards"]:
        path = folder / shard["tokens"]
        if not path.exists():
            problems.append(f"--export {folder}: {shard['tokens']} is missing")
        elif path.stat().st_size != shard["n_tokens"] * dtype.itemsize:
            problems.append(f"--export {folder}: {shard['tokens']} is not {shard['n_tokens']} tokens long")
        elif file_hash(path, digest_size=len(shard["blake2b"]) // 2) != shard["blake2b"]:
            problems.append(f"--export {folder}: {shard['tokens']} differs from its hash in the manifest")
        elif shard["n_tokens"]:
            shards.append(np.memmap(path, dtype=dtype, mode="r"))
    if not (folder / TOKENIZER).exists():
        problems.append(f"--export {folder}: tokenizer.json is missing")
    raise_all(problems)
    if not shards:
        raise UsageError(f"--export {folder}: it holds no tokens")
    return Export(folder, manifest, tuple(shards), file_hash(manifest_file))


class Sequences:
    """The export's stream cut into sequences of `seq_len` tokens, those of `leading` before every document included."""

    def __init__(self, export: Export, seq_len: int, leading: tuple[int, ...] = ()) -> None:
        self._shards, self._seq_len, self._leading = export.shards, seq_len, leading
        self._eos_token_id, self.n_leading = export.eos_token_id, len(leading)
        self._ends = np.cumsum([len(shard) for shard in export.shards])
        self._starts = self._led_starts(export) if leading else None
        self.n_sequences = int(self._ends[-1]) // seq_len if self._starts is None else len(self._starts)

    def __getitem__(self, index: int) -> np.ndarray:
        """Return sequence `index`, int64 [seq_len]; it may span shards."""
        if self._starts is None:
            return self._stream(index * self._seq_len)
        stream = self._stream(int(self._starts[index]))
        return with_leading(stream, leading=self._leading, eos_token_id=self._eos_token_id, seq_len=self._seq_len)

    def span(self, index: int) -> tuple[int, int]:
        """Return from where to where in the stream the tokens of sequence `index` stand; special ones are not in it."""
        if self._starts is None:
            return index * self._seq_len, (index + 1) * self._seq_len
        start = int(self._starts[index])
        if index + 1 < self.n_sequences:  # without gaps
            return start, int(self._starts[index + 1])
        is_leading = leading_places(self[index][None], n_leading=self.n_leading, eos_token_id=self._eos_token_id)
        return start, start + self._seq_len - int(is_leading.sum())

    def _stream(self, start: int) -> np.ndarray:
        """Return the `seq_len` tokens from one on, int64; fewer at the end."""
        stop = min(start + self._seq_len, int(self._ends[-1]))
        parts = []
        while start < stop:
            shard = int(np.searchsorted(self._ends, start, side="right"))
            shard_start = int(self._ends[shard]) - len(self._shards[shard])
            upto = min(stop, int(self._ends[shard]))
            parts.append(self._shards[shard][start - shard_start : upto - shard_start])
            start = upto
        return np.concatenate(parts).astype(np.int64)

    def _led_starts(self, export: Export) -> np.ndarray:
        begins = [int(end) - len(shard) for end, shard in zip(self._ends, self._shards, strict=True)]
        ends = [
            np.flatnonzero(shard == export.eos_token_id) + begin
            for begin, shard in zip(begins, self._shards, strict=True)
        ]
        return sequence_starts(
            np.concatenate(ends), int(self._ends[-1]), seq_len=self._seq_len, n_leading=len(self._leading)
        )

    def stack(self, indices: list[int]) -> np.ndarray:
        """Return several sequences, int64 [B, seq_len]."""
        return np.stack([self[index] for index in indices])


@lru_cache(maxsize=2)
def _epoch_order(content_hash: str, seed: int, epoch: int, n_sequences: int) -> np.ndarray:
    generator = np.random.Generator(np.random.PCG64(id64("order", content_hash, str(seed), str(epoch))))
    return generator.permutation(n_sequences)


def step_indices(content_hash: str, seed: int, step: int, *, per_step: int, n_sequences: int) -> list[int]:
    """Return which sequences step `step` (0-based) reads: a pure function of its arguments."""
    places = range(step * per_step, (step + 1) * per_step)
    return [
        int(_epoch_order(content_hash, seed, place // n_sequences, n_sequences)[place % n_sequences])
        for place in places
    ]


@dataclass(frozen=True)
class Batch:
    """Tensors of one micro-batch: tokens, labels, positions [B, S]; mask [B, 1, S, S], or None for plain causal."""

    tokens: torch.Tensor
    labels: torch.Tensor  # the next token, or IGNORED
    positions: torch.Tensor | None
    mask: torch.Tensor | None  # additive float: 0 where a query may look, the lowest value elsewhere


def make_batch(
    tokens: np.ndarray | torch.Tensor,
    *,
    eos_token_id: int,
    document_masks: bool,
    n_leading: int = 0,
    device: torch.device = _CPU,
    mask_dtype: torch.dtype = torch.float32,
) -> Batch:
    """Turn tokens [B, S] into a batch on a device.

    With document masks, positions restart in each document, no token sees another document, and a document's first
    token is not predicted from the document before it. `n_leading` special tokens stand before every document: they
    belong to it, are not predicted, and predict nothing.
    """
    ids = torch.as_tensor(tokens).to(device)
    labels = torch.full_like(ids, IGNORED)
    labels[:, :-1] = ids[:, 1:]
    is_end = ids == eos_token_id
    if n_leading:
        places = leading_places(np.asarray(tokens), n_leading=n_leading, eos_token_id=eos_token_id)
        is_leading = torch.from_numpy(places).to(device)
        labels[is_leading] = IGNORED
        labels[:, :-1][is_leading[:, 1:]] = IGNORED
        is_end &= ~is_leading
    if not document_masks:
        return Batch(ids, labels, None, None)
    labels[is_end] = IGNORED
    document = torch.zeros_like(ids)
    document[:, 1:] = is_end[:, :-1].cumsum(1)
    place = torch.arange(ids.shape[1], device=device)
    is_first = torch.ones_like(is_end)
    is_first[:, 1:] = is_end[:, :-1]
    starts = torch.where(is_first, place, torch.zeros_like(ids)).cummax(1).values
    may_look = (document[:, :, None] == document[:, None, :]) & (place[None, :, None] >= place[None, None, :])
    mask = torch.zeros(may_look.shape, dtype=mask_dtype, device=device)
    mask.masked_fill_(~may_look, torch.finfo(mask_dtype).min)
    return Batch(ids, labels, place - starts, mask[:, None])


def count_predicted(tokens: np.ndarray, *, eos_token_id: int, document_masks: bool, n_leading: int = 0) -> int:
    """Return how many labels of a batch made from tokens [B, S] are not IGNORED."""
    is_leading = leading_places(tokens, n_leading=n_leading, eos_token_id=eos_token_id)
    is_ignored = is_leading[:, :-1] | is_leading[:, 1:]
    if document_masks:
        is_ignored |= (tokens[:, :-1] == eos_token_id) & ~is_leading[:, :-1]
    return int(is_ignored.size - np.count_nonzero(is_ignored))


def count_eos(export: Export) -> int:
    """Return how many EOS tokens the export holds (its number of documents, unless the separator is mistaken)."""
    return int(sum(int(np.count_nonzero(shard == export.eos_token_id)) for shard in export.shards))
