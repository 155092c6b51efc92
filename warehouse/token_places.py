"""Where the tokens of a text end in it, and whether they give it back, in one pass over text and tokens."""

import numpy as np
import numpy.typing as npt
from numba import njit

from warehouse.tokenizing import Encoded, Vocabulary


def place_tokens(
    vocabulary: Vocabulary, encoded: Encoded, texts: list[bytes], data: bytes
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """Return for every token the byte of `data` at which it ends, and for every text whether its tokens give it back.

    The tokens of a text that they do not give back end where they would if they did.

    Args:
        texts: UTF-8 of the encoded texts.
        data: the same, joined.
    """
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    token_ends = np.empty(len(encoded.token_ids), np.int32)
    is_same = np.empty(len(texts), bool)
    token_bytes = vocabulary.token_bytes
    _place(
        encoded.token_ids,
        encoded.offsets,
        np.frombuffer(token_bytes.buffers()[2] or b"", np.uint8),
        np.frombuffer(token_bytes.buffers()[1], np.int32),
        np.frombuffer(data, np.uint8),
        ends,
        token_ends,
        is_same,
    )
    return token_ends, is_same


@njit(nogil=True, cache=True)
def _place(token_ids, offsets, token_bytes, token_starts, data, ends, token_ends, is_same):
    begin = 0
    for text in range(ends.size):
        at, end, same = begin, ends[text], True
        for i in range(offsets[text], offsets[text + 1]):
            first, after = token_starts[token_ids[i]], token_starts[token_ids[i] + 1]
            if same and at + after - first <= end:
                for k in range(after - first):
                    same &= token_bytes[first + k] == data[at + k]
            else:
                same = False
            at += after - first
            token_ends[i] = at
        is_same[text] = same and at == end
        begin = end
