"""Writing systems of characters: which scripts separate words, and what a token is written in."""

import unicodedata
from collections import Counter
from functools import cache

import numpy as np
import numpy.typing as npt
from fontTools import unicodedata as scripts

N_CODE_POINTS = 0x110000

# Classes of characters at the edge of a word (method section 1).
BOUNDARY = 0  # no letter, mark or digit
SEPARATED = 1  # letter, mark or digit of a script that separates words
UNSEPARATED = 2  # character of Han, Hiragana, Katakana, Thai, Lao, Khmer or Burmese

_UNSEPARATED_SCRIPTS = frozenset({"Hani", "Hira", "Kana", "Thai", "Laoo", "Khmr", "Mymr"})
_NO_SCRIPT = frozenset({"Zyyy", "Zinh", "Zzzz"})  # common to several, inherited from the character before, unassigned
_FIRST_IDEOGRAPHIC_PLANE = 0x20000  # planes 2 and 3 are kept for Han, assigned or not; above them there are no letters
_END_OF_IDEOGRAPHIC_PLANES = 0x40000


@cache
def edge_classes() -> npt.NDArray[np.uint8]:
    """Return the class of every code point (shape: N_CODE_POINTS) as one of BOUNDARY, SEPARATED, UNSEPARATED."""
    classes = np.zeros(N_CODE_POINTS, np.uint8)
    for i in range(_FIRST_IDEOGRAPHIC_PLANE):
        character = chr(i)
        kind = unicodedata.category(character)[0]
        if kind in "LMN":
            classes[i] = UNSEPARATED if _is_unseparated(character, kind) else SEPARATED
    classes[_FIRST_IDEOGRAPHIC_PLANE:_END_OF_IDEOGRAPHIC_PLANES] = UNSEPARATED
    return classes


def _is_unseparated(character: str, kind: str) -> bool:
    """Tell whether a letter, mark or number is of a script that does not separate words (Unicode's Scripts.txt).

    Letters and marks that several scripts share, such as kana's long-vowel mark, are when all of these do not separate
    words (ScriptExtensions.txt).
    """
    script = scripts.script(character)
    if script in _NO_SCRIPT and kind != "N":
        return scripts.script_extension(character) <= _UNSEPARATED_SCRIPTS
    return script in _UNSEPARATED_SCRIPTS


@cache
def simple_folding() -> npt.NDArray[np.uint32]:
    """Return the simple case folding of every code point (shape: N_CODE_POINTS).

    Python's `casefold` is the full folding; where that gives several characters, the simple one is the lower case
    when it is one character, else the character itself (Unicode CaseFolding.txt, status C and S).
    """
    folding = np.arange(N_CODE_POINTS, dtype=np.uint32)
    for i in range(_FIRST_IDEOGRAPHIC_PLANE):
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


@cache
def script_of_letter(character: str) -> str:
    """Return the script of a letter (Latin, Han, Hiragana, Arabic ...), 'Common' when it is no single script's own."""
    code = scripts.script(character)
    return "Common" if code in _NO_SCRIPT else _RENAMED.get(code) or scripts.script_name(code)


_RENAMED = {"Mymr": "Burmese"}  # Unicode says Myanmar: the warehouse has one name for the script and its language


def script_of(text: str) -> str:
    """Return the script most letters of a text are written in, the first one on a tie; 'Common' without letters.

    Letters that several scripts share, such as kana's long-vowel mark, say nothing beside others.
    """
    counts = Counter(script_of_letter(c) for c in text if unicodedata.category(c)[0] == "L")
    del counts["Common"]
    return counts.most_common(1)[0][0] if counts else "Common"
