"""The world's lists must be unambiguous, or tests rely on a truth that is wrong."""

import itertools
import unicodedata

from warehouse.planted.filler import FUNCTION_WORDS, INTERNATIONAL_WORDS, TOPIC_WORDS
from warehouse.planted.lexicon import LANGUAGES
from warehouse.planted.world import DIRECT, N_DISTRACTORS, PIVOT, TEST, TRAIN, UNLINKED, concepts, word_records


def test_every_kind_and_role_has_its_size() -> None:
    sizes = {(c.kind, c.role): 0 for c in concepts()}
    for concept in concepts():
        sizes[concept.kind, concept.role] += 1
    assert sizes == {(DIRECT, TRAIN): 120, (DIRECT, TEST): 40, (PIVOT, TEST): 40, (UNLINKED, TEST): 12}


def test_words_pivots_and_filler_are_all_distinct() -> None:
    seen: dict[str, str] = {}
    listed = [(w, c.words[0]) for c in concepts() for w in {*c.words, *c.pivots}]
    listed += [(w, "filler") for words in FUNCTION_WORDS.values() for w in words]
    listed += [(w, "filler") for by_lang in TOPIC_WORDS.values() for words in by_lang.values() for w in words]
    listed += [(w, "filler") for words in INTERNATIONAL_WORDS.values() for w in words]
    for word, owner in listed:
        assert unicodedata.normalize("NFC", word) == word
        assert word.casefold() not in seen, f"{word} belongs to {owner} and {seen[word.casefold()]}"
        seen[word.casefold()] = owner


def test_no_unspaced_word_lies_inside_another() -> None:
    unspaced = sorted({w for c in concepts() for w in c.words[2:]})
    for short, long in itertools.permutations(unspaced, 2):
        assert short not in long


def test_only_water_is_written_alike_in_two_languages() -> None:
    alike = [c for c in concepts() if len(set(c.words)) < len(LANGUAGES)]
    assert [c.words for c in alike] == [("water", "eau", "水", "水")]
    assert alike[0].kind == DIRECT


def test_linked_concepts_have_two_pivots_and_unlinked_none() -> None:
    assert all(len(c.pivots) == (0 if c.kind == UNLINKED else 2) for c in concepts())


def test_records_hold_nine_distinct_distractors_of_other_concepts() -> None:
    for concept, record in zip(concepts(), word_records(), strict=True):
        for i, lang in enumerate(LANGUAGES):
            assert record[lang][lang] == concept.words[i]
            for j, other in enumerate(LANGUAGES):
                if other != lang:
                    distractors = record[lang][other]
                    assert len(set(distractors)) == N_DISTRACTORS
                    assert concept.words[j] not in distractors
