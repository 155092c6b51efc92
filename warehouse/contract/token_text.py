"""How a token reads: the alphabet of byte-level vocabularies, bytes that are no character, visible white space."""

import codecs
from functools import cache

_SHOW_BYTES = "pivots_show_bytes"
_VISIBLE = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥"})


@cache
def byte_alphabet() -> dict[str, int]:
    """Return the byte that each character of a byte-level vocabulary stands for (GPT-2's table)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = sorted(set(range(0x100)) - set(printable))
    return {chr(byte): byte for byte in printable} | {chr(0x100 + i): byte for i, byte in enumerate(others)}


def text_of_bytes(token: bytes) -> str:
    """Return the text of a token's bytes; bytes that are no whole character read `<0xE4>`."""
    return token.decode("utf-8", _SHOW_BYTES)


def visible_space(text: str) -> str:
    """Return a text with its white space visible: in a list of tokens a leading space matters."""
    return text.translate(_VISIBLE)


def _show_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(f"<0x{byte:02X}>" for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_SHOW_BYTES, _show_bytes)
