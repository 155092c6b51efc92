"""python -m ml.gpu: see `ml.gpu`."""

import argparse
import sys
import tempfile
from pathlib import Path

from ml.gpu.page import summary
from ml.gpu.plan import STAGES, find_stages
from ml.gpu.runner import FULL, REHEARSAL, CannotRun, Request, run


def main(argv: list[str] | None = None) -> int:
    """Run the recipe. Return 0, 1 when a stage failed or a figure is out of its bound, 2 when it cannot run here."""
    parser = argparse.ArgumentParser(prog="ml.gpu", description="Every open question about a GPU, by one command.")
    parser.add_argument("--minutes", type=float, default=25.0, help="budget of this call (default: 25)")
    parser.add_argument(
        "--out", type=Path, default=Path("build/gpu"), help="results.json and gpu.md (default: build/gpu)"
    )
    parser.add_argument(
        "--work", type=Path, help="scratch, kept to resume (default: pivots-gpu in the temporary folder)"
    )
    parser.add_argument(
        "--stage", action="append", default=[], help=f"only this one, repeatable: {', '.join(s.name for s in STAGES)}"
    )
    parser.add_argument("--rehearse", action="store_true", help="tiny sizes, which a CPU can do")
    given = parser.parse_args(argv)
    sizes = REHEARSAL if given.rehearse else FULL
    try:
        if given.minutes <= 0:
            raise CannotRun(f"--minutes {given.minutes:g} is no budget: give minutes above 0")
        try:
            stages = find_stages(given.stage)
        except ValueError as problem:
            raise CannotRun(f"--stage: {problem}") from None
        work = given.work or Path(tempfile.gettempdir()) / "pivots-gpu"
        results = run(Request(stages, sizes, given.minutes, given.out.absolute(), work.absolute()))
    except CannotRun as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    text, is_good = summary(results)
    print(text)
    print(f"{given.out / 'gpu.md'} and {given.out / 'results.json'} hold everything", file=sys.stderr)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
