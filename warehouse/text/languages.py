"""The language of a document: the code its record states, brought to one form, else a detector's answer."""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

UNKNOWN = "und"
_CODE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*", re.ASCII)
_STATES_NOTHING = {"", "und", "unk", "unknown", "none", "null", "zxx", "mis"}
_SAMPLE_CHARS = 1000  # read by the detector at the beginning and in the middle of a document

# ISO 639-1 codes by their ISO 639-2/3 forms (terminological, bibliographic and the usual members of macrolanguages).
_ISO_639 = """
aa:aar ab:abk ae:ave af:afr ak:aka,twi am:amh an:arg ar:ara,arb,arz,apc,acm,acq,aeb,ajp,ars,ary as:asm av:ava ay:aym,ayr
az:aze,azj,azb ba:bak be:bel bg:bul bi:bis bm:bam bn:ben bo:bod,tib br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre
cs:ces,cze cu:chu cv:chv cy:cym,wel da:dan de:deu,ger dv:div dz:dzo ee:ewe el:ell,gre en:eng eo:epo es:spa et:est,ekk
eu:eus,baq fa:fas,per,pes,prs ff:ful,fuv fi:fin fj:fij fo:fao fr:fra,fre fy:fry ga:gle gd:gla gl:glg gn:grn,gug gu:guj
gv:glv ha:hau he:heb,iw hi:hin ho:hmo hr:hrv ht:hat hu:hun hy:hye,arm hz:her ia:ina id:ind,in ie:ile ig:ibo ii:iii
ik:ipk io:ido is:isl,ice it:ita iu:iku ja:jpn,jp jv:jav ka:kat,geo kg:kon ki:kik kj:kua kk:kaz kl:kal km:khm kn:kan
ko:kor kr:kau,knc ks:kas ku:kur,kmr kv:kom kw:cor ky:kir la:lat lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lu:lub
lv:lav,lvs mg:mlg,plt mh:mah mi:mri,mao mk:mkd,mac ml:mal mn:mon,khk mr:mar ms:msa,may,zsm mt:mlt my:mya,bur na:nau
nb:nob nd:nde ne:nep,npi ng:ndo nl:nld,dut nn:nno no:nor nr:nbl nv:nav ny:nya oc:oci oj:oji om:orm,gaz or:ori,ory
os:oss pa:pan,pnb pi:pli pl:pol ps:pus,pbt pt:por qu:que,quy rm:roh rn:run ro:ron,rum ru:rus rw:kin sa:san sc:srd
sd:snd se:sme sg:sag si:sin sk:slk,slo sl:slv sm:smo sn:sna so:som sq:sqi,alb,als sr:srp ss:ssw st:sot su:sun sv:swe
sw:swa,swh ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl,fil tn:tsn to:ton tr:tur ts:tso tt:tat ty:tah ug:uig
uk:ukr ur:urd uz:uzb,uzn ve:ven vi:vie vo:vol wa:wln wo:wol xh:xho yi:yid,ydd,ji yo:yor za:zha zh:zho,chi,cmn,yue,wuu
zu:zul
"""
_TWO_LETTERS = {
    three: two for two, threes in (entry.split(":") for entry in _ISO_639.split()) for three in threes.split(",")
}
_KNOWN = set(_TWO_LETTERS.values())
# Lower-case locales whose country code is also a language code: without this list `zh-tw` would be Chinese and Twi.
_LOCALES = {
    *("zh-tw", "pt-br", "sv-se", "ko-kr", "ms-my", "fa-af", "ar-ae", "ar-sd", "ar-km", "ta-lk", "ga-ie"),
    *("en-ca", "en-my", "en-ie", "fr-ca", "fr-be", "nl-be", "de-be"),
    *("es-ar", "es-co", "es-cr", "es-cu", "es-ni", "es-sv"),
}


@cache
def language_code(stated: str | None) -> str | None:
    """Return a stated language in the warehouse's form, None when it states nothing.

    Two-letter codes where ISO 639-1 has one (`eng_Latn`, `zho`, `cmn_Hani`, `zh-CN` become `en` and `zh`), else the
    code as given. Mixed codes such as `en-fr` keep their parts: a part counts as a language, not as a country or
    script, when it is written in lower case and is a language code.
    """
    if stated is None or stated.strip().lower() in _STATES_NOTHING:
        return None
    parts = stated.strip().replace("_", "-").split("-")
    if "-".join(parts).lower() == "-".join(parts) and "-".join(parts[:2]) in _LOCALES:
        parts = parts[:1]
    languages = [_short(parts[0])]
    languages += [_short(part) for part in parts[1:] if part.islower() and _short(part) in _KNOWN]
    return "-".join(dict.fromkeys(languages))


def is_language_code(text: str) -> bool:
    """Tell whether a text is written as a code of one language or several: letters and digits between dashes."""
    return language_code(text) is not None and _CODE.fullmatch(text.strip()) is not None


def _short(code: str) -> str:
    code = code.lower()
    return _TWO_LETTERS.get(code, code)


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
def _identifier():
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
