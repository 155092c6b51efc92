"""Tokens drawn at random that are like given ones, as a control for what is special about those."""

import numpy as np
from tokenizers import Tokenizer

from ml.common.token_text import is_blank
from ml.translation.shots import mix
from warehouse.contract.hashing import id64

_WINDOW_SHARE = 0.05  # of the vocabulary: how far away a token may stand
_N_NEAREST = 20


class MatchedTokens:
    """Draws, for each of some tokens, another one of about its norm that stands near it in the vocabulary.

    A byte-pair vocabulary is in the order of its merges, so that neighbours are about as frequent.
    """

    def __init__(self, tokenizer: Tokenizer, norms: np.ndarray) -> None:
        """Take the tokenizer and the norm of each token's direction [V]."""
        self._tokenizer = tokenizer
        self._norms = norms[: tokenizer.get_vocab_size()]
        self._special = set(tokenizer.get_added_tokens_decoder())

    def choose(self, tokens: list[int], *, key: tuple[object, ...], barred: set[int]) -> list[int]:
        """Return as many others, ascending: none of them given, `barred`, special or blank, drawn by `key`."""
        taken = {*tokens, *barred, *self._special}
        window = max(_N_NEAREST * 4, int(_WINDOW_SHARE * len(self._norms)))
        chosen = []
        for token in sorted(tokens):
            near = np.arange(max(0, token - window), min(len(self._norms), token + window + 1))
            order = near[np.argsort(np.abs(self._norms[near] - self._norms[token]), kind="stable")]
            usable = (int(other) for other in order if int(other) not in taken and not self._is_blank(int(other)))
            nearest = [other for other, _ in zip(usable, range(_N_NEAREST), strict=False)]
            if not nearest:
                continue
            seed = np.uint64(id64("matched", *map(str, key), str(token)))
            hashes = mix(mix(np.array(nearest, dtype=np.uint64)) ^ seed)
            drawn = nearest[int(np.argmin(hashes))]
            taken.add(drawn)
            chosen.append(drawn)
        return sorted(chosen)

    def _is_blank(self, token: int) -> bool:
        return self._tokenizer.id_to_token(token) is None or is_blank(self._tokenizer, token)
