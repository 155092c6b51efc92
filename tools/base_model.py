"""Make the demo's base model again: tokenizer, natural mixture, training, and the files that are shipped.

    python -m tools.base_model --work DIR

Everything is seeded and resumable: run again after an interruption, it goes on from the newest checkpoint. With the
same versions and number of threads (OMP_NUM_THREADS; the shipped model: 1) the weights come out bit-equal.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from tools import REPOSITORY
from warehouse.base.progress import say
from warehouse.contract.atomic import atomic_file
from warehouse.planted.natural_mixture import write_natural_mixture
from warehouse.planted.tokenizer import train_tokenizer

SHIPPED = REPOSITORY / "ml" / "base_model"
PRESET = REPOSITORY / "profiles" / "base-model.yml"
CONFIGURATION = REPOSITORY / "profiles" / "base-model.json"
DATA_SEED = 1_000_001  # far from the seeds that people give their own corpora
N_BLOCKS = 256  # of 4,096 documents; read once
_RUN_ID = "train-base-model"
_CURVE_POINTS = 40


def main() -> None:
    """Run the recipe and replace the shipped files."""
    parser = argparse.ArgumentParser(prog="python -m tools.base_model", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/base-model"), help="working folder, kept for resuming")
    work: Path = parser.parse_args().work.absolute()
    tokenizer_file = work / "tokenizer.json"
    with atomic_file(tokenizer_file) as unfinished:
        train_tokenizer().save(str(unfinished))
    export = work / "export"
    write_natural_mixture(export, tokenizer_file=tokenizer_file, n_blocks=N_BLOCKS, seed=DATA_SEED)
    run = work / "run"
    arguments = {
        "--export": export,
        "--model": CONFIGURATION,
        "--preset": PRESET,
        "--seed": 0,
        "--run-id": _RUN_ID,
        "--out": run,
    }
    command = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "1", "--num_machines", "1"]
    command += ["--mixed_precision", "no", "--dynamo_backend", "no", "--cpu", "-m", "ml.train"]
    command += [str(part) for pair in arguments.items() for part in pair]
    done = subprocess.run(command, cwd=REPOSITORY, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    ship(run, export)
    say(f"base model: {SHIPPED}; write its losses and scores into MODEL_CARD.md")


def ship(run: Path, export: Path) -> None:
    """Copy model, tokenizer, run record and a thinned loss curve to the repository."""
    for path in sorted((run / "model").iterdir()):
        with atomic_file(SHIPPED / path.name) as unfinished:
            shutil.copyfile(path, unfinished)
    record = json.loads((run / "run.json").read_text())
    data = json.loads((export / "manifest.json").read_text())
    steps = pq.read_table(run / "results" / "training_steps.parquet").to_pylist()
    every = max(1, len(steps) // _CURVE_POINTS)
    training = {
        "preset": record["config"]["preset"],
        "seed": record["config"]["seed"],
        "data_seed": DATA_SEED,
        "n_documents": data["n_docs"],
        "n_tokens": data["n_tokens"],
        "tokens_by_lang": data["tokens_by_lang"],
        "tokenizer_hash": data["tokenizer_hash"],
        "n_parameters": record["n_parameters"],
        "n_threads": record["n_threads"],
        "versions": record["versions"],
        "timing": record["timing"],
        # means over `every` steps, so that the curve is readable
        "loss": [
            {
                "step": chunk[-1]["step"],
                "n_tokens_seen": chunk[-1]["n_tokens_seen"],
                "loss": round(sum(row["loss"] for row in chunk) / len(chunk), 4),
            }
            for chunk in (steps[start : start + every] for start in range(0, len(steps), every))
        ],
    }
    with atomic_file(SHIPPED / "training.json") as unfinished:
        unfinished.write_text(json.dumps(training, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
