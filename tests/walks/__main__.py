"""Walk as four people do, from an empty folder: `make walks`, or `python -m walks [PERSON ...]`.

The newcomer comes first; the others go on in the home that is there then. A walk ends at the first step that does not
show what its person needs, and so does the program, with exit code 1.
"""

import argparse
import platform
import re
import sys
import tempfile
from datetime import date
from pathlib import Path

from support.places import PROJECT
from walks.persons import PERSONS
from walks.walk import Walk, WalkFailed

PAGE = PROJECT / "docs" / "walks.md"
_TABLE = re.compile(r"(?<=<!-- measured -->\n).*?(?=\n<!-- end -->)", re.DOTALL)


def main() -> int:
    """Walk, print commands and seconds, and write the page's table when all have walked and it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("persons", nargs="*", metavar="PERSON", help=f"{', '.join(PERSONS)} [default: all]")
    parser.add_argument("--folder", type=Path, help="walk there, and keep it [default: a temporary folder]")
    parser.add_argument("--page", action="store_true", help=f"write what was measured to {PAGE.relative_to(PROJECT)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.persons) - PERSONS.keys():
        parser.error(f"nobody is called {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)).resolve() / "walk"
        folder.mkdir(parents=True, exist_ok=True)
        walks = []
        for name in arguments.persons or PERSONS:
            print(f"{name}: {PERSONS[name].__doc__}", flush=True)
            walk = Walk(name, folder)
            try:
                PERSONS[name](walk)
            except WalkFailed as failure:
                print(f"failed: {failure}", file=sys.stderr)
                return 1
            walks.append(walk)
            print(f"{name}: {len(walk.steps)} commands, {walk.seconds:.0f} s", flush=True)
    if arguments.page:
        PAGE.write_text(with_measured(PAGE.read_text(), walks))
    return 0


def with_measured(page: str, walks: list[Walk]) -> str:
    """Return the page with the table of what was measured now."""
    rows = [f"| {walk.name} | {len(walk.steps)} | {walk.seconds:.0f} s |" for walk in walks]
    where = f"Measured on {date.today().isoformat()}, {platform.machine()}, Python {platform.python_version()}."
    table = "\n".join(["| who | commands | time |", "|---|---|---|", *rows, "", where])
    return _TABLE.sub(lambda _: table, page)


if __name__ == "__main__":
    sys.exit(main())
