"""Tokens as a reader should see them."""

import codecs
import json

from tokenizers import Tokenizer

_SHOW_BYTES = "ml_show_bytes"


def _show_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(f"<0x{byte:02X}>" for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_SHOW_BYTES, _show_bytes)


def _byte_alphabet() -> dict[str, int]:
    """Return the character that GPT-2's byte-level tokenizers write for each byte, inverted."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + place): byte for place, byte in enumerate(others)}


class TokenText:
    """Shows tokens of one tokenizer as text; bytes that are no whole character appear as <0xE4>."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._bytes = _byte_alphabet() if '"ByteLevel"' in json.dumps(json.loads(tokenizer.to_str())["decoder"]) else {}
        self._added = tokenizer.get_added_tokens_decoder()

    def __call__(self, token_id: int) -> str:
        """Return the text of a token; ids behind the vocabulary, which padded models have, appear as <unused 50300>."""
        token = self._tokenizer.id_to_token(token_id)
        if token is None:
            return f"<unused {token_id}>"
        if token_id in self._added:
            return token
        if self._bytes and all(character in self._bytes for character in token):
            raw = bytes(self._bytes[character] for character in token)
            return raw.decode("utf-8", _SHOW_BYTES)
        return token.replace("\u2581", " ")


def is_blank(tokenizer: Tokenizer, token_id: int) -> bool:
    """Return whether a token writes nothing but white space (the easy first token of some CJK targets)."""
    token = tokenizer.id_to_token(token_id)
    return (
        token is not None and not token.translate({0x120: " ", 0x10A: " ", 0x109: " ", 0x10D: " ", 0x2581: " "}).strip()
    )
