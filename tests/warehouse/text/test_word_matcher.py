"""The one-pass matcher against a naive one, and against words placed by hand."""

import unicodedata

import numpy as np
import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from support.corpora.files import small_tokenizer_json
from warehouse.ingest.readers import memmap
from warehouse.text.tokenizing import Encoder
from warehouse.text.word_matcher import WordMatcher, WordMatches

UNSEPARATED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "IDEOGRAPHIC", "KANGXI")


def _is_unseparated(character: str) -> bool:
    name = unicodedata.name(character, "").removeprefix("HALFWIDTH ")
    return unicodedata.category(character)[0] in "LMN" and name.startswith(UNSEPARATED)


def _continues_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN" and not _is_unseparated(character)


def _fold(text: str) -> str:
    folded = []
    for c in text:
        simple = c.casefold() if len(c.casefold()) == 1 else c.lower()
        folded.append(simple if len(simple) == 1 else c)
    return "".join(folded)


def naive_matches(words: list[str], text: str) -> dict[int, list[int]]:
    """Return the characters at which each word begins, by trying every place."""
    haystack, found = _fold(text), {}
    for number, word in enumerate(words):
        pattern = _fold(unicodedata.normalize("NFC", word))
        for begin in range(len(text)):
            end = begin + len(pattern)
            if haystack[begin:end] != pattern:
                continue
            if not _is_unseparated(pattern[0]) and begin > 0 and _continues_word(text[begin - 1]):
                continue
            if not _is_unseparated(pattern[-1]) and end < len(text) and _continues_word(text[end]):
                continue
            found.setdefault(number, []).append(begin)
    return found


def match_bytes(words: list[str], texts: list[str]) -> list[dict[int, list[int]]]:
    """Match with one token per byte, so that a token index is a byte of the document."""
    sizes = [len(t.encode()) for t in texts]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    found = WordMatcher(words).match("".join(texts).encode(), np.arange(1, sum(sizes) + 1), offsets)
    return _by_text(found, len(texts))


def _by_text(found: WordMatches, n_texts: int) -> list[dict[int, list[int]]]:
    result: list[dict[int, list[int]]] = [{} for _ in range(n_texts)]
    for row, (doc, word) in enumerate(zip(found.documents, found.words, strict=True)):
        result[doc][int(word)] = found.starts[found.offsets[row] : found.offsets[row + 1]].tolist()
    return result


def _as_bytes(text: str, matches: dict[int, list[int]]) -> dict[int, list[int]]:
    return {word: [len(text[:begin].encode()) for begin in begins] for word, begins in matches.items()}


@pytest.mark.parametrize(
    ("word", "text", "begins"),
    [
        ("eau", "l'eau, bateau, eaux, Eau", [2, 21]),
        ("water", "水water水 waters water2 _water_", [1, 23]),
        ("été", "e\u0301te\u0301 ÉTÉ", [0, 4]),  # decomposed text is normalised before
        ("水", "水水牛と香水", [0, 1, 5]),
        ("カー", "カード", [0]),
        ("น้ำ", "ดื่มน้ำเย็น", [4]),
        ("ss", "ß SS", [2]),  # simple folding keeps ß
        ("straße", "STRAẞE Strasse", [0]),
        ("ice cream", "Ice Cream, nice cream", [0]),
        ("c++", "C++ c++x (c++)", [0, 10]),
        ("k", "\u212a K2", [0]),  # the Kelvin sign folds to k, which is two bytes shorter
        ("ice", "ice-ice 1ice ice\u0301", [0, 4]),
        ("日本", "日本日本", [0, 2]),
        ("aa", "aa aaa", [0]),
        ("ああ", "あああ", [0, 1]),  # overlapping matches all count
        ("10", "10 100 第10回", [0, 8]),
        ("дом", "Дом, домой", [0]),
        ("CD", "CDー CDs", [0]),
        ("Tシャツ", "TシャツX aTシャツ", [0]),  # each edge by its own character
        ("a_", "a_ a_b a_水", [0, 7]),  # punctuation at a word's edge asks for a boundary, as a letter would
    ],
)
def test_words_placed_by_hand(word: str, text: str, begins: list[int]) -> None:
    text = unicodedata.normalize("NFC", text)
    expected = {0: begins} if begins else {}
    assert naive_matches([word], text) == expected
    assert match_bytes([word], [text]) == [_as_bytes(text, expected)]


