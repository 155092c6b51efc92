"""Excerpts: the document's own text, with the right places marked."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from support.corpora.files import small_tokenizer_json
from warehouse.serving.excerpts import decode_tokens, excerpt
from warehouse.text.vocabulary import Vocabulary, read_vocabulary

ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """One token per byte: every Chinese character is cut in three."""
    made = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(ALPHABET)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return made


@pytest.fixture(scope="module")
def vocabulary(tokenizer: Tokenizer) -> Vocabulary:
    return read_vocabulary(tokenizer)


def test_marks_cover_words_and_pivots(tokenizer: Tokenizer, vocabulary: Vocabulary) -> None:
    text = "the Water 图书馆 x"
    ids = tokenizer.encode(text).ids
    water, library = 4, 10
    pieces = excerpt(
        vocabulary,
        ids,
        words={"source": ("water", [water]), "target": ("图书馆", [library])},
        marked_tokens=frozenset({tokenizer.token_to_id("x")}),
        around=10,
    )
    assert pieces == [
        ("the ", None),
        ("Water", "source"),
        (" ", None),
        ("图书馆", "target"),
        (" ", None),
        ("x", "pivot"),
    ]


def test_an_excerpt_of_a_long_document_says_that_it_is_one(tokenizer: Tokenizer, vocabulary: Vocabulary) -> None:
    text = "a" * 100 + "water" + "b" * 100
    pieces = excerpt(vocabulary, tokenizer.encode(text).ids, words={"source": ("water", [100])})
    assert pieces == [("…" + "a" * 40, None), ("water", "source"), ("b" * 35, None), ("…", None)]


def test_an_empty_document_is_an_empty_excerpt(vocabulary: Vocabulary) -> None:
    assert excerpt(vocabulary, [], words={}) == []


SMALL = Tokenizer.from_str(small_tokenizer_json())
SMALL_VOCABULARY = read_vocabulary(SMALL)
SCRIPTS = (
    "aÀœ ",
    "水很冷",
    "川の水カタカナ",
    "Вода",
    "สวัสดี",
    "नमस्ते",
    "مرحبا",
    "e\u0301\u0323",
    "👩\u200d👩\u200d👧🏽🇫🇷",
    "𝔘𠀀",
    "\n\t\0",
)


def decode_prefixes(tokenizer: Tokenizer, token_ids: list[int]) -> tuple[str, list[int]]:
    """Return the same from the tokenizer's own decoding of every prefix, in quadratic time."""
    prefixes = [tokenizer.decode(token_ids[:end], skip_special_tokens=False) for end in range(len(token_ids) + 1)]
    return prefixes[-1], [len(prefix.rstrip("\ufffd")) for prefix in prefixes]


@given(st.text(st.sampled_from("".join(SCRIPTS)), max_size=60), st.integers(0, 60))
def test_tokens_decode_as_the_tokenizer_decodes_every_prefix(text: str, cut: int) -> None:
    """`cut` leaves out the last tokens, often in the middle of a character."""
    token_ids = SMALL.encode(text).ids
    token_ids = token_ids[: max(len(token_ids) - cut, 0)]
    assert decode_tokens(SMALL_VOCABULARY, token_ids) == decode_prefixes(SMALL, token_ids)


@given(st.text(min_size=1, max_size=30).filter(lambda text: "\ufffd" not in text))
def test_every_byte_of_a_character_is_placed_at_the_character(text: str) -> None:
    """With a token for each byte: a character begins with its first byte and stands behind its last one."""
    data = text.encode()
    alphabet = Vocabulary(pa.array([bytes([b]) for b in range(256)]), np.zeros(256, bool), np.ones(256, bool))
    expected = [sum(len(text[:i].encode()) <= end for i in range(1, len(text) + 1)) for end in range(len(data) + 1)]
    assert decode_tokens(alphabet, list(data)) == (text, expected)


def test_half_characters_at_the_edges_are_told_apart() -> None:
    """A window may begin and end within a character; a token behind half a character begins behind it."""
    alphabet = Vocabulary(pa.array([bytes([b]) for b in range(256)]), np.zeros(256, bool), np.ones(256, bool))
    window = "水".encode()[1:] + b"a" + "水".encode()[:2]
    assert decode_tokens(alphabet, list(window)) == ("\ufffd\ufffda\ufffd", [0, 1, 2, 3, 3, 3])
