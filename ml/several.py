"""Several evaluations in one process, one after another: loading the libraries once saves seconds for each small model.

    python -m ml.several RUN/request.json OTHER_RUN/request.json ...

All requests are read before the first is served. The first that fails ends the process with its exit code.
"""

import importlib
from pathlib import Path

from ml.common.errors import run_program
from ml.program.arguments import OneLineParser
from warehouse.contract.requests import read_evaluation_request


def main(argv: list[str] | None = None) -> None:
    """Serve the requests in their order."""
    parser = OneLineParser(prog="ml.several", description="Several evaluations in one process, one after another.")
    parser.add_argument("requests", nargs="+", type=Path, metavar="FILE", help="a request file, as `pivots` writes it")
    for request in [read_evaluation_request(path) for path in parser.parse_args(argv).requests]:
        # imported when needed: a machine without sacrebleu can do all but sentences
        importlib.import_module(f"ml.{request.program}").run(request)


if __name__ == "__main__":
    run_program(main)
