"""Where the tokens of a text end in it, and whether they give it back, in one pass over text and tokens."""

import numpy as np
import numpy.typing as npt
from numba import njit

from warehouse.text.tokenizing import Encoded
from warehouse.text.vocabulary import Vocabulary


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
    # the eight bytes from each byte of the text on, as numbers
    text_bytes = np.frombuffer(data + bytes(8), np.uint8)
    eights: npt.NDArray[np.uint64] = np.ndarray(len(data) + 1, "<u8", text_bytes, strides=(1,))
    _place(
        encoded.token_ids,
        encoded.offsets,
        vocabulary.heads,
        np.frombuffer(token_bytes.buffers()[2] or b"", np.uint8),
        np.frombuffer(token_bytes.buffers()[1], np.int32),
        text_bytes,
        eights,
        ends,
        token_ends,
        is_same,
    )
    return token_ends, is_same


@njit(nogil=True, cache=True)
def _place(token_ids, offsets, heads, token_bytes, token_starts, data, eights, ends, token_ends, is_same):
    begin = 0
    for text in range(ends.size):
        at, end, difference = begin, ends[text], np.uint64(0)
        for i in range(offsets[text], offsets[text + 1]):
            first = token_starts[token_ids[i]]
            n_bytes = token_starts[token_ids[i] + 1] - first
            if at + n_bytes > end:
                difference |= np.uint64(1)
            elif n_bytes <= 8:  # nearly always; without a loop whose end would have to be guessed
                difference |= (
                    (eights[at] ^ heads[token_ids[i]]) << np.uint64(64 - 8 * n_bytes) if n_bytes else np.uint64(0)
                )
            else:
                for k in range(n_bytes):
                    difference |= np.uint64(token_bytes[first + k] ^ data[at + k])
            at += n_bytes
            token_ends[i] = at
        is_same[text] = difference == 0 and at == end
        begin = end
