"""What the drills' command lines share."""

import argparse
import json
from pathlib import Path
from typing import Any


def parser_of(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser whose help is a drill's own docstring, with `--out`."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="write what happened there as JSON")
    return parser


def write_out(path: Path | None, outcome: Any) -> None:
    """Write what happened, where that was asked for."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(outcome, indent=1))
