"""Text from a corpus or a file's name on a terminal: shown, never obeyed."""

from typing import Protocol, TextIO

# C0 and C1 controls: escape sequences begin with them, and move the cursor, set titles, fill the clipboard
_CONTROLS = [c for c in (*range(0x20), *range(0x7F, 0xA0)) if chr(c) not in "\n\t"]
# marks that turn the order of what is read around
_TURNS = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_SHOWN = {c: chr(0x2400 + c) if c < 0x20 else f"<{c:02x}>" for c in (*_CONTROLS, *_TURNS)}


def printable(text: str) -> str:
    """Return a text whose control characters are visible signs (ESC as ␛); line ends and tabs stay."""
    return text if text.isascii() and text.isprintable() else text.translate(_SHOWN)


class TextSink(Protocol):
    """What text is written to: a file, a terminal."""

    def write(self, text: str, /) -> int:
        """Write a text; return how many characters were written."""
        ...


class PrintableStream:
    """A stream to a terminal that is written to only."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str, /) -> int:
        """Write a text as `printable` shows it."""
        return self._stream.write(printable(text))
