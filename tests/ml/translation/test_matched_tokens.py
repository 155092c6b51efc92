"""Random tokens that are like given ones."""

import numpy as np
from tokenizers import Tokenizer

from ml.common.token_text import is_blank
from ml.translation.matched_tokens import MatchedTokens


def test_matched_tokens_are_near_in_norm_and_place(tokenizer: Tokenizer) -> None:
    norms = np.random.default_rng(1).uniform(1, 2, 700)
    matched = MatchedTokens(tokenizer, norms)
    own, barred = [300, 310, 320], {301, 311}
    chosen = matched.choose(own, key=(1, "en", "fr"), barred=barred)
    assert len(chosen) == len(set(chosen)) == 3
    assert not {*chosen} & {*own, *barred, 0}
    assert all(tokenizer.id_to_token(token) and not is_blank(tokenizer, token) for token in chosen)
    assert all(min(abs(token - one) for one in own) <= 80 for token in chosen)
    assert all(min(abs(norms[token] - norms[one]) for one in own) < 0.25 for token in chosen)
    assert chosen == matched.choose([320, 300, 310], key=(1, "en", "fr"), barred=barred)
    others = [matched.choose(own, key=(item, "en", "fr"), barred=barred) for item in range(2, 8)]
    assert any(other != chosen for other in others)
