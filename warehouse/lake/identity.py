"""Identities of documents, words and items: from content alone, so they survive any order and any sharding."""

import unicodedata
from collections.abc import Mapping

from warehouse.contract.hashing import id64


def doc_id(corpus: str, source: str, source_id: str) -> int:
    """Return the identity of a document. Dolma ids are unique within a source, so the source is part of it."""
    return id64(corpus, source, source_id)


def content_hash(text: str) -> int:
    """Return the identity of a document's text (NFC)."""
    return id64(text)


def word_id(lang: str, word: str) -> int:
    """Return the identity of a word in a language (NFC, case kept)."""
    return id64(lang, unicodedata.normalize("NFC", word))


def item_id(words: Mapping[str, str]) -> int:
    """Return the identity of a translation item from its words by language, whatever their order."""
    return id64(*(part for lang in sorted(words) for part in (lang, unicodedata.normalize("NFC", words[lang]))))
