"""Tokens as a reader should see them."""

import json

from tokenizers import Tokenizer


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
            return _decode(raw)
        return token.replace("\u2581", " ")


def _decode(raw: bytes) -> str:
    """Decode UTF-8, each byte that belongs to no whole character as <0xE4>."""
    text, place = [], 0
    while place < len(raw):
        for length in range(1, 5):
            try:
                text.append(raw[place : place + length].decode("utf-8"))
            except UnicodeDecodeError:
                continue
            place += length
            break
        else:
            text.append(f"<0x{raw[place]:02X}>")
            place += 1
    return "".join(text)


def is_blank(tokenizer: Tokenizer, token_id: int) -> bool:
    """Return whether a token writes nothing but white space (the easy first token of some CJK targets)."""
    token = tokenizer.id_to_token(token_id)
    return (
        token is not None and not token.translate({0x120: " ", 0x10A: " ", 0x109: " ", 0x10D: " ", 0x2581: " "}).strip()
    )
