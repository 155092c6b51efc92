"""Does a model of a million parameters rank arms as one of 60 million does? The planted experiment by scale and budget.

Base models are trained here on the natural mixture, corpora are planted here, an arm is read by the product's trainer
and judged by its scorer. A cell is one training: scale, tokens, learning rate, seed, arm. Cells are done in an order in
which the answer is there early and gets sharper; when the time is over, the page says what there is.
"""

import os
import subprocess
import sys
import time
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ml.common.result_files import read_json, write_json
from ml.gpu.inputs import TOKENIZER, make_preset, model_config, write_preset
from ml.gpu.ladder_report import report
from ml.gpu.programs import ProgramFailed, run_here, score_arguments, train_arguments
from ml.gpu.runner import ROOT
from ml.gpu.sizes import Budget, Sizes, sizes_of
from warehouse.contract.hashing import short_hash
from warehouse.contract.stage_answers import Answers, StageArguments, failed, start_stage

BASE_SEED = 1_000_001
_FIRST_SEED = 201
_SEQUENCES_PER_PASS = 128
CLOSING_S = 8.0


@dataclass(frozen=True)
class Cell:
    """One training of the ladder and its score."""

    scale: str
    tokens: int
    learning_rate: float
    seed: int
    arm: str

    @property
    def name(self) -> str:
        return f"{self.scale}-{self.tokens}-{self.learning_rate:g}-{self.seed}-{self.arm}"


