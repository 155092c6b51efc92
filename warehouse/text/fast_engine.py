"""gigatoken, brought to tokenizers that it refuses as they are, where ids stay the same.

It is some ten times as fast as `tokenizers`. It wants a token for every byte, and knows a fixed number of ways to cut
text before merging. Two things that models have are given to it in another way: bytes without a token (SmolLM2 lacks
some control characters), and digits that stand alone (SmolLM2, StarCoder, Cohere).
"""

import json
import re
import sys
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from warehouse.contract.token_text import byte_alphabet

_FEW_TEXTS = 16  # are encoded one by one: assembling a batch costs half a millisecond
Ids = tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]  # token ids of all texts, and where each text's begin and end


class FastEngine:
    """gigatoken with one tokenizer.json. `wants_reference[token]`: a text with this token may be encoded otherwise."""

    def __init__(self, tokenizer_json: bytes, is_special: npt.NDArray[np.bool_]) -> None:
        """Open a tokenizer. Raises what gigatoken raises, bare exceptions of its own, when it cannot load it."""
        import gigatoken

        parsed = json.loads(tokenizer_json)
        self._cut = _take_digits(parsed)
        n_made_up = _add_missing_bytes(parsed, len(is_special))
        is_changed = self._cut is not None or n_made_up
        self._tokenizer = gigatoken.Tokenizer.from_json(json.dumps(parsed).encode() if is_changed else tokenizer_json)
        # gigatoken always recognises special tokens, the reference can be told not to; and what is made up is no token
        self.wants_reference = np.concatenate([is_special, np.ones(n_made_up, bool)])

    def encode(self, texts: Sequence[bytes]) -> Ids:
        """Return the ids of texts (UTF-8)."""
        if self._cut is None:
            return self._encode(texts)
        parts = [self._cut.split(text.decode()) for text in texts]
        token_ids, offsets = self._encode([piece.encode() for part in parts for piece in part if piece])
        n_pieces = [sum(map(bool, part)) for part in parts]
        return token_ids, offsets[np.concatenate([[0], np.cumsum(n_pieces, dtype=np.int64)])]

    def _encode(self, texts: Sequence[bytes]) -> Ids:
        if len(texts) <= _FEW_TEXTS:
            return joined([self._tokenizer.encode(text).view(np.int32) for text in texts])
        batch = self._tokenizer.encode_batch(list(texts), parallel=False).layout
        return np.asarray(batch.content.data).view(np.int32), np.asarray(batch.offsets.data)


def joined(parts: list[npt.NDArray[np.int32]]) -> Ids:
    """Return the ids of several texts behind one another, and where each text's begin and end."""
    offsets = np.concatenate([[0], np.cumsum([len(p) for p in parts], dtype=np.int64)])
    return np.concatenate(parts) if parts else np.empty(0, np.int32), offsets


def _take_digits(parsed: dict[str, Any]) -> re.Pattern[str] | None:
    """Take a first step that isolates digits out of a byte-level tokenizer; return where to cut texts instead.

    A text's ids are those of its pieces: no later step sees across a cut. A token that is looked for in the whole text
    before, and has a digit, would be cut: such a tokenizer is left as it is.
    """
    steps = (parsed.get("pre_tokenizer") or {}).get("pretokenizers") or []
    if [step["type"] for step in steps] != ["Digits", "ByteLevel"] or steps[1].get("add_prefix_space"):
        return None
    digit = _digits()
    added = [token for token in parsed.get("added_tokens") or () if not token.get("special")]
    if any(re.search(digit, token["content"]) or token.get("single_word") for token in added):
        return None
    parsed["pre_tokenizer"] = steps[1]
    return re.compile(f"({digit})" if steps[0].get("individual_digits") else f"({digit}+)")


@cache
def _digits() -> str:
    """Return the class of characters that `tokenizers` takes for digits: decimal, letter-like and other numbers."""
    points = [point for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point))[0] == "N"]
    starts = [point for point, before in zip(points, [-2, *points], strict=False) if point != before + 1]
    ends = [point for point, behind in zip(points, [*points[1:], -2], strict=True) if point != behind - 1]
    return "[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in zip(starts, ends, strict=True)) + "]"


def _add_missing_bytes(parsed: dict[str, Any], first_id: int) -> int:
    """Give a byte-level vocabulary a token for each byte that has none, from an id on; return how many.

    No merge holds them, so texts without those bytes have the ids that they had.
    """
    vocab = parsed["model"].get("vocab")
    if '"ByteLevel"' not in json.dumps(parsed.get("decoder")) or not isinstance(vocab, dict):
        return 0
    missing = sorted(byte_alphabet().keys() - vocab.keys())
    vocab |= {token: i for i, token in enumerate(missing, start=first_id)}
    return len(missing)
