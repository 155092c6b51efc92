"""Where tokens end, against the vocabulary's own decoding."""

import unicodedata

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from support.corpora.files import small_tokenizer_json
from warehouse.text.token_offsets import place_tokens
from warehouse.text.tokenizing import Encoded, Encoder
from warehouse.text.vocabulary import Vocabulary

ENCODER = Encoder(small_tokenizer_json().encode(), "tokenizers")
TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=5)


@settings(deadline=None)
@given(texts=TEXTS, data=st.data())
def test_ends_and_differences(texts: list[str], data: st.DataObject) -> None:
    raw = [unicodedata.normalize("NFC", text).encode() for text in texts]
    encoded = ENCODER.encode(raw)
    expected = ENCODER.vocabulary.decode(encoded.token_ids)[1]
    token_ends, is_same = place_tokens(ENCODER.vocabulary, encoded, raw, b"".join(raw))
    assert token_ends.tolist() == expected.tolist()
    assert is_same.all()

    # another text under the tokens of some: a byte changed, left out or added
    other = [data.draw(st.sampled_from([r, r[:-1], r + b"x", b"x" * len(r)])) for r in raw]
    token_ends, is_same = place_tokens(ENCODER.vocabulary, encoded, other, b"".join(other))
    assert is_same.tolist() == [a == b for a, b in zip(raw, other, strict=True)]
    begins = np.concatenate([[0], np.cumsum([len(o) for o in other], dtype=np.int64)])
    for i, same in enumerate(is_same):
        own = slice(encoded.offsets[i], encoded.offsets[i + 1])
        if same:
            ends = ENCODER.vocabulary.decode(encoded.token_ids[own])[1]
            assert (token_ends[own] - begins[i]).tolist() == ends.tolist()


def test_no_texts_and_texts_without_tokens() -> None:
    nothing = Encoded(np.empty(0, np.int32), np.zeros(3, np.int64))
    token_ends, is_same = place_tokens(ENCODER.vocabulary, nothing, [b"", b"a"], b"a")
    assert (len(token_ends), is_same.tolist()) == (0, [True, False])


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 20), min_size=1, max_size=12), data=st.data())
def test_any_byte_that_differs_is_seen(sizes: list[int], data: st.DataObject) -> None:
    """Tokens of any length, the last ones of the vocabulary included."""
    tokens = [bytes((i + k) % 256 for k in range(n)) for i, n in enumerate(range(1, 21))]
    vocabulary = Vocabulary(pa.array(tokens, pa.binary()), np.zeros(20, bool), np.ones(20, bool))
    encoded = Encoded(np.array([n - 1 for n in sizes], np.int32), np.array([0, len(sizes)], np.int64))
    text = b"".join(tokens[n - 1] for n in sizes)
    token_ends, is_same = place_tokens(vocabulary, encoded, [text], text)
    assert (token_ends.tolist(), is_same.tolist()) == (np.cumsum(sizes).tolist(), [True])
    place = data.draw(st.integers(0, len(text) - 1))
    other = text[:place] + bytes([text[place] ^ 0x80]) + text[place + 1 :]
    assert place_tokens(vocabulary, encoded, [other], other)[1].tolist() == [False]
