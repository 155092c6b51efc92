"""Excerpts: the document's own text, with the right places marked."""

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from warehouse.serving.excerpts import excerpt

ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """One token per byte: every Chinese character is cut in three."""
    made = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(ALPHABET)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return made


def test_marks_cover_words_and_pivots(tokenizer: Tokenizer) -> None:
    text = "the Water 图书馆 x"
    ids = tokenizer.encode(text).ids
    water, library = 4, 10
    pieces = excerpt(
        tokenizer,
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


def test_an_excerpt_of_a_long_document_says_that_it_is_one(tokenizer: Tokenizer) -> None:
    text = "a" * 100 + "water" + "b" * 100
    pieces = excerpt(tokenizer, tokenizer.encode(text).ids, words={"source": ("water", [100])})
    assert pieces == [("…" + "a" * 40, None), ("water", "source"), ("b" * 35, None), ("…", None)]


def test_an_empty_document_is_an_empty_excerpt(tokenizer: Tokenizer) -> None:
    assert excerpt(tokenizer, [], words={}) == []
