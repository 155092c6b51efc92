"""Tokens of any tokenizer as a reader should see them."""

from collections.abc import Callable

from tokenizers import Tokenizer

from warehouse.contract.token_text import NotSpelled, text_of_bytes, token_speller


class TokenText:
    """Shows tokens of one tokenizer as text; bytes that are no whole character appear as <0xE4>."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._spell = _speller(tokenizer)
        self._added = tokenizer.get_added_tokens_decoder()

    def __call__(self, token_id: int) -> str:
        """Return the text of a token; ids behind the vocabulary, which padded models have, appear as <unused 50300>."""
        token = self._tokenizer.id_to_token(token_id)
        if token is None:
            return f"<unused {token_id}>"
        return token if token_id in self._added else self._spell(token)


def is_blank(tokenizer: Tokenizer, token_id: int) -> bool:
    """Return whether a token writes nothing but white space (the easy first token of some CJK targets)."""
    token = tokenizer.id_to_token(token_id)
    return token is not None and not _speller(tokenizer)(token).strip()


def _speller(tokenizer: Tokenizer) -> Callable[[str], str]:
    """Return what gives the text of a token; one that spells no text is shown as it is written."""
    try:
        spell = token_speller(tokenizer)
    except NotSpelled:
        return str

    def text(token: str) -> str:
        try:
            return text_of_bytes(spell(token))
        except KeyError:  # not written in the alphabet of the others
            return token

    return text
