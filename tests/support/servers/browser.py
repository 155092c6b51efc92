"""A headless Chromium for tests of pages: what it logs, what it asks the network for, what it shows."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(
    CHROMIUM is None or find_spec("playwright") is None,
    reason="no chromium or no playwright: `make setup test-deps` installs what these tests need",
)
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SLOW = "was preloaded using link preload but not used within a few seconds"  # says only that the machine is busy
_AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


@dataclass
class Browsing:
    """One tab with what went on in it."""

    page: "Page"
    problems: list[str] = field(default_factory=list)  # console errors and warnings, exceptions
    requests: list[str] = field(default_factory=list)  # addresses asked for

    def note(self, kind: str, text: str) -> None:
        """Keep a console message that is a problem."""
        if kind in ("error", "warning") and _SLOW not in text:
            self.problems.append(text[:500])

    def outside(self, own: str) -> list[str]:
        """Return the requests that left the page's own server or file."""
        return [address for address in self.requests if not address.startswith((own, "data:", "blob:"))]

    def barriers(self, *, contrast: bool = True) -> list[str]:
        """Return what axe-core finds to stand in the way of people who use a keyboard or a screen reader.

        Args:
            contrast: also measure the contrast of every text, which takes long.

        What is inside a picture is left out: readers are told of it by its label.
        """
        from axe_playwright_python.sync_playwright import Axe

        options = {"runOnly": _AXE_RULES, "rules": {"color-contrast": {"enabled": contrast}}}
        found: dict[str, Any] = Axe().run(self.page, context={"exclude": [["svg"]]}, options=options).response
        return [
            f"{violation['id']}: {violation['help']}: {node['html'][:200]}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]


@contextlib.contextmanager
def open_browser(
    *, width: int = 1280, height: int = 900, dark: bool = False, timeout_s: float = 30
) -> Iterator[Browsing]:
    """Start Chromium with a fresh profile and yield its tab, in a window of that many CSS pixels."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_FLAGS))
        try:
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if dark else "light",
                reduced_motion="reduce",
                locale="en-GB",
            )
            context.set_default_timeout(timeout_s * 1000)
            tab = Browsing(context.new_page())
            tab.page.on("request", lambda request: tab.requests.append(request.url))
            tab.page.on("pageerror", lambda error: tab.problems.append(str(error)[:500]))
            tab.page.on("console", lambda message: tab.note(message.type, message.text))
            yield tab
        finally:
            browser.close()
