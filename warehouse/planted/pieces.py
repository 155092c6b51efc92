"""Every word that can stand in a planted document, numbered, with the spacing its script wants."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from warehouse.planted.filler import FUNCTION_WORDS, INTERNATIONAL_WORDS, PUNCTUATION, TOPIC_WORDS
from warehouse.planted.lexicon import LANGUAGES
from warehouse.planted.world import concepts

Ids = npt.NDArray[np.int64]
NO_PIECE = -1
_SPACED, _UNSPACED, _POINT, _WIDE_POINT = range(4)  # Latin word; Chinese or Japanese word; Latin, wide punctuation


@dataclass(frozen=True)
class Pieces:
    """Piece numbers by what they are, and how to write them."""

    texts: tuple[str, ...]
    rendered: tuple[str, ...]  # piece p is rendered[2p] without and rendered[2p + 1] with a leading space
    script: Ids  # (n_pieces,)
    function: Ids  # (languages, ranks)
    topic: Ids  # (topics, languages, words)
    international: Ids  # (topics, words)
    word: Ids  # (concepts, languages)
    pivot: Ids  # (concepts, 2), NO_PIECE for unlinked concepts
    punctuation: Ids  # (languages, 2): comma, full stop

    def with_spaces(self, pieces: Ids) -> Ids:
        """Return indices into `rendered` for rows of pieces (documents, positions).

        A Latin word has a space before it; a Chinese or Japanese one only after Latin text, as good typography has it.
        """
        script = self.script[pieces]
        after_latin = np.zeros_like(pieces, dtype=bool)
        after_latin[:, 1:] = np.isin(script[:, :-1], (_SPACED, _POINT))
        spaced = (script == _SPACED) | ((script == _UNSPACED) & after_latin)
        spaced[:, 0] = False
        return 2 * pieces + spaced


@cache
def pieces() -> Pieces:
    """Return the pieces of the world."""
    texts: list[str] = []
    script: list[int] = []

    def add(words: Iterable[str], kind: int) -> list[int]:
        start = len(texts)
        texts.extend(words)
        script.extend([kind] * (len(texts) - start))
        return list(range(start, len(texts)))

    kind_of = {"en": _SPACED, "fr": _SPACED, "zh": _UNSPACED, "ja": _UNSPACED}
    topics = list(TOPIC_WORDS)
    function = [add(FUNCTION_WORDS[lang], kind_of[lang]) for lang in LANGUAGES]
    topic = [[add(TOPIC_WORDS[t][lang], kind_of[lang]) for lang in LANGUAGES] for t in topics]
    international = [add(INTERNATIONAL_WORDS[t], _SPACED) for t in topics]
    word = [[add([w], kind_of[lang])[0] for w, lang in zip(c.words, LANGUAGES, strict=True)] for c in concepts()]
    pivot = [add(c.pivots, _SPACED) or [NO_PIECE, NO_PIECE] for c in concepts()]
    point = {_SPACED: _POINT, _UNSPACED: _WIDE_POINT}
    punctuation = [add(PUNCTUATION[lang], point[kind_of[lang]]) for lang in LANGUAGES]
    return Pieces(
        texts=tuple(texts),
        rendered=tuple(form for text in texts for form in (text, " " + text)),
        script=np.array(script),
        function=np.array(function),
        topic=np.array(topic),
        international=np.array(international),
        word=np.array(word),
        pivot=np.array(pivot),
        punctuation=np.array(punctuation),
    )


@cache
def topic_names() -> tuple[str, ...]:
    """Return the topics in the order in which documents number them."""
    return tuple(TOPIC_WORDS)


@cache
def members(kinds: tuple[str, ...]) -> tuple[Ids, Ids]:
    """Return (table, sizes): the concept_ids of each topic of the given kinds, padded; topics as in `topic_names`."""
    listed = [[c.concept_id for c in concepts() if c.topic == t and c.kind in kinds] for t in topic_names()]
    sizes = np.array([len(ids) for ids in listed])
    table = np.zeros((len(listed), sizes.max()), dtype=np.int64)
    for row, ids in zip(table, listed, strict=True):
        row[: len(ids)] = ids
    return table, sizes
