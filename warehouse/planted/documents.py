"""Planted documents, block by block. A block depends on setting, seed and its number only, never on the scale."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from warehouse.contract.hashing import id64
from warehouse.planted.filler import JUNK
from warehouse.planted.lexicon import LANGUAGE_NAMES, LANGUAGES
from warehouse.planted.pieces import NO_PIECE, Ids, members, pieces
from warehouse.planted.settings import Setting
from warehouse.planted.world import DIRECT, TEST, TRAIN, concepts

BLOCK_DOCS = 4096
GLOSSARY_LANG = "mul"  # ISO 639-2 for multiple languages: a glossary belongs to none of its two
GLOSSARY_PAIRS = 6  # five shots and the query of the few-shot prompt
PLAIN, MIXED, GLOSSARY, DUPLICATE, JUNK_FORM = "plain", "mixed", "glossary", "duplicate", "junk"
PARALLEL, CODE_SWITCHED = "parallel", "code_switched"
TWO_LANGUAGES = (MIXED, PARALLEL, CODE_SWITCHED)
PARALLEL_SENTENCES = 4  # two, each followed by its translation
SWITCH_SLOTS = 2  # a code-switched document may change its language after this many words ...
SWITCH_RATE = 0.4  # ... and so many of these pieces are in the second one

Uniform = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Document:
    """A planted document."""

    lang: str
    form: str  # plain, mixed, parallel or code_switched (two languages), glossary, duplicate, junk
    text: str


@dataclass(frozen=True)
class _Draft:
    """Documents of a block before they are written out: arrays over documents (and positions)."""

    form: npt.NDArray[np.str_]
    lang: Ids
    second_lang: Ids  # equals lang unless the form is of two languages
    length: Ids
    piece: Ids  # (documents, positions); positions past `length` mean nothing


def block_documents(setting: Setting, seed: int, block: int) -> list[Document]:
    """Return the BLOCK_DOCS documents of a block."""
    # random() alone is drawn: its stream is fixed by PCG64, other distributions may change with NumPy's version
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([id64("planted", setting.name), seed, block])))
    draft = _draft(setting, rng)
    rows = pieces().with_spaces(draft.piece).tolist()
    rendered = pieces().rendered
    glossaries = iter(_glossaries(rng, int((draft.form == GLOSSARY).sum())))
    choice = rng.random((BLOCK_DOCS, 2))
    documents: list[Document] = []
    for i, (form, lang, length) in enumerate(
        zip(draft.form.tolist(), draft.lang.tolist(), draft.length.tolist(), strict=True)
    ):
        if form == GLOSSARY:
            documents.append(Document(GLOSSARY_LANG, form, next(glossaries)))
        elif form == JUNK_FORM:
            documents.append(Document(LANGUAGES[lang], form, _junk(*choice[i])))
        elif form == DUPLICATE:
            copied = documents[int(choice[i, 0] * len(documents))]
            documents.append(Document(copied.lang, form, copied.text))
        else:
            documents.append(Document(LANGUAGES[lang], form, "".join([rendered[p] for p in rows[i][:length]])))
    return documents


def block_pieces(setting: Setting, seed: int, block: int) -> list[list[int]]:
    """Return the piece numbers of a block's documents of running text: the segmentation that no tokenizer may break."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([id64("planted", setting.name), seed, block])))
    draft = _draft(setting, rng)
    written = np.isin(draft.form, (PLAIN, *TWO_LANGUAGES)).tolist()
    rows = zip(draft.piece.tolist(), draft.length.tolist(), written, strict=True)
    return [row[:length] for row, length, is_written in rows if is_written]


