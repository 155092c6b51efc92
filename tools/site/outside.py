"""Nothing of the site is loaded from elsewhere: scripts, styles, fonts, pictures and frames are its own files."""

import re
from html.parser import HTMLParser
from pathlib import Path

_LOADING = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
}
_LOADING_LINKS = {
    "stylesheet",
    "icon",
    "preload",
    "prefetch",
    "preconnect",
    "dns-prefetch",
    "manifest",
    "modulepreload",
}
_STYLE_URL = re.compile(r"""(?:@import\s+|url\()\s*["']?((?:https?:)?//[^"')\s]+)""")


class _Loads(HTMLParser):
    """Collects the addresses that a browser would ask for without being told to."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        address = values.get(_LOADING.get(tag, ""), "")
        if tag == "link" and _LOADING_LINKS & set(values.get("rel", "").split()):
            address = values.get("href", "")
        if address.startswith(("http:", "https:", "//")):
            self.addresses.append(address)
        self.addresses += _STYLE_URL.findall(values.get("style", ""))


def outside_loads(folder: Path) -> list[str]:
    """Return a line for every page or style sheet that loads something from elsewhere."""
    lines = []
    for page in sorted(folder.rglob("*.html")):
        loads = _Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        lines += [f"{page.relative_to(folder)} loads {address}" for address in loads.addresses]
    for sheet in sorted(folder.rglob("*.css")):
        found = _STYLE_URL.findall(sheet.read_text(encoding="utf-8"))
        lines += [f"{sheet.relative_to(folder)} loads {address}" for address in found]
    return lines
