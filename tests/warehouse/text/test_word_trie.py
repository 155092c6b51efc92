"""The double array: every word of a large list has its own path, and nothing else has one."""

import random

import numpy as np
import pytest

from warehouse.text.word_trie import build_trie, find_words

ALPHABETS = {
    "few letters": "abcd",
    "many letters": "".join(chr(0x4E00 + i) for i in range(3000)),
    "both": "abcdefgh" + "".join(chr(0x4E00 + 7 * i) for i in range(500)) + "𠀀𠀁",
}


def words_at(trie, text: str) -> list[tuple[int, int]]:  # type: ignore[no-untyped-def]
    """Return (byte, word) of every match, by one token a byte."""
    data = text.encode()
    _, words, tokens = find_words(trie, data, np.arange(1, len(data) + 1), np.array([0, len(data)]))
    return sorted(zip(tokens.tolist(), words.tolist(), strict=True))


@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_each_word_is_found_and_no_other(alphabet: str) -> None:
    rng = random.Random(alphabet)
    letters = ALPHABETS[alphabet]
    words = sorted({"".join(rng.choices(letters, k=rng.randint(1, 5))) for _ in range(4000)})
    trie = build_trie(words)
    number = {word: i for i, word in enumerate(words)}
    assert len(trie.slots) < 4 * sum(map(len, words)) + 2 * len(letters)
    for _ in range(300):
        text = "".join(rng.choices(letters, k=5)) + " " + rng.choice(words)
        expected = set()
        for begin in range(len(text)):
            for end in range(begin + 1, len(text) + 1):
                before, after = text[begin - 1 : begin], text[end : end + 1]
                cut = (before.isascii() and before.isalpha() and text[begin].isascii()) or (
                    after.isascii() and after.isalpha() and text[end - 1].isascii()
                )
                if text[begin:end] in number and not cut:
                    expected.add((len(text[:begin].encode()), number[text[begin:end]]))
        assert words_at(trie, text) == sorted(expected)


def test_no_words() -> None:
    assert words_at(build_trie([]), "water 水") == []
