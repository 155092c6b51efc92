"""Language codes in their many spellings, and the detector behind them."""

import pytest

from warehouse.text.languages import detect_language, language_code


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("eng_Latn", "en"),
        ("zho", "zh"),
        ("zho_Hans", "zh"),
        ("cmn_Hani", "zh"),
        ("zh-CN", "zh"),
        ("zh_Hant_TW", "zh"),
        ("zh-tw", "zh"),
        ("pt-br", "pt"),
        ("ger", "de"),
        ("deu_Latn", "de"),
        ("fil", "tl"),
        ("swh", "sw"),
        ("en-fr", "en-fr"),
        ("fr-en", "fr-en"),
        ("eng-jpn", "en-ja"),
        ("en-zh-ja", "en-zh-ja"),
        ("en-us", "en"),
        ("nan_Hant", "nan"),
        ("xx", "xx"),
        (" fr ", "fr"),
        ("mul", "mul"),  # several languages: a statement, though not which
        ("und", None),
        ("unknown", None),
        ("", None),
        (None, None),
    ],
)
def test_codes(stated: str | None, code: str | None) -> None:
    assert language_code(stated) == code
    # a code in the warehouse's form stays
    assert language_code(code) == code


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("The water of the river is cold and the house is old.", "en"),
        ("La maison est vieille et l'eau de la rivière est froide.", "fr"),
        ("河里的水很冷，房子也很旧，没有人住在那里。", "zh"),
        ("川の水は冷たくて、家は古いです。", "ja"),
        ("Maji ya mto ni baridi na nyumba ni ya zamani.", "sw"),
    ],
)
def test_detector(text: str, lang: str) -> None:
    found, probability = detect_language(text)
    assert found == lang
    assert probability is not None
    assert 0.5 < probability <= 1


def test_text_without_letters_has_no_language() -> None:
    assert detect_language("123 — 456 ... !!") == ("und", None)


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        *((three, "ar") for three in ("ara", "arb", "arz", "apc", "acm", "acq", "aeb", "ajp", "ars", "ary")),
        *((three, "zh") for three in ("zho", "chi", "cmn", "yue", "wuu")),
        *((three, "fa") for three in ("fas", "per", "pes", "prs")),
        ("nob", "nb"),  # has a two-letter code of its own, beside the macrolanguage's
        ("nno", "nn"),
        ("nor", "no"),
        ("iw", "he"),  # withdrawn codes
        ("ji", "yi"),
        ("sh", "sr"),
        ("twi", "tw"),
        ("tl", "tl"),
        ("tgl", "tl"),
        ("jp", "ja"),
        ("ceb", "ceb"),  # without a two-letter code
        ("français", "français"),  # no tag at all: kept as the record says
        ("toolongcode", "toolongcode"),
    ],
)
def test_a_language_has_one_code(stated: str, code: str) -> None:
    assert language_code(stated) == code == language_code(code)
