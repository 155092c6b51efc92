"""Documents against the truth they were made from, read back by a naive matcher of the method's section 1."""

import unicodedata
from functools import cache

import pytest

from warehouse.planted.documents import BLOCK_DOCS, DUPLICATE, GLOSSARY, GLOSSARY_LANG, MIXED, Document, block_documents
from warehouse.planted.lexicon import LANGUAGES
from warehouse.planted.settings import SETTINGS
from warehouse.planted.world import DIRECT, TEST, UNLINKED, Concept, concepts

N_BLOCKS = 2


@cache
def _documents(setting: str) -> tuple[Document, ...]:
    return tuple(d for block in range(N_BLOCKS) for d in block_documents(SETTINGS[setting], 5, block))


def _words_in(text: str) -> set[str]:
    """Return all words of the lists that the text holds: Latin ones between boundaries, others as substrings."""
    latin = "".join(c if unicodedata.name(c, "").startswith("LATIN") or c.isdigit() else " " for c in text)
    found = set(latin.split())
    return found | {w for c in concepts() for w in c.words[2:] if w in text}


@cache
def _matches(setting: str) -> list[set[str]]:
    return [_words_in(d.text) for d in _documents(setting)]


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS)
def test_only_direct_concepts_ever_meet_their_translations(setting: str) -> None:
    met: dict[int, int] = {c.concept_id: 0 for c in concepts()}
    for words in _matches(setting):
        for concept in concepts():
            met[concept.concept_id] += len(words.intersection(concept.words)) > 1
    for concept in concepts():
        if concept.kind != DIRECT:
            assert met[concept.concept_id] == 0, concept
    assert sum(met[c.concept_id] > 0 for c in concepts() if c.kind == DIRECT) > 150


def test_pivots_stand_with_their_concepts_in_each_language() -> None:
    """A pivot is much more frequent beside its concept's English word than elsewhere."""
    matches = _matches("default")
    for concept in concepts():
        beside = [bool(m.intersection(concept.pivots)) for m in matches if concept.words[0] in m]
        elsewhere = [bool(m.intersection(concept.pivots)) for m in matches if concept.words[0] not in m]
        if concept.kind == UNLINKED:
            assert not any(beside)
            assert not any(elsewhere)
        else:
            assert sum(beside) / len(beside) > 5 * sum(elsewhere) / len(elsewhere)


def test_test_concepts_never_stand_in_glossaries() -> None:
    tested = {w for c in concepts() if c.role == TEST for w in c.words}
    glossaries = [d for d in _documents("default") if d.form == GLOSSARY]
    assert glossaries
    assert all(not _words_in(d.text) & tested for d in glossaries)


def test_mixed_documents_hold_direct_concepts_only() -> None:
    other = {w for c in concepts() if c.kind != DIRECT for w in c.words}
    for document, words in zip(_documents("default"), _matches("default"), strict=True):
        if document.form == MIXED:
            assert not words & other


def test_language_shares_and_forms_follow_the_setting() -> None:
    documents = [d for d in _documents("default") if d.form != GLOSSARY and d.form != DUPLICATE]
    for lang, share in zip(LANGUAGES, SETTINGS["default"].language_shares, strict=True):
        assert sum(d.lang == lang for d in documents) / len(documents) == pytest.approx(share, abs=0.02)
    mixed = sum(d.form == MIXED for d in _documents("default")) / len(_documents("default"))
    assert mixed == pytest.approx(SETTINGS["default"].mixed_share, abs=0.02)


def test_duplicates_copy_an_earlier_text() -> None:
    documents = block_documents(SETTINGS["noisy"], 0, 0)
    for i, document in enumerate(documents):
        if document.form == DUPLICATE:
            assert any(document.text == earlier.text for earlier in documents[:i])


def test_a_block_depends_on_seed_and_number_only() -> None:
    setting = SETTINGS["default"]
    block = block_documents(setting, 3, 7)
    assert len(block) == BLOCK_DOCS
    assert block == block_documents(setting, 3, 7)
    assert block != block_documents(setting, 4, 7)
    assert block != block_documents(setting, 3, 8)


def test_every_concept_word_is_found_where_it_was_planted() -> None:
    """No two words join to a third one: a word is found only in documents of a topic that has it."""
    by_word: dict[str, list[Concept]] = {}
    for concept in concepts():
        for word in concept.words:
            by_word.setdefault(word, []).append(concept)
    for document, words in zip(_documents("default"), _matches("default"), strict=True):
        if document.lang != GLOSSARY_LANG:
            topics = {by_word[w][0].topic for w in words if w in by_word}
            assert len(topics) <= 1, document
