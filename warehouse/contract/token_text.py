"""How a token reads: the bytes that it spells, bytes that are no character, visible white space."""

import codecs
import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

_SHOW_BYTES = "pivots_show_bytes"
_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")
_VISIBLE = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥"})


class NotSpelled(Exception):
    """A tokenizer's tokens spell no text: its decoder does more than put them together."""


@cache
def byte_alphabet() -> dict[str, int]:
    """Return the byte that each character of a byte-level vocabulary stands for (GPT-2's table)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = sorted(set(range(0x100)) - set(printable))
    return {chr(byte): byte for byte in printable} | {chr(0x100 + i): byte for i, byte in enumerate(others)}


def token_speller(tokenizer: Any) -> Callable[[str], bytes]:
    """Return what gives the bytes of a token of a `tokenizers.Tokenizer`, as its decoder spells it inside a text.

    Byte-level vocabularies write every byte as a character of their alphabet. Those of SentencePiece write a space as
    U+2581, and where they fall back to bytes `<0xE4>` for one byte. The function raises KeyError for a token that is
    not written in the alphabet.

    Raises:
        NotSpelled: the decoder is of another kind (WordPiece, word ends) or there is none.
    """
    steps = [step for part in (tokenizer.decoder, tokenizer.pre_tokenizer) for step in _steps(part)]
    kinds = [step["type"] for step in steps]
    if "ByteLevel" in kinds:
        alphabet = byte_alphabet()
        return lambda token: bytes(map(alphabet.__getitem__, token))
    decoding = _steps(tokenizer.decoder)
    kinds = [step["type"] for step in decoding]
    if not kinds:
        raise NotSpelled("its tokens cannot be read as pieces of text: no decoder")
    if unknown := set(kinds) - {"Metaspace", "Replace", "ByteFallback", "Fuse", "Strip"}:
        raise NotSpelled(f"its tokens cannot be read as pieces of text: it decodes with {', '.join(sorted(unknown))}")
    written: list[tuple[str, str]] = []
    for step in decoding:
        if step["type"] == "Metaspace":
            written.append((step["replacement"], " "))
        elif step["type"] == "Replace":
            if "String" not in step["pattern"]:
                raise NotSpelled("its tokens cannot be read as pieces of text: its decoder replaces by a pattern")
            written.append((step["pattern"]["String"], step["content"]))
    # a Unigram model may fall back to bytes that its decoder leaves as they are written
    falls_back = "ByteFallback" in kinds or None not in map(tokenizer.token_to_id, ("<0x00>", "<0xFF>"))

    def spell(token: str) -> bytes:
        if falls_back and (byte := _BYTE_TOKEN.fullmatch(token)):
            return bytes.fromhex(byte[1])
        for mark, text in written:
            token = token.replace(mark, text)
        return token.encode()

    return spell


def _steps(part: Any) -> list[dict[str, Any]]:
    """Return the steps of a decoder or pre-tokenizer, those of sequences one by one."""
    if part is None:
        return []
    todo, steps = [json.loads(part.__getstate__())], []
    while todo:
        step = todo.pop(0)
        inner = step.get("decoders") or step.get("pretokenizers")
        todo = [*inner, *todo] if inner is not None else todo
        steps += [] if step["type"] == "Sequence" else [step]
    return steps


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