def cells_of(sizes: Sizes) -> list[Cell]:
    """Return all cells in the order in which they are done: two seeds of every scale first, small budgets first."""
    cells = [
        ((number // 2) + 2 * rate + (0, 1, 4)[budget], budget, rate, number, scale, arm)
        for budget in range(len(sizes.budgets))
        for rate in range(len(sizes.learning_rates))
        for number in range(sizes.seeds)
        for scale in range(len(sizes.scales))
        for arm in range(len(sizes.arms))
    ]
    names = list(sizes.scales)
    return [
        Cell(
            names[scale],
            sizes.budgets[budget].tokens,
            sizes.learning_rates[rate],
            _FIRST_SEED + number,
            sizes.arms[arm],
        )
        for _, budget, rate, number, scale, arm in sorted(cells)
    ]


def main() -> int:
    """Answer."""
    arguments, answers = start_stage()
    sizes, work = sizes_of(arguments.sizes), arguments.work
    answers.is_complete = False
    context = get_context("spawn")
    with ProcessPoolExecutor(sizes.ladder_workers, mp_context=context, initializer=_quiet) as pool:
        _prepare(answers, pool, sizes, work)
        done = _run_cells(answers, pool, sizes, arguments)
    for scale in sizes.scales:
        report_bases = work / "bases" / scale / "scored.json"
        if report_bases.exists():
            answers.item(f"base {scale}", partial(read_json, report_bases))
    report(answers, done, list(sizes.scales))
    answers.is_complete = len(done) == len(cells_of(sizes))
    answers.save()
    return 0


def _quiet() -> None:
    """Give workers few threads: their number is what keeps the cores busy."""
    os.environ.setdefault("OMP_NUM_THREADS", "2")


def _plant(*arguments: str) -> None:
    """Run the planter, which is a program of the warehouse.

    Raises:
        ProgramFailed: it ended with an error.
    """
    command = [sys.executable, "-m", "warehouse.planted.arms", *arguments, "--tokenizer", str(TOKENIZER)]
    ended = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if ended.returncode:
        raise ProgramFailed(f"planting ended with {ended.returncode}: {ended.stdout[-500:]}")


def _prepare(answers: Answers, pool: ProcessPoolExecutor, sizes: Sizes, work: Path) -> None:
    """Plant the base corpus, write the list, train and score a base model of every scale, all at once."""
    started = time.monotonic()
    _plant("evaluation", "--out", str(work / "eval"), "--items", str(sizes.ladder_items))
    _plant("base", "--out", str(work / "base-corpus"), "--seed", str(BASE_SEED), "--blocks", str(sizes.base_blocks))
    planted_s = time.monotonic() - started
    # the largest first: it takes longest
    bases = [pool.submit(_base, work, scale, sizes) for scale in reversed(sizes.scales)]
    wait(bases, timeout=max(answers.left - CLOSING_S, 1), return_when=ALL_COMPLETED)
    for future in bases:
        if future.done():
            future.result()
    seconds = {"planting": planted_s, "base models": time.monotonic() - started - planted_s}
    answers.item("preparing", lambda: seconds)


def _base(work: Path, scale: str, sizes: Sizes) -> None:
    """Train a base model on the natural mixture, once, and score it."""
    out = work / "bases" / scale
    if (out / "scored.json").exists():
        return
    step_tokens = sizes.base_step_tokens
    preset = _preset(out / "preset.yml", sizes, step_tokens, sizes.learning_rates[0], schedule="constant", warm_up=50)
    config = model_config(out / "shape.json", sizes.scales[scale])
    request = train_arguments(
        export=work / "base-corpus", model=config, preset=preset, seed=0, run_id=f"base-{scale}", out=out / "run"
    )
    record = run_here("train", request, out / "run")
    scored = _score(work, out / "run" / "model", out / "score", f"base-{scale}")
    write_json(out / "scored.json", scored | {"train": record["timing"], "n_parameters": record["n_parameters"]})


def _preset(path: Path, sizes: Sizes, step_tokens: int, learning_rate: float, *, schedule: str, warm_up: int) -> Path:
    sequences = max(1, step_tokens // sizes.ladder_seq_len)
    preset = make_preset(
        seq_len=sizes.ladder_seq_len,
        sequences_per_step=sequences,
        micro_batch_sequences=min(sequences, _SEQUENCES_PER_PASS),
        document_masks=True,
        steps=None,
        epochs=1,
        learning_rate=learning_rate,
        schedule=schedule,
        warmup_steps=warm_up,
        final_lr_share=1.0 if schedule == "constant" else 0.0,
        eps=1.0e-8,
        compile_blocks=False,
        checkpoint_every_steps=None,
    )
    return write_preset(path, preset)


def _score(work: Path, model: Path, out: Path, run_id: str) -> dict[str, Any]:
    """Score a model on the planted list by the product's scorer; return the outcomes of `ladder_report.outcomes`."""
    from ml.gpu.ladder_report import outcomes

    batch_tokens = 65_536 if _on_gpu() else 1_024
    request = score_arguments(eval_set=work / "eval", model=model, run_id=run_id, out=out, batch_tokens=batch_tokens)
    run_here("score", request, out)
    return outcomes(out / "results" / "word_scores.parquet", read_json(work / "eval" / "manifest.json")["kinds"])


def _on_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _cell(work: Path, cell: Cell, budget: Budget, sizes: Sizes) -> dict[str, Any]:
    """Train and score one cell; return what it found. The model itself is not kept."""
    import shutil

    out = work / "cells" / cell.name
    started = time.monotonic()
    preset = _preset(out / "preset.yml", sizes, budget.step_tokens, cell.learning_rate, schedule="linear", warm_up=10)
    export = _corpus(work, budget, cell.seed) / cell.arm
    base = work / "bases" / cell.scale / "run" / "model"
    request = train_arguments(
        export=export, model=base, preset=preset, seed=cell.seed, run_id=short_hash(asdict(cell)), out=out / "run"
    )
    record = run_here("train", request, out / "run")
    found = _score(work, out / "run" / "model", out / "score", short_hash(asdict(cell)))
    found |= asdict(cell) | {"tokens_per_s": record["timing"]["tokens_per_s"], "wall_s": time.monotonic() - started}
    write_json(work / "found" / f"{cell.name}.json", found)
    shutil.rmtree(out, ignore_errors=True)
    return found


def _corpus(work: Path, budget: Budget, seed: int) -> Path:
    return work / "corpora" / f"{budget.tokens}-{seed}"


def _run_cells(
    answers: Answers, pool: ProcessPoolExecutor, sizes: Sizes, arguments: StageArguments
) -> list[dict[str, Any]]:
    """Run cells until all are done or the time is over; return what was found, also by earlier starts."""
    work = arguments.work
    budgets = {budget.tokens: budget for budget in sizes.budgets}
    done: list[dict[str, Any]] = []
    todo = []
    for cell in cells_of(sizes):
        path = work / "found" / f"{cell.name}.json"
        if path.exists():
            done.append(read_json(path))
        elif (work / "bases" / cell.scale / "scored.json").exists():
            todo.append(cell)
    under_way: dict[Future[dict[str, Any]], Cell] = {}
    slowest: dict[tuple[str, int], float] = {}
    planted_s = 0.0
    while todo or under_way:
        while todo and len(under_way) < sizes.ladder_workers:
            cell = todo.pop(0)
            budget = budgets[cell.tokens]
            corpus = _corpus(work, budget, cell.seed)
            is_new = not (corpus / sizes.arms[-1] / "manifest.json").exists()
            if answers.left - CLOSING_S < slowest.get((cell.scale, cell.tokens), 0) + (planted_s if is_new else 0):
                continue  # a cell of another size may still fit
            if is_new:
                started = time.monotonic()
                sizes_of_corpus = ("--corpus-tokens", str(budget.corpus_tokens), "--budget-tokens", str(budget.tokens))
                names = ("--seed", str(cell.seed), "--arms", ",".join(sizes.arms))
                _plant("arms", "--out", str(corpus), *sizes_of_corpus, *names)
                planted_s = time.monotonic() - started
            under_way[pool.submit(_cell, work, cell, budget, sizes)] = cell
        if not under_way:
            break
        finished, _ = wait(under_way, timeout=max(answers.left - CLOSING_S, 0.1), return_when=FIRST_COMPLETED)
        for future in finished:
            cell = under_way.pop(future)
            found = answers.item(f"cell {cell.name}", future.result)
            if not failed(found):
                done.append(found)
                key = (cell.scale, cell.tokens)
                slowest[key] = max(slowest.get(key, 0.0), found["wall_s"])
        if answers.left < CLOSING_S:
            for process in list((pool._processes or {}).values()):
                process.kill()
            break
    return done


if __name__ == "__main__":
    sys.exit(main())
