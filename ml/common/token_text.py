"""Tokens of any tokenizer as a reader should see them."""

import json

from tokenizers import Tokenizer

from warehouse.contract.token_text import byte_alphabet, text_of_bytes


class TokenText:
    """Shows tokens of one tokenizer as text; bytes that are no whole character appear as <0xE4>."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        is_byte_level = '"ByteLevel"' in json.dumps(json.loads(tokenizer.to_str())["decoder"])
        self._bytes = byte_alphabet() if is_byte_level else {}
        self._added = tokenizer.get_added_tokens_decoder()

    def __call__(self, token_id: int) -> str:
        """Return the text of a token; ids behind the vocabulary, which padded models have, appear as <unused 50300>."""
        token = self._tokenizer.id_to_token(token_id)
        if token is None:
            return f"<unused {token_id}>"
        if token_id in self._added:
            return token
        if self._bytes and all(character in self._bytes for character in token):
            return text_of_bytes(bytes(self._bytes[character] for character in token))
        return token.replace("\u2581", " ")


def is_blank(tokenizer: Tokenizer, token_id: int) -> bool:
    """Return whether a token writes nothing but white space (the easy first token of some CJK targets)."""
    token = tokenizer.id_to_token(token_id)
    return (
        token is not None and not token.translate({0x120: " ", 0x10A: " ", 0x109: " ", 0x10D: " ", 0x2581: " "}).strip()
    )
