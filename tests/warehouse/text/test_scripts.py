"""Scripts of characters: which separate words, by Unicode's own tables."""

import unicodedata

import numpy as np
import pytest

from warehouse.text.scripts import BOUNDARY, N_CODE_POINTS, SEPARATED, UNSEPARATED, edge_classes, script_of

# Blocks of the scripts that do not separate words, typed in from the Unicode charts.
BLOCKS = (
    (0x0E01, 0x0E3A), (0x0E40, 0x0E5B), (0x0E80, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x19E0, 0x19FF),
    (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x3029), (0x3031, 0x3035), (0x3038, 0x303C), (0x3041, 0x30FF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F), (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F), (0x1AFF0, 0x1B16F),
)  # fmt: skip
# Han outside of these blocks: the old Chinese iteration mark and two Vietnamese reading marks.
FURTHER_HAN = (0x16FE3, 0x16FF0, 0x16FF1)


def test_the_classes_of_all_characters_are_those_of_the_blocks() -> None:
    expected = np.zeros(N_CODE_POINTS, np.uint8)
    for i in range(0x20000):
        if unicodedata.category(chr(i))[0] in "LMN":
            is_unseparated = i in FURTHER_HAN or any(first <= i <= last for first, last in BLOCKS)
            expected[i] = UNSEPARATED if is_unseparated else SEPARATED
    expected[0x20000:0x40000] = UNSEPARATED
    different = np.flatnonzero(edge_classes() != expected)
    assert [f"U+{i:04X}" for i in different] == []


@pytest.mark.parametrize(
    ("characters", "edge"),
    [("aÀ5я한ա٣", SEPARATED), ("水々〇ひカーｶไລខမ၁", UNSEPARATED), (" .、!・。฿\0", BOUNDARY), ("㈠㆒", SEPARATED)],
)
def test_classes_of_a_few(characters: str, edge: int) -> None:
    assert [edge_classes()[ord(c)] for c in characters] == [edge] * len(characters)


@pytest.mark.parametrize(
    ("text", "script"),
    [
        (" water", "Latin"),
        ("ª", "Latin"),
        ("вода", "Cyrillic"),
        ("ъ", "Cyrillic"),  # its name ends in "sign", as those of symbols do
        ("水", "Han"),
        ("々", "Han"),
        ("ひらがな", "Hiragana"),
        ("コーヒー", "Katakana"),
        ("ール", "Katakana"),
        ("ー", "Common"),  # Hiragana's and Katakana's
        ("မြန်မာ", "Burmese"),
        ("한글", "Hangul"),
        ("ﾊﾝｸﾞﾙ", "Katakana"),
        ("水 water", "Latin"),
        ("12 + 3", "Common"),
        ("", "Common"),
    ],
)
def test_a_text_is_of_the_script_of_most_of_its_letters(text: str, script: str) -> None:
    assert script_of(text) == script
