"""The shipped tokenizer fits the world, and its recipe still makes it."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from support.places import PROJECT
from warehouse.planted.documents import block_pieces
from warehouse.planted.lexicon import LANGUAGES
from warehouse.planted.pieces import pieces
from warehouse.planted.settings import SETTINGS
from warehouse.planted.tokenizer import VOCAB_SIZE, train_tokenizer
from warehouse.planted.world import concepts

SHIPPED = PROJECT / "ml" / "base_model" / "tokenizer.json"


@pytest.fixture(scope="module")
def shipped() -> Tokenizer:
    return Tokenizer.from_file(str(SHIPPED))


def test_the_recipe_makes_the_shipped_tokenizer(tmp_path: Path) -> None:
    train_tokenizer().save(str(tmp_path / "tokenizer.json"))
    assert (tmp_path / "tokenizer.json").read_bytes() == SHIPPED.read_bytes()


def test_words_and_pivots_are_single_tokens(shipped: Tokenizer) -> None:
    assert shipped.get_vocab_size() == VOCAB_SIZE
    for concept in concepts():
        spaced = [" " + w for w in (*concept.words[:2], *concept.pivots)]
        for form in [*spaced, *concept.words[2:]]:
            assert len(shipped.encode(form).ids) == 1, form
        for word in concept.words[2:]:  # in a prompt the space stays a token of its own
            assert shipped.encode(" " + word).ids == [*shipped.encode(" ").ids, *shipped.encode(word).ids]
    assert set(LANGUAGES) == {"en", "fr", "zh", "ja"}


def test_concept_words_keep_their_token_inside_running_text(shipped: Tokenizer) -> None:
    """Every Chinese and Japanese concept word in a text is written by its own token."""
    world = pieces()
    watched = set(world.word[:, 2:].ravel().tolist())
    n_words = n_broken = 0
    for row in block_pieces(SETTINGS["default"], 0, 0):
        forms = world.with_spaces(np.array([row]))[0].tolist()
        encoded = shipped.encode("".join(world.rendered[f] for f in forms))
        spans, position = set(encoded.offsets), 0
        for piece, form in zip(row, forms, strict=True):
            end = position + len(world.rendered[form])
            if piece in watched:
                n_words += 1
                n_broken += (end - len(world.texts[piece]), end) not in spans
            position = end
    assert n_words > 1000
    assert n_broken == 0
