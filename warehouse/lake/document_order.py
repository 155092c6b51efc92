"""One id, one document: which of several records with an id stays, whatever the order in which they come.

The smallest content wins; then a stated language before a detected one. Once as SQL, over files, and once in Python,
within a file. Records that still tie have equal rows but for their place: the file's name or the line decides.
"""

DETECTOR = "detector"

# The columns of raw.documents by which its rows with one id are ordered; the first stays.
DOCUMENT_ORDER = f"content_hash, lang_source = '{DETECTOR}', lang, lang_source"


def document_order(content_hash: int, lang: str, lang_source: str) -> tuple[int, bool, str, str]:
    """Return a key that sorts as `DOCUMENT_ORDER` does (text by UTF-8 bytes and by code points: the same order)."""
    return content_hash, lang_source == DETECTOR, lang, lang_source
