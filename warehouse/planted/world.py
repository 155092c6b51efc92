"""The planted world: which concept is linked how, and the word list that asks for it. Fixed; no seed enters."""

from dataclasses import dataclass
from functools import cache

from warehouse.contract.hashing import id64
from warehouse.planted.lexicon import LANGUAGES, read_entries

N_TRAIN, N_DIRECT, N_PIVOT = 120, 40, 40  # the rest of the list is unlinked
N_DISTRACTORS = 9
DIRECT, PIVOT, UNLINKED = "direct", "pivot", "unlinked"
TRAIN, TEST = "train", "test"


@dataclass(frozen=True)
class Concept:
    """A meaning with a word per language (order of LANGUAGES).

    kind `direct`: its words share documents; `pivot`: they never do, only its pivots stand with each of them;
    `unlinked`: neither. role `train`: appears in glossary-like documents; `test`: never does.
    """

    concept_id: int
    topic: str
    words: tuple[str, ...]
    pivots: tuple[str, ...]  # empty for unlinked concepts
    kind: str
    role: str


@cache
def concepts() -> tuple[Concept, ...]:
    """Return the concepts of the world, ordered by concept_id (position in the list)."""
    entries = read_entries()
    order = sorted(range(len(entries)), key=lambda i: (not _shares_a_word(i), id64("planted", entries[i].words[0])))
    place = {entry: position for position, entry in enumerate(order)}
    result = []
    for i, entry in enumerate(entries):
        kind, role = _assignment(place[i])
        result.append(Concept(i, entry.topic, entry.words, () if kind == UNLINKED else entry.pivots, kind, role))
    return tuple(result)


def _shares_a_word(entry: int) -> bool:
    """Tell whether two languages write the concept alike: it then meets itself in any text, so it must be direct."""
    words = read_entries()[entry].words
    return len(set(words)) < len(words)


def _assignment(place: int) -> tuple[str, str]:
    """Return (kind, role) by place in the hash order. Training concepts meet in glossaries, so they are direct."""
    if place < N_TRAIN:
        return DIRECT, TRAIN
    if place < N_TRAIN + N_DIRECT:
        return DIRECT, TEST
    return (PIVOT, TEST) if place < N_TRAIN + N_DIRECT + N_PIVOT else (UNLINKED, TEST)


def word_records() -> list[dict[str, dict[str, str | list[str]]]]:
    """Return the word list as CLWTD records, one per concept: r[L][L] is the word, r[L][D] nine distractors in D.

    Distractors are other concepts of the same topic, of the same role first, drawn by hash: the same in every corpus.
    Neither knowing the topic nor knowing which words the glossaries translate then helps, and the words of unlinked
    concepts must stay near chance.
    """
    everything = concepts()
    records: list[dict[str, dict[str, str | list[str]]]] = []
    for concept in everything:
        record: dict[str, dict[str, str | list[str]]] = {}
        for i, lang in enumerate(LANGUAGES):
            record[lang] = {lang: concept.words[i]}
            for j, other in enumerate(LANGUAGES):
                if other != lang:
                    drawn = sorted(
                        (c for c in everything if c.topic == concept.topic and c is not concept),
                        key=lambda c: (
                            c.role != concept.role,
                            id64("distractor", concept.words[0], lang, other, c.words[0]),
                        ),
                    )
                    record[lang][other] = [c.words[j] for c in drawn[:N_DISTRACTORS]]
        records.append(record)
    return records
