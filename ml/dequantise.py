"""A GGUF file as a model folder: what `--model FILE.gguf` makes by itself, written where you say.

    python -m ml.dequantise FILE.gguf --out FOLDER

Its tokenizer.json is what `pivots ingest --tokenizer FOLDER` wants.
"""

import argparse
from pathlib import Path

from ml.common.errors import run_program
from ml.models.gguf import write_dequantised
from warehouse.contract.atomic import atomic_folder
from warehouse.contract.errors import UsageError


def main(argv: list[str] | None = None) -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(prog="ml.dequantise", description="A GGUF file as a model folder.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="the folder to make")
    options = parser.parse_args(argv)
    if not options.file.is_file():
        raise UsageError(f"{options.file}: no such file")
    if options.out.exists():
        raise UsageError(f"--out {options.out} exists already")
    with atomic_folder(options.out) as unfinished:
        write_dequantised(options.file.resolve(), unfinished)
    print(options.out)


if __name__ == "__main__":
    run_program(main)
