"""The bytes of every token of a tokenizer."""

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tokenizers

from warehouse.contract.token_text import NotSpelled, token_speller


@dataclass(frozen=True)
class Vocabulary:
    """What every token id stands for. Arrays are indexed by token id; ids that no token has are empty."""

    token_bytes: pa.Array  # binary
    is_special: npt.NDArray[np.bool_]
    exists: npt.NDArray[np.bool_]
    unknown_id: int | None = None  # stands for text that the vocabulary has no token for; None: there is none

    def __len__(self) -> int:
        return len(self.exists)

    @cached_property
    def token_ids(self) -> dict[str, int]:
        """Token id by token text, for the special tokens only."""
        ids = np.flatnonzero(self.is_special).tolist()
        return {self.token_bytes[i].as_py().decode(): i for i in ids}

    @cached_property
    def heads(self) -> npt.NDArray[np.uint64]:
        """The first eight bytes of every token as a little-endian number; what is behind a shorter one is anything."""
        starts = np.frombuffer(self.token_bytes.buffers()[1], np.int32)[: len(self)]
        padded = np.frombuffer(b"".join(self.token_bytes.to_pylist()) + bytes(8), np.uint8)
        return np.lib.stride_tricks.sliding_window_view(padded, 8)[starts].view("<u8")[:, 0].copy()

    def decode(self, token_ids: npt.NDArray[np.int32]) -> tuple[bytes, npt.NDArray[np.int32]]:
        """Return the bytes of some tokens, and the byte at which each token ends in them."""
        if not len(token_ids):
            return b"", np.empty(0, np.int32)
        taken = self.token_bytes.take(pa.array(token_ids, pa.int32()))
        ends = np.frombuffer(taken.buffers()[1], np.int32, len(token_ids) + 1)[1:]
        return taken.buffers()[2].slice(0, int(ends[-1])).to_pybytes(), ends


def read_vocabulary(tokenizer: tokenizers.Tokenizer) -> Vocabulary:
    """Return the vocabulary of a tokenizer.

    Raises:
        NotSpelled: its tokens are no pieces of text.
    """
    spell = token_speller(tokenizer)
    added = tokenizer.get_added_tokens_decoder()
    by_id = {i: token for token, i in tokenizer.get_vocab(with_added_tokens=True).items()}
    size = max(by_id, default=-1) + 1
    token_bytes, special = [b""] * size, np.zeros(size, bool)
    exists = np.zeros(size, bool)
    for i, token in by_id.items():
        exists[i] = True
        if i in added:
            token_bytes[i] = added[i].content.encode()
            special[i] = added[i].special
            continue
        try:
            token_bytes[i] = spell(token)
        except KeyError:
            raise NotSpelled(f"token {i} is {token!r}, which is not written in the alphabet of bytes") from None
    return Vocabulary(pa.array(token_bytes, pa.binary()), special, exists, _unknown_id(tokenizer))


def _unknown_id(tokenizer: tokenizers.Tokenizer) -> int | None:
    model = tokenizer.model
    if isinstance(model, tokenizers.models.Unigram):
        unknown = json.loads(model.__getstate__())["unk_id"]
        return None if unknown is None else int(unknown)
    token = getattr(model, "unk_token", None)
    return tokenizer.token_to_id(token) if token else None