def _draft(setting: Setting, rng: np.random.Generator) -> _Draft:
    n, words = BLOCK_DOCS, pieces()
    form = _pick(
        rng.random(n),
        (
            setting.junk_share,
            setting.duplicate_share,
            setting.glossary_share,
            setting.mixed_share,
            setting.parallel_share,
            setting.code_switched_share,
        ),
        np.array([JUNK_FORM, DUPLICATE, GLOSSARY, MIXED, PARALLEL, CODE_SWITCHED, PLAIN]),
    )
    form[0] = PLAIN if form[0] == DUPLICATE else form[0]  # nothing to copy yet
    has_two = np.isin(form, TWO_LANGUAGES)
    lang = _pick(rng.random(n), setting.language_shares[:-1], np.arange(len(LANGUAGES)))
    shift = 1 + _below(rng.random(n), len(LANGUAGES) - 1)
    second_lang = np.where(has_two, (lang + shift) % len(LANGUAGES), lang)
    # within a sentence, two unspaced scripts would touch: one of the languages is a spaced one
    n_spaced = len(LANGUAGES) // 2
    both_unspaced = (form == CODE_SWITCHED) & (lang >= n_spaced) & (second_lang >= n_spaced)
    second_lang = np.where(both_unspaced, second_lang - n_spaced, second_lang)
    topic = _below(rng.random(n), len(words.topic))
    shortest, longest = setting.n_slots
    length = shortest + _below(rng.random(n), longest - shortest + 1)
    length = np.where(form == PARALLEL, length - length % PARALLEL_SENTENCES, length)
    focus = _focus_concepts(setting, rng, topic, has_two)  # (documents, n_focus)
    pivot_rate = np.where(rng.random(n) < setting.rich_share, setting.rich_pivot_rate, setting.plain_pivot_rate)

    position = np.arange(longest)
    # the second language of a mixed document takes over in the middle, after a full stop
    is_second = position >= length[:, None] // 2
    sentence = np.where(form == PARALLEL, length // PARALLEL_SENTENCES, 2 * longest)[:, None]  # its slots
    is_translation = position // sentence % 2 == 1
    is_second = np.where((form == PARALLEL)[:, None], is_translation, is_second)
    if setting.code_switched_share:
        switches = rng.random((n, longest))[:, position // SWITCH_SLOTS] < SWITCH_RATE
        is_second = np.where((form == CODE_SWITCHED)[:, None], switches, is_second)
    slot_lang = np.where(is_second, second_lang[:, None], lang[:, None])
    # a translation says what the sentence before it said, slot by slot
    said = position - np.where(is_translation, sentence, 0)
    kind = np.take_along_axis(rng.random((n, longest)), said, axis=1)
    which = np.take_along_axis(rng.random((n, longest)), said, axis=1)
    piece = _function_words(words.function, slot_lang, np.take_along_axis(rng.random((n, longest)), said, axis=1))

    upper = np.full(n, setting.concept_rate)
    is_concept = kind < upper[:, None]
    is_pivot = ~is_concept & (kind < (upper := upper + pivot_rate)[:, None])
    is_topic = ~is_concept & ~is_pivot & (kind < (upper := upper + setting.topic_rate)[:, None])
    is_international = ~(is_concept | is_pivot | is_topic) & (kind < (upper + setting.international_rate)[:, None])
    # words of unspaced scripts never touch: their joint could spell another word
    is_content = is_concept | is_topic
    touches = np.zeros_like(is_content)
    touches[:, 1:] = is_content[:, :-1]
    touches[:, 0] = True  # a document starts with a function word
    is_concept &= ~touches
    is_topic &= ~touches
    is_pivot[:, 0] = is_international[:, 0] = False

    concept = np.take_along_axis(focus, _below(which, setting.n_focus), axis=1)
    if setting.off_topic_rate:
        anything = _below(rng.random((n, longest)), len(words.word))
        strays = (rng.random((n, longest)) < setting.off_topic_rate) & ~has_two[:, None]
        named = np.where(strays, anything, concept)
    else:
        named = concept
    fraction = (which * setting.n_focus) % 1.0  # independent of which focus was taken
    piece = np.where(is_concept, words.word[named, slot_lang], piece)
    pivot = words.pivot[concept, _below(fraction, words.pivot.shape[1])]
    if not setting.has_test_pivots:
        pivot = np.where(_of_test_concepts()[concept], NO_PIECE, pivot)
    piece = np.where(is_pivot & (pivot != NO_PIECE), pivot, piece)
    piece = np.where(is_topic, words.topic[topic[:, None], slot_lang, _below(fraction, words.topic.shape[2])], piece)
    piece = np.where(
        is_international, words.international[topic[:, None], _below(fraction, words.international.shape[1])], piece
    )
    ends = (position == length[:, None] // 2 - 1) | (position == length[:, None] - 1)
    ends |= (position % sentence == sentence - 1) & (position < length[:, None])
    piece = np.where(ends, words.punctuation[slot_lang, 1], piece)
    return _Draft(form, lang, second_lang, length, piece)


def _focus_concepts(setting: Setting, rng: np.random.Generator, topic: Ids, has_two: npt.NDArray[np.bool_]) -> Ids:
    """Return concept_ids (documents, n_focus) of the topic; two languages speak about direct concepts only."""
    chosen = rng.random((len(topic), setting.n_focus))
    everything, n_everything = members(("direct", "pivot", "unlinked"))
    direct, n_direct = members((DIRECT,))
    of_all = everything[topic[:, None], _below(chosen, n_everything[topic][:, None])]
    of_direct = direct[topic[:, None], _below(chosen, n_direct[topic][:, None])]
    return np.where(has_two[:, None], of_direct, of_all)


@cache
def _of_test_concepts() -> npt.NDArray[np.bool_]:
    """Return by concept_id whether no glossary holds the concept."""
    return np.array([c.role == TEST for c in concepts()])


def _function_words(function: Ids, slot_lang: Ids, draw: Uniform) -> Ids:
    """Return function words by Zipf's law: the word of rank r has weight 1 / r."""
    weight = 1.0 / np.arange(1, function.shape[1] + 1)
    cumulative = np.cumsum(weight) / weight.sum()
    return function[slot_lang, np.searchsorted(cumulative[:-1], draw, side="right")]


def _glossaries(rng: np.random.Generator, count: int) -> list[str]:
    """Return documents in the few-shot format of the method's section 6, of training concepts only."""
    train = [c for c in concepts() if c.role == TRAIN]
    n = len(LANGUAGES)
    source = _below(rng.random(count), n)
    target = (source + 1 + _below(rng.random(count), n - 1)) % n
    drawn = rng.random((count, len(train))).argsort(axis=1, kind="stable")[:, :GLOSSARY_PAIRS]
    return [
        glossary_text(LANGUAGES[s], LANGUAGES[t], [(train[i].words[s], train[i].words[t]) for i in row])
        for s, t, row in zip(source.tolist(), target.tolist(), drawn.tolist(), strict=True)
    ]


def glossary_text(source_lang: str, target_lang: str, pairs: list[tuple[str, str]]) -> str:
    """Return word pairs written as the evaluation prompt writes its shots."""
    source, target = LANGUAGE_NAMES[source_lang], LANGUAGE_NAMES[target_lang]
    lines = [f"{source}: {a}\n{target}: {b}" for a, b in pairs]
    return f"Please translate words from {source} to {target}.\n\n" + "\n\n".join(lines)


def _junk(kind: float, size: float) -> str:
    return JUNK[int(kind * len(JUNK))] * (5 + int(size * 30)) + f"{int(size * 1e6)}"


def _below(draw: Uniform, upper: int | Ids) -> Ids:
    """Turn uniform numbers in [0, 1) into integers in [0, upper)."""
    return np.floor(draw * upper).astype(np.int64)


def _pick(draw: Uniform, shares: tuple[float, ...], values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return values[i] with probability shares[i]; the last value takes what is left."""
    return values[np.searchsorted(np.cumsum(shares), draw, side="right")]
