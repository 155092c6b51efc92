"""Writing systems of characters: which scripts separate words, and what a token is written in."""

import unicodedata
from collections import Counter
from functools import cache

import numpy as np
import numpy.typing as npt

N_CODE_POINTS = 0x110000

# Classes of characters at the edge of a word (method section 1).
BOUNDARY = 0  # no letter, mark or digit
SEPARATED = 1  # letter, mark or digit of a script that separates words
UNSEPARATED = 2  # character of Han, Hiragana, Katakana, Thai, Lao, Khmer or Burmese

_UNSEPARATED_RANGES = (
    (0x0E01, 0x0E3A),  # Thai
    (0x0E40, 0x0E5B),
    (0x0E80, 0x0EFF),  # Lao
    (0x1000, 0x109F),  # Burmese (Myanmar)
    (0x1780, 0x17FF),  # Khmer
    (0x19E0, 0x19FF),
    (0x2E80, 0x2FDF),  # Han radicals
    (0x3005, 0x3007),  # Han iteration mark, closing mark, zero
    (0x3021, 0x3029),
    (0x3031, 0x3035),  # kana repeat marks
    (0x3038, 0x303C),
    (0x3041, 0x30FF),  # Hiragana, Katakana, their voicing marks and the long-vowel mark; U+30FB is split off below
    (0x31F0, 0x31FF),  # Katakana extensions
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xA9E0, 0xA9FF),  # Burmese extensions
    (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF),  # Han compatibility
    (0xFF66, 0xFF9F),  # halfwidth Katakana and marks
    (0x1AFF0, 0x1B16F),  # kana supplements
    (0x20000, 0x3FFFF),  # Han, planes 2 and 3
)
_FIRST_UNASSIGNED_PLANE = 0x20000  # planes 2 and 3 are Han; above them there are no letters


@cache
def edge_classes() -> npt.NDArray[np.uint8]:
    """Return the class of every code point (shape: N_CODE_POINTS) as one of BOUNDARY, SEPARATED, UNSEPARATED."""
    classes = np.zeros(N_CODE_POINTS, np.uint8)
    category = unicodedata.category
    classes[:_FIRST_UNASSIGNED_PLANE] = [category(chr(i))[0] in "LMN" for i in range(_FIRST_UNASSIGNED_PLANE)]
    for first, last in _UNSEPARATED_RANGES:
        block = classes[first : last + 1]
        # punctuation and symbols inside a block stay boundaries
        block[block == SEPARATED] = UNSEPARATED
        if first >= _FIRST_UNASSIGNED_PLANE:
            block[:] = UNSEPARATED
    return classes


@cache
def simple_folding() -> npt.NDArray[np.uint32]:
    """Return the simple case folding of every code point (shape: N_CODE_POINTS).

    Python's `casefold` is the full folding; where that gives several characters, the simple one is the lower case
    when it is one character, else the character itself (Unicode CaseFolding.txt, status C and S).
    """
    folding = np.arange(N_CODE_POINTS, dtype=np.uint32)
    for i in range(_FIRST_UNASSIGNED_PLANE):
        character = chr(i)
        folded = character.casefold()
        if folded != character:
            if len(folded) > 1:
                folded = character.lower()
            if len(folded) == 1:
                folding[i] = ord(folded)
    return folding


def fold(text: str) -> str:
    """Return the simple case folding of a text: as many characters as before."""
    code_points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    return simple_folding()[code_points].tobytes().decode("utf-32-le")


# First words of Unicode character names that are scripts, where the script is called otherwise.
_RENAMED = {"CJK": "Han", "KANGXI": "Han", "IDEOGRAPHIC": "Han", "MYANMAR": "Burmese", "HALFWIDTH": "Katakana"}
_NO_SCRIPT = {"MODIFIER", "FEMININE", "MASCULINE", "MATHEMATICAL", "DOUBLE-STRUCK", "SCRIPT", "BLACK-LETTER"}


@cache
def script_of_letter(character: str) -> str:
    """Return the script of a letter (Latin, Han, Hiragana, Arabic ...), 'Common' when it has none.

    Unicode names open with the script ('LATIN SMALL LETTER A', 'CJK UNIFIED IDEOGRAPH-4E00').
    """
    words = unicodedata.name(character, "").replace("FULLWIDTH ", "").split(" ")
    first = words[0]
    if not first or first in _NO_SCRIPT or words[-1] in ("SIGN", "SYMBOL"):
        return "Common"
    if first == "HALFWIDTH" and "HANGUL" in words:
        return "Hangul"
    return _RENAMED.get(first, first.split("-")[0].capitalize())


def script_of(text: str) -> str:
    """Return the script most letters of a text are written in, the first one on a tie; 'Common' without letters."""
    counts = Counter(script_of_letter(c) for c in text if unicodedata.category(c)[0] == "L")
    return counts.most_common(1)[0][0] if counts else "Common"
