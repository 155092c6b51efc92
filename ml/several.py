"""Several programs in one process, one after another: loading the libraries once saves seconds for each small model.

    python -m ml.several score ARGUMENTS --then trace ARGUMENTS --then held_out ARGUMENTS

Each part is what would follow `python -m ml.<program>`. The first part that fails ends the process with its exit code.
"""

import importlib
import sys

from ml.common.errors import run_program
from warehouse.contract.errors import UsageError

SEPARATOR = "--then"
PROGRAMS = ("score", "sentences", "trace", "held_out", "prompt_lens")


def main(argv: list[str] | None = None) -> None:
    """Run the parts in their order."""
    parts: list[list[str]] = [[]]
    for argument in sys.argv[1:] if argv is None else argv:
        if argument == SEPARATOR:
            parts.append([])
        else:
            parts[-1].append(argument)
    for part in parts:
        if not part or part[0] not in PROGRAMS:
            raise UsageError(f"each part begins with one of {', '.join(PROGRAMS)}; this one with {part[:1]}")
    for program, *arguments in parts:
        # imported when needed: a machine without sacrebleu can do all but sentences
        importlib.import_module(f"ml.{program}").main(arguments)


if __name__ == "__main__":
    run_program(main)
