"""The base without its test words, against the base model it is made from."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from tools.forgotten_words import BASE, FORGOTTEN, forget
from warehouse.base.errors import UsageError
from warehouse.planted.lexicon import LANGUAGES
from warehouse.planted.world import TEST, Concept, concepts

_EMBEDDINGS = "model.embed_tokens.weight"


def _token(tokenizer: Tokenizer, concept: Concept, lang: str) -> int:
    space = " " if lang in ("en", "fr") else ""
    (token,) = tokenizer.encode(space + concept.words[LANGUAGES.index(lang)], add_special_tokens=False).ids
    return token


def test_only_test_words_of_some_languages_are_forgotten(tmp_path: Path) -> None:
    forget(tmp_path / "a")
    before, after = (load_file(folder / "model.safetensors") for folder in (BASE, tmp_path / "a"))
    assert before.keys() == after.keys()
    for name in before:
        if name != _EMBEDDINGS:
            assert np.array_equal(before[name], after[name]), name
    changed = set(np.flatnonzero((before[_EMBEDDINGS] != after[_EMBEDDINGS]).any(axis=1)).tolist())
    tokenizer = Tokenizer.from_file(str(BASE / "tokenizer.json"))
    tested = [c for c in concepts() if c.role == TEST]
    assert changed == {_token(tokenizer, c, lang) for c in tested for lang in FORGOTTEN}


def test_a_forgotten_word_keeps_its_topic_and_language_and_no_more(tmp_path: Path) -> None:
    forget(tmp_path / "a")
    before, after = (load_file(folder / "model.safetensors")[_EMBEDDINGS] for folder in (BASE, tmp_path / "a"))
    tokenizer = Tokenizer.from_file(str(BASE / "tokenizer.json"))
    tested = [c for c in concepts() if c.role == TEST]

    def link(embeddings: np.ndarray) -> float:
        """Mean cosine of a concept's French and Japanese words, each less the mean of its topic's words."""
        cosines = []
        for concept in tested:
            own = []
            for lang in ("fr", "ja"):
                group = [_token(tokenizer, c, lang) for c in tested if c.topic == concept.topic]
                own.append(embeddings[_token(tokenizer, concept, lang)] - embeddings[group].mean(axis=0))
            cosines.append(own[0] @ own[1] / np.linalg.norm(own[0]) / np.linalg.norm(own[1]))
        return float(np.mean(cosines))

    assert link(before) > 0.4
    assert abs(link(after)) < 0.1
    rows = [_token(tokenizer, c, "zh") for c in tested if c.topic == "animals"]
    assert np.abs(after[rows].mean(axis=0) - before[rows].mean(axis=0)).max() < 0.2 * before[rows].std(axis=0).max()


def test_the_same_base_gives_the_same_bytes_and_a_folder_is_left_alone(tmp_path: Path) -> None:
    forget(tmp_path / "a")
    forget(tmp_path / "b")
    first, second = (sorted((tmp_path / name).iterdir()) for name in ("a", "b"))
    assert [path.name for path in first] == [path.name for path in second]
    assert all(x.read_bytes() == y.read_bytes() for x, y in zip(first, second, strict=True))
    with pytest.raises(UsageError, match="exists"):
        forget(tmp_path / "a")
