"""Documents against the truth they were made from, read back by a naive matcher of the method's section 1."""

import unicodedata
from functools import cache

import pytest

from warehouse.planted.documents import (
    BLOCK_DOCS,
    CODE_SWITCHED,
    DUPLICATE,
    GLOSSARY,
    GLOSSARY_LANG,
    MIXED,
    PARALLEL,
    TWO_LANGUAGES,
    Document,
    block_documents,
    block_pieces,
)
from warehouse.planted.lexicon import LANGUAGES
from warehouse.planted.pieces import pieces
from warehouse.planted.settings import SETTINGS
from warehouse.planted.world import DIRECT, TEST, TRAIN, UNLINKED, Concept, concepts

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
    # without documents of two languages only glossaries hold translations
    linked = [c for c in concepts() if c.kind == DIRECT and (SETTINGS[setting].mixed_share or c.role == TRAIN)]
    assert sum(met[c.concept_id] > 0 for c in linked) > 0.9 * len(linked)
    assert all(met[c.concept_id] == 0 for c in concepts() if c not in linked)


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


def test_documents_of_two_languages_have_the_shares_of_their_setting() -> None:
    documents = _documents("bilingual")
    for form in TWO_LANGUAGES:
        assert sum(d.form == form for d in documents) / len(documents) == pytest.approx(0.05, abs=0.01)
    other = {w for c in concepts() if c.kind != DIRECT for w in c.words}
    for document, words in zip(documents, _matches("bilingual"), strict=True):
        if document.form in TWO_LANGUAGES:
            assert not words & other
    others = [setting for name, setting in SETTINGS.items() if name != "bilingual"]
    forms = {d.form for setting in others for d in block_documents(setting, 0, 0)}
    assert not forms & {PARALLEL, CODE_SWITCHED}, "other settings have no such documents"


def test_a_base_lacks_what_its_arms_bring() -> None:
    """No document of two languages, no pivot of a test concept; otherwise the words stand where `even` has them."""
    base, arms = _documents("even_base"), _documents("even")
    assert not {d.form for d in base} & set(TWO_LANGUAGES)
    of_test = {pivot for c in concepts() if c.role == TEST for pivot in c.pivots}
    of_train = {pivot for c in concepts() if c.role == TRAIN for pivot in c.pivots}
    in_base, in_arms = (set.union(*_matches(name)) for name in ("even_base", "even"))
    assert not in_base & of_test
    assert of_train <= in_base
    assert (of_test | of_train) <= in_arms
    for lang in LANGUAGES:
        assert sum(d.lang == lang for d in arms if d.form != GLOSSARY) / len(arms) == pytest.approx(0.235, abs=0.02)


def test_a_parallel_document_says_everything_twice() -> None:
    """Its sentences come in pairs of the same length, the second one in another language with the same concepts."""
    word, world = pieces().word.tolist(), pieces()
    concept_of = {piece: (i, lang) for i, row in enumerate(word) for lang, piece in enumerate(row)}
    stops = set(world.punctuation[:, 1].tolist())
    rows = iter(block_pieces(SETTINGS["bilingual"], 5, 0))
    n_translated = 0
    for document in block_documents(SETTINGS["bilingual"], 5, 0):
        row = next(rows) if document.form in ("plain", *TWO_LANGUAGES) else []
        if document.form != PARALLEL:
            continue
        ends = [i + 1 for i, piece in enumerate(row) if piece in stops]
        sentences = [row[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        assert len(sentences) == 4
        for said, translated in zip(sentences[::2], sentences[1::2], strict=True):
            assert len(said) == len(translated)
            for a, b in zip(said, translated, strict=True):
                if a in concept_of and b in concept_of:
                    (concept, lang), (other, other_lang) = concept_of[a], concept_of[b]
                    assert (concept, lang != other_lang) == (other, True)
                    n_translated += 1
    assert n_translated > 100


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


@pytest.mark.parametrize("setting", ["default", "bilingual"])
def test_every_concept_word_is_found_where_it_was_planted(setting: str) -> None:
    """No two words join to a third one: a word is found only in documents of a topic that has it."""
    by_word: dict[str, list[Concept]] = {}
    for concept in concepts():
        for word in concept.words:
            by_word.setdefault(word, []).append(concept)
    for document, words in zip(_documents(setting), _matches(setting), strict=True):
        if document.lang != GLOSSARY_LANG:
            topics = {by_word[w][0].topic for w in words if w in by_word}
            assert len(topics) <= 1, document
