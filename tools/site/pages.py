"""The repository's pages as pages of the site: copied, their links kept, the files that they point at beside them."""

import os
import re
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from tools.site.problems import Stale

# Pages of the root and what they are called on the site.
ROOT_PICTURES = {"dbt_project/assets/marts.svg": "images/marts.svg"}
ROOT_PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "ml/base_model/MODEL_CARD.md": "base-model.md",
}
SOURCES = "source"  # files of the repository that pages point at, as pages
_LANGUAGES = {"py": "python", "sql": "sql", "yml": "yaml", "yaml": "yaml", "json": "json", "toml": "toml"}
_LINK = re.compile(r"(?<!`)(!?\[(?:[^\]\[]|\[[^\]]*\])*\]\()([^)\s]+)(\))")
_FENCE = re.compile(r"^(```|~~~)")


class Pages:
    """Copies pages into a folder and knows where each file of the repository stands on the site."""

    def __init__(self, repository: Path, folder: Path, *, generated: Collection[str] = ()) -> None:
        """Copy from a repository into a folder; `generated` names the site's pages that are made, not copied."""
        self._repository, self._folder, self._generated = repository, folder, generated
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=repository, capture_output=True, text=True, check=True).stdout
        self._files = {name for name in names.split("\0") if name and (repository / name).exists()}
        self._wanted: dict[str, None] = {}
        self._broken: list[str] = []

    def copy_all(self) -> None:
        """Copy all of docs/ and the pages of the root.

        Raises:
            Stale: links point at nothing; names each.
        """
        for name in sorted(self._files):
            target = _site_name(name)
            if target is None:
                continue
            if name.endswith(".md"):
                self._write(target, self._linked(name, (self._repository / name).read_text(encoding="utf-8")))
            else:
                self._copy(name, target)
        if self._broken:
            raise Stale(self._broken)

    def show_sources(self) -> None:
        """Write a page for every file of the repository that a page points at, once all pages are there."""
        for name in self._wanted:  # grows no further: code has no links
            self._write(_source_page(name), self._as_page(name))

    def source_page(self, name: str) -> str:
        """Return where a file of the repository is shown, and have it shown there."""
        self._wanted[name] = None
        return _source_page(name)

    def _linked(self, name: str, text: str) -> str:
        """Return a page with its links as they are on the site."""
        page = _site_name(name)
        assert page is not None
        lines = []
        for line, is_code in _lines(text):
            lines.append(line if is_code else _LINK.sub(lambda link: self._link(name, page, link), line))
        return "\n".join(lines) + "\n"

    def _link(self, name: str, page: str, link: re.Match[str]) -> str:
        address, _, anchor = link[2].partition("#")
        if not address or ":" in address:
            return link[0]
        pointed = os.path.normpath(PurePosixPath(name).parent / address)
        there = _site_name(pointed)
        if there not in self._generated and (pointed not in self._files or there is None):
            if pointed not in self._files and not self._inside(pointed):
                self._broken.append(f"{name}: {link[2]} does not exist")
                return link[0]
            there = self.source_page(pointed)
        relative = os.path.relpath(str(there), PurePosixPath(page).parent)
        return f"{link[1]}{relative}{'#' + anchor if anchor else ''}{link[3]}"

    def _as_page(self, name: str) -> str:
        """Return a file as a page with its text, a folder as a page with links to its files."""
        if name in self._files:
            text = (self._repository / name).read_text(encoding="utf-8")
            fence = "`" * 6
            language = _LANGUAGES.get(name.rpartition(".")[2], "text")
            return f"---\nsearch: {{exclude: true}}\n---\n# {name}\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"
        entries = []
        for file in self._inside(name):
            address = os.path.relpath(_source_page(file), PurePosixPath(_source_page(name)).parent)
            entries.append(f"- [{PurePosixPath(file).relative_to(name)}]({address})")
            if file not in self._wanted:
                self._write(_source_page(file), self._as_page(file))
        return f"---\nsearch: {{exclude: true}}\n---\n# {name}/\n\n" + "\n".join(entries) + "\n"

    def _inside(self, folder: str) -> list[str]:
        return sorted(name for name in self._files if name.startswith(f"{folder}/"))

    def _write(self, target: str, text: str) -> None:
        path = self._folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def _copy(self, name: str, target: str) -> None:
        path = self._folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((self._repository / name).read_bytes())


def title_of(page: Path) -> str:
    """Return a page's first heading."""
    for line, is_code in _lines(page.read_text(encoding="utf-8")):
        if not is_code and line.startswith("# "):
            return line[2:].strip()
    raise Stale([f"{page}: a page begins with a heading"])


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each line, and whether it is code."""
    fence = None
    for line in text.splitlines():
        begins = _FENCE.match(line.lstrip())
        if fence is None and begins:
            fence = begins[1]
            yield line, True
        elif fence is not None:
            yield line, True
            if line.strip() == fence:
                fence = None
        else:
            yield line, line.startswith("    ")


def _site_name(name: str) -> str | None:
    """Return where a page of the repository stands on the site, None for a file that is no page of it."""
    if name in ROOT_PAGES or name in ROOT_PICTURES:
        return ROOT_PAGES.get(name) or ROOT_PICTURES[name]
    if name.startswith("docs/"):
        inner = name.removeprefix("docs/")
        is_page = inner.endswith((".md", ".webp", ".svg", ".png", ".css", ".csv"))
        if is_page:
            return str(PurePosixPath(inner).with_name("index.md")) if inner.endswith("/README.md") else inner
    return None


def _source_page(name: str) -> str:
    return f"{SOURCES}/{name}.md"
