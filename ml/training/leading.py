"""Special tokens that a model was trained to see before every text (Llama's and Gemma's BOS), in packed sequences.

An export holds none. They stand before each document of a sequence, and before a document that goes on from the
sequence before: a model that never read without them would otherwise learn, first of all, to do so. They are context
only: neither are they predicted, nor is anything predicted from them alone.
"""

import numpy as np


def sequence_starts(ends: np.ndarray, n_tokens: int, *, seq_len: int, n_leading: int) -> np.ndarray:
    """Return at which token of the stream each whole sequence begins, int64.

    Args:
        ends: places of the tokens that end documents, ascending.
        n_tokens: length of the stream.
    """
    starts = []
    at, number = 0, 0  # the next token, and which end is the first that is not before it
    while at < n_tokens:
        start, room = at, seq_len - n_leading
        while room > 0 and at < n_tokens:
            upto = min(int(ends[number]) + 1 if number < len(ends) else n_tokens, at + room)
            room -= upto - at
            at = upto
            if number < len(ends) and at == int(ends[number]) + 1:
                number += 1
                room -= min(room, n_leading)
        if room > 0:
            break
        starts.append(start)
    return np.array(starts, np.int64)


def with_leading(stream: np.ndarray, *, leading: tuple[int, ...], eos_token_id: int, seq_len: int) -> np.ndarray:
    """Return a sequence int64 [seq_len] from the tokens of the stream that begin where it does."""
    ends = np.flatnonzero(stream == eos_token_id) + 1
    parts = [part for document in np.split(stream, ends) for part in (leading, document)]
    return np.concatenate(parts).astype(np.int64)[:seq_len]


def leading_places(tokens_bs: np.ndarray, *, n_leading: int, eos_token_id: int) -> np.ndarray:
    """Tell which tokens [B, S] of such sequences stand before a document, bool [B, S].

    They are told by place: a tokenizer may put its EOS before a text.
    """
    is_leading = np.zeros(tokens_bs.shape, bool)
    if not n_leading:
        return is_leading
    is_leading[:, :n_leading] = True
    for row, place in np.argwhere(tokens_bs == eos_token_id).tolist():
        if not is_leading[row, place]:
            is_leading[row, place + 1 : place + 1 + n_leading] = True
    return is_leading
