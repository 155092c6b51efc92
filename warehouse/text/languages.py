"""The language of a document: the code its record states, brought to one form, else a detector's answer."""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

import langcodes

UNKNOWN = "und"
_CODE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*", re.ASCII)
_STATES_NOTHING = {"", "und", "unk", "unknown", "none", "null", "zxx", "mis"}
_SAMPLE_CHARS = 1000  # read by the detector at the beginning and in the middle of a document

# Members of macrolanguages that have a two-letter code, where CLDR keeps the member apart, and two codes in wide use.
_MEMBERS = {
    **dict.fromkeys(("acm", "acq", "aeb", "ajp", "apc", "ars", "ary", "arz"), "ar"),
    **dict.fromkeys(("wuu", "yue"), "zh"),
    "azb": "az",
    "fuv": "ff",
    "pbt": "ps",
    "pnb": "pa",
    "quy": "qu",
    **dict.fromkeys(("fil", "tgl", "tl"), "tl"),  # CLDR calls both Filipino; ISO 639-1 has a code for Tagalog only
    "jp": "ja",
}
# Lower-case locales whose country code is also a language code: without this list `zh-tw` would be Chinese and Twi.
_LOCALES = {
    *("zh-tw", "pt-br", "sv-se", "ko-kr", "ms-my", "fa-af", "ar-ae", "ar-sd", "ar-km", "ta-lk", "ga-ie"),
    *("en-ca", "en-my", "en-ie", "fr-ca", "fr-be", "nl-be", "de-be"),
    *("es-ar", "es-co", "es-cr", "es-cu", "es-ni", "es-sv"),
}


@cache
def language_code(stated: str | None) -> str | None:
    """Return a stated language in the warehouse's form, None when it states nothing.

    Two-letter codes where ISO 639-1 has one, also for the macrolanguage (`eng_Latn`, `zho`, `cmn_Hani`, `zh-CN` become
    `en` and `zh`), else the code as given. Mixed codes such as `en-fr` keep their parts: a part counts as a language,
    not as a country or script, when it is written in lower case and is a language code.
    """
    if stated is None or stated.strip().lower() in _STATES_NOTHING:
        return None
    parts = stated.strip().replace("_", "-").split("-")
    if "-".join(parts).lower() == "-".join(parts) and "-".join(parts[:2]) in _LOCALES:
        parts = parts[:1]
    languages = [_short(parts[0])]
    languages += [_short(part) for part in parts[1:] if part.islower() and _is_iso_639_1(_short(part))]
    return "-".join(dict.fromkeys(languages))


def is_language_code(text: str) -> bool:
    """Tell whether a text is written as a code of one language or several: letters and digits between dashes."""
    return language_code(text) is not None and _CODE.fullmatch(text.strip()) is not None


def is_known_language(text: str) -> bool:
    """Tell whether a text is the code of one language that exists: `en`, `deu`, `zh-CN`, but not `house` or `en-fr`."""
    code = language_code(text)
    return code is not None and is_language_code(text) and "-" not in code and langcodes.tag_is_valid(code)


def _short(code: str) -> str:
    """Return the two-letter code of a language, or of the macrolanguage that it is the usual member of; else itself."""
    code = code.lower()
    if code in _MEMBERS:
        return _MEMBERS[code]
    try:
        own = langcodes.Language.get(code).language
        of_macrolanguage = langcodes.Language.get(langcodes.standardize_tag(code, macro=True)).language
    except langcodes.LanguageTagError:
        return code  # no language tag, but what the record says
    return next((short for short in (own, of_macrolanguage) if short and len(short) == 2), code)


def _is_iso_639_1(code: str) -> bool:
    return len(code) == 2 and langcodes.tag_is_valid(code)


def detect_language(text: str) -> tuple[str, float | None]:
    """Return the language of a text and the detector's probability; ('und', None) for a text without letters."""
    middle = max(len(text) // 2, _SAMPLE_CHARS)
    sample = text[:_SAMPLE_CHARS] + " " + text[middle : middle + _SAMPLE_CHARS]
    if not any(c.isalpha() for c in sample):
        return UNKNOWN, None
    lang, probability = _identifier().classify(sample)
    return _short(lang), float(probability)


def instance_languages(documents: Iterable[tuple[int, str, int]]) -> dict[int, tuple[str, float]]:
    """Return for each training instance the language of most of its tokens, and the share of other languages in it.

    Documents of unknown language belong to no other language. Of languages with as many tokens the first by code wins.

    Args:
        documents: (instance, language, tokens) of every document that the instances are made of.
    """
    tokens: dict[int, Counter[str]] = {}
    for instance, lang, n_tokens in documents:
        tokens.setdefault(instance, Counter())[lang] += n_tokens
    found = {}
    for instance, by_lang in tokens.items():
        known = {lang: n for lang, n in by_lang.items() if lang != UNKNOWN}
        most = min(known, key=lambda lang: (-known[lang], lang), default=UNKNOWN)
        total = by_lang.total()
        found[instance] = (most, (sum(known.values()) - known.get(most, 0)) / total if total else 0.0)
    return found


@cache
def _identifier() -> Any:  # of a library without types, imported when first needed
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
