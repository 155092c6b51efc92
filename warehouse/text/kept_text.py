"""What of a text its tokens keep: all of it, all of it behind a space, or what the normaliser leaves.

The lake keeps tokens and no text, so what tokens spell is what words are looked for in and what people read. Found by
trying, not by name: SentencePiece marks the first word with a space of its own, and the normalisers of its models write
other characters for some (`①` is `1`), join white space, and know no token for rare characters.
"""

import re
import unicodedata
from collections.abc import Sequence
from enum import Enum
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from warehouse.text.vocabulary import Vocabulary

PROBES = tuple(
    unicodedata.normalize("NFC", probe)
    for probe in (
        "The quick brown fox, it's 12,345.67 (approx.)\n\n\tdef f(x):\r\n    return x  ",
        "L'été dernier, où étiez-vous ? Ça coûte 3 €… naïve cœur",
        "枢軸トークンは言語を結ぶ。「約束」とカタカナ、ひらがな。",
        "语义枢轴：把一种语言带到另一种语言。①②③",
        "Привет, мир! שלום עולם مرحبا بالعالم नमस्ते दुनिया สวัสดีชาวโลก 안녕 세계",
        "👩‍👩‍👧‍👦 ﷽ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u200b\u2028\u0085 \x01\x7f  trailing ",
        "  leading, don't  'LL we'Ve\n \n x",
    )
)
# of a document's tokens: with more of them unknown, the tokenizer is not made for its language
UNKNOWN_SHARE = 0.1
_SHOWN = 24


class Kept(Enum):
    """What of a text its tokens spell."""

    TEXT = "text"
    TEXT_BEHIND_SPACE = "text behind a space"  # which a text that begins with one may do without
    NORMALISED_TEXT = "normalised text"


class LosesText(Exception):
    """Tokens spell another text than the one that was encoded."""


def kept_of_probes(vocabulary: Vocabulary, encoded: Sequence[npt.NDArray[np.int32]]) -> Kept:
    """Return what a tokenizer keeps, from its tokens of each of `PROBES`.

    Raises:
        LosesText: letters change or vanish: words would be looked for in another text.
    """
    spelt = [vocabulary.decode(token_ids)[0] for token_ids in encoded]
    texts = [probe.encode() for probe in PROBES]
    if spelt == texts:
        return Kept.TEXT
    if all(own in (text, b" " + text) for own, text in zip(spelt, texts, strict=True)):
        return Kept.TEXT_BEHIND_SPACE
    for own, probe in zip(spelt, PROBES, strict=True):
        _check_letters(own.decode("utf-8", "replace"), probe, vocabulary)
    return Kept.NORMALISED_TEXT


def _check_letters(spelt: str, probe: str, vocabulary: Vocabulary) -> None:
    """Hold what was spelt to the probe, but for white space, compatibility forms, and what has no token."""
    unknown = vocabulary.unknown_id
    mark = vocabulary.token_bytes[unknown].as_py().decode() if unknown is not None else None
    parts = spelt.split(mark) if mark else [spelt]
    # an unknown token may stand for nothing that is left of the probe
    wanted, pattern = _letters(probe), ".*".join(re.escape(_letters(part)) for part in parts)
    if not re.fullmatch(pattern, wanted, re.DOTALL):
        at = next((i for i, (a, b) in enumerate(zip(_letters(spelt), wanted, strict=False)) if a != b), 0)
        raise LosesText(f"{wanted[at : at + _SHOWN]!r} becomes {_letters(spelt)[at : at + _SHOWN]!r}")


def _letters(text: str) -> str:
    """Return a text without what normalisers do to white space, control characters and compatibility forms."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(c for c in plain if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf"))


def texts_that_tokens_spell(
    kept: Kept,
    vocabulary: Vocabulary,
    texts: Sequence[bytes],
    token_ids: npt.NDArray[np.int32],
    offsets: npt.NDArray[np.int64],
) -> list[bytes]:
    """Return what the tokens of each text spell, if they keep it as the tokenizer does."""
    if kept is Kept.TEXT:
        return list(texts)
    data, ends = vocabulary.decode(token_ids)
    places = np.concatenate([[0], ends])[offsets]
    if kept is Kept.NORMALISED_TEXT:
        return [data[begin:end] for begin, end in pairwise(places.tolist())]
    is_longer = np.diff(places) == [len(text) + 1 for text in texts]
    return [b" " + text if longer else text for text, longer in zip(texts, is_longer, strict=True)]


def lost_texts(
    kept: Kept, vocabulary: Vocabulary, token_ids: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Tell which texts a tokenizer that normalises has no tokens for: none at all, or too many unknown ones."""
    lengths = np.diff(offsets)
    if kept is not Kept.NORMALISED_TEXT:
        return np.zeros(len(lengths), bool)
    is_unknown = token_ids == (-1 if vocabulary.unknown_id is None else vocabulary.unknown_id)
    n_unknown = np.concatenate([[0], np.cumsum(is_unknown)])
    return (lengths == 0) | (np.diff(n_unknown[offsets]) > UNKNOWN_SHARE * lengths)