PIECES = ["a", "b", "ab", "É", "é", "ß", "ẞ", "İ", "K", "Σ", "ς", "水", "中国", "カ", "ー", "々", "น้ำ", "ພາສາ", "ខ្មែរ"]
PIECES += [
    "မြန်မာ",
    "1",
    "٣",
    "ⅷ",
    "ᾳ",
    "ǅ",
    "ﬁ",
    "𝐀",
    "𠀀",
    "🙂",
    " ",
    "-",
    "'",
    "·",
    "・",
    "_",
    "\u0301",
    "\u200b",
    "Ⱥ",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=25).map(lambda p: unicodedata.normalize("NFC", "".join(p)))
WORDS = st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join), min_size=1, max_size=8)


@settings(deadline=None)
@given(words=WORDS, texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_equals_naive_matcher(words: list[str], texts: list[str]) -> None:
    words = [w for w in words if w.strip()] or ["a"]
    expected = [_as_bytes(text, naive_matches(words, text)) for text in texts]
    assert match_bytes(words, texts) == expected


@settings(deadline=None)
@given(words=WORDS, text=TEXTS.filter(bool), data=st.data())
def test_half_a_character_is_a_boundary(words: list[str], text: str, data: st.DataObject) -> None:
    """A text that is cut at any byte, and bytes that are no UTF-8 at all, beside a text that is whole."""
    words = [w for w in words if w.strip()] or ["a"]
    cut = text.encode()[slice(*data.draw(st.tuples(st.integers(0, 3), st.integers(1, 60))))]
    cut += data.draw(st.sampled_from([b"", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xe0\x80a", b"\xff1"]))
    seen = "".join(cut.decode("utf-8", memmap.PARTIAL))
    assert len(seen.encode()) == len(cut)
    parts = [cut, text.encode(), cut]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    found = WordMatcher(words).match(b"".join(parts), np.arange(1, offsets[-1] + 1), offsets)
    expected = [_as_bytes(each, naive_matches(words, each)) for each in (seen, text, seen)]
    assert _by_text(found, 3) == expected


def test_more_matches_than_there_was_room_for() -> None:
    [found] = match_bytes(["水", "水水"], ["水" * 3000])
    assert found == {0: list(range(0, 9000, 3)), 1: list(range(0, 8997, 3))}


@settings(deadline=None)
@given(text=TEXTS.filter(bool), words=WORDS)
def test_token_of_a_match_is_the_one_that_holds_its_first_character(text: str, words: list[str]) -> None:
    words = [w for w in words if w.strip()] or ["a"]
    content = small_tokenizer_json().encode()
    encoder = Encoder(content, "tokenizers")
    encoded = encoder.encode([text.encode()])
    _, token_ends = encoder.vocabulary.decode(encoded.token_ids)
    found = WordMatcher(words).match(text.encode(), token_ends, encoded.offsets)
    starts = {int(w): found.starts[found.offsets[i] : found.offsets[i + 1]].tolist() for i, w in enumerate(found.words)}
    # tokenizers' own offsets: characters [begin, end) of each token; several tokens may share a character
    spans = tokenizers.Tokenizer.from_str(content.decode()).encode(text, add_special_tokens=False).offsets
    expected = {
        word: [next(i for i, (b, e) in enumerate(spans) if b <= begin < e) for begin in begins]
        for word, begins in naive_matches(words, text).items()
    }
    assert starts == expected


def test_refuses_words_that_cannot_be_looked_for() -> None:
    for word in ("", " ", "a\0b"):
        with pytest.raises(ValueError, match="cannot look for"):
            WordMatcher([word])
