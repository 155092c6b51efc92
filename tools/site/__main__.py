"""Build the site into build/site: pages, reference, tutorials; fails on a broken link or an output that is stale."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tools import REPOSITORY
from tools.site.marts_map import MAP, map_of_marts
from tools.site.outside import outside_loads
from tools.site.pages import ROOT_PAGES, Pages, title_of
from tools.site.problems import Stale
from tools.site.reference import REFERENCE_PAGES, write_reference
from tools.site.tutorials import run_all

TUTORIALS = REPOSITORY / "docs" / "tutorials"


def main() -> None:
    """Build the site, or say in lines what is wrong with the documentation."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "build" / "site", help="folder to write")
    parser.add_argument(
        "--write-outputs", action="store_true", help="put what comes now into the pages, where it differs"
    )
    parser.add_argument("--without-tutorials", action="store_true", help="run no tutorial: while writing other pages")
    asked = parser.parse_args()
    try:
        build_site(asked.out.resolve(), run=not asked.without_tutorials, write=asked.write_outputs)
    except Stale as problem:
        sys.exit("\n".join(problem.lines))
    print(asked.out / "html" / "index.html")


def build_site(out: Path, *, run: bool, write: bool) -> None:
    """Write the site into a folder: its pages in `docs`, the HTML in `html`.

    Raises:
        Stale: links are broken, or a picture or an output is not what comes now.
    """
    check_map(write=write)
    if run:
        run_all(sorted(TUTORIALS.glob("*.md")), write=write)
    shutil.rmtree(out, ignore_errors=True)
    docs = out / "docs"
    pages = Pages(REPOSITORY, docs, generated=REFERENCE_PAGES)
    pages.copy_all()
    write_reference(REPOSITORY, docs, pages)
    write_lists(docs)
    pages.show_sources()
    settings = yaml.safe_load((REPOSITORY / "mkdocs.yml").read_text(encoding="utf-8"))
    settings |= {"docs_dir": str(docs), "site_dir": str(out / "html"), "nav": expanded(settings["nav"], docs)}
    (out / "mkdocs.yml").write_text(yaml.safe_dump(settings, allow_unicode=True, sort_keys=False), encoding="utf-8")
    # `--strict`: a link or an anchor that does not exist ends the build
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--config-file", str(out / "mkdocs.yml")]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Stale((done.stdout + done.stderr).strip().splitlines())
    if loads := outside_loads(out / "html"):
        raise Stale(loads)


def check_map(*, write: bool) -> None:
    """Hold the picture of the marts to the contracts, or write it again. Raises Stale."""
    drawn = map_of_marts(REPOSITORY)
    if write:
        MAP.write_text(drawn, encoding="utf-8")
    elif not MAP.exists() or MAP.read_text(encoding="utf-8") != drawn:
        raise Stale([f"{MAP} is not what the contracts say: run `python -m tools.site --write-outputs`"])


def write_lists(docs: Path) -> None:
    """Write a first page for folders whose pages are many."""
    for folder, title in (("decisions", "Decisions"), ("benchmarks", "Benchmarks")):
        names = sorted(page.name for page in (docs / folder).glob("*.md"))
        entries = [f"- [{title_of(docs / folder / name)}]({name})" for name in names]
        (docs / folder / "index.md").write_text(f"# {title}\n\n" + "\n".join(entries) + "\n", encoding="utf-8")


def expanded(nav: list[Any], docs: Path) -> list[Any]:
    """Return a navigation in which `FOLDER/*` is every page of a folder, its first page before the others."""
    entries: list[Any] = []
    for entry in nav:
        if isinstance(entry, dict):
            entries += [{name: expanded(one, docs) if isinstance(one, list) else one} for name, one in entry.items()]
        elif entry.endswith("/*"):
            pages = sorted(docs.glob(f"{entry[:-2]}/**/*.md"), key=lambda page: (page.name != "index.md", page))
            entries += [page.relative_to(docs).as_posix() for page in pages]
        else:
            entries.append(entry)
    return entries


def pages_without_place(nav: list[Any], repository: Path = REPOSITORY) -> list[str]:
    """Return pages of docs/ that a navigation leaves out: nobody would find them."""
    named: set[str] = set()
    folders: list[str] = []

    def walk(entry: Any) -> None:
        if isinstance(entry, list):
            for one in entry:
                walk(one)
        elif isinstance(entry, dict):
            walk(list(entry.values()))
        elif entry.endswith("/*"):
            folders.append(entry[:-1])
        else:
            named.add(entry)

    walk(nav)
    docs = repository / "docs"
    pages = [page.relative_to(docs).as_posix() for page in sorted(docs.rglob("*.md"))]
    pages += list(ROOT_PAGES.values())
    return [page for page in pages if page not in named and not page.startswith(tuple(folders))]


if __name__ == "__main__":
    main()
