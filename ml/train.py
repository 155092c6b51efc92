"""Continued pre-training on an export folder.

    accelerate launch -m ml.train --request FILE
    accelerate launch -m ml.train --export DIR --model M --preset FILE --seed N --run-id ID --out DIR

Writes `<out>/model` (config.json, model.safetensors, tokenizer.json), `<out>/results/training_steps.parquet`,
`<out>/run.json`, and while it runs `<out>/checkpoints`. Run again after a kill, it goes on from the newest checkpoint;
on a CPU the final weights are then bit-equal to an uninterrupted run's.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import torch
from accelerate import Accelerator

from ml.common.errors import run_program
from ml.common.progress import Progress
from ml.common.result_files import read_json, versions, write_json, write_result
from ml.models.flops import flops_per_token, measured_flops_per_s, published_flops_per_s
from ml.models.load import (
    ModelSource,
    accepts_position_ids,
    context_length,
    find_model,
    leading_special_ids,
    load_config,
    load_model,
    load_tokenizer,
    model_hash,
    n_parameters,
)
from ml.models.unembedding import logit_rule
from ml.program.arguments import from_options, request_parser
from ml.program.run_folder import check_identity, only_run_in
from ml.training.checkpoints import (
    load_checkpoint,
    newest_step,
    read_optimizer,
    save_checkpoint,
)
from ml.training.lengths import n_steps
from ml.training.loss import LossModel
from ml.training.model_writer import ModelWriter
from ml.training.optimizer import learning_rate, make_optimizer
from ml.training.prepare import make_deterministic, prepare_blocks
from ml.training.reads import training_reads
from ml.training.sequences import Export, Sequences, count_eos, open_export
from ml.training.sharding import notice_lost_processes, spread, start_processes
from ml.training.step import StepData, accumulate_gradients
from warehouse.contract.atomic import remove_unfinished
from warehouse.contract.errors import UsageError, raise_all
from warehouse.contract.folders import PROGRESS, RUN_RECORD
from warehouse.contract.hashing import id64
from warehouse.contract.presets import TrainPreset, read_preset
from warehouse.contract.requests import TrainRequest, read_request
from warehouse.contract.result_schemas import RESULT
from warehouse.contract.tokenizer_identity import is_same

Made = TypeVar("Made")


@dataclass(frozen=True)
class _Job:
    """One training: what to read, how to train, where to write."""

    preset: TrainPreset
    data: StepData
    source: ModelSource
    tokenizer_file: Path
    n_steps: int
    identity: dict[str, Any]
    out: Path


def main(argv: list[str] | None = None) -> None:
    """Read the request, with its export and model, and train. All that is wrong with any of them is said at once."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    problems: list[str] = []
    request = _attempt(problems, lambda: _request(arguments))
    export_folder, spec = (request.export, request.model) if request else (arguments.export, arguments.model)
    export = _attempt(problems, lambda: open_export(export_folder)) if export_folder else None
    source = _attempt(problems, lambda: find_model(spec)) if spec else None
    raise_all(problems)
    assert request is not None
    assert export is not None
    assert source is not None
    _serve(request, export, source)


def _serve(request: TrainRequest, export: Export, source: ModelSource) -> None:
    """Check everything else, then train, then write what came out."""
    preset, out = request.preset, request.out
    accelerator, is_sharded = start_processes()
    make_deterministic(accelerator.device)
    tokenizer_file = _tokenizer_file(source, export)
    leading = tuple(leading_special_ids(load_tokenizer(tokenizer_file)))
    if preset.seq_len <= len(leading):
        raise UsageError(f"seq_len {preset.seq_len}: the tokenizer puts {len(leading)} tokens before every text")
    sequences = Sequences(export, preset.seq_len, leading)
    _check_fit(preset, export, source, sequences, world_size=accelerator.num_processes)
    model = load_model(source, seed=request.seed, dtype="float32", device=accelerator.device)
    if preset.document_masks and not accepts_position_ids(model):
        raise UsageError(f"document_masks: {model.config.model_type} takes no position ids; set document_masks: false")
    logit_rule(model)  # refuses a model whose logits cannot be made from its hidden states
    total_steps = n_steps(preset, sequences.n_sequences)
    identity = {
        "export": export.content_hash,
        "model": model_hash(source, seed=request.seed),
        "seed": request.seed,
        "run_id": request.run_id,
        "steps": total_steps,
    } | {f"preset.{name}": value for name, value in preset.model_dump().items()}
    if leading:
        identity["leading_special_ids"] = list(leading)
    if (out / RUN_RECORD).exists():
        check_identity(read_json(out / RUN_RECORD)["identity"], identity, out)
        accelerator.print(f"{out}: this run is finished already")
        return
    job = _Job(preset, StepData(export, sequences, request.seed), source, tokenizer_file, total_steps, identity, out)
    record = _run_record(request, export, model, identity, accelerator, is_sharded=is_sharded)
    with notice_lost_processes(), only_run_in(out):
        _run(accelerator, model, job, record)
    accelerator.end_training()


def _run(accelerator: Accelerator, model: Any, job: _Job, record: dict[str, Any]) -> None:
    """Train and write what came out."""
    out, preset = job.out, job.preset
    newest = newest_step(out / "checkpoints", job.identity)
    if accelerator.is_main_process:
        remove_unfinished(out)
    speed = {
        "model_flops": flops_per_token(model, preset.seq_len) * preset.sequences_per_step * preset.seq_len,
        "measured_flops_per_s": measured_flops_per_s(accelerator.device) * accelerator.num_processes,
        "published_flops_per_s": _times(published_flops_per_s(accelerator.device), accelerator.num_processes),
    }
    prepare_blocks(model, preset)
    loss_model = spread(accelerator, LossModel(model).train(), is_sharded=record["is_sharded"])
    log, timing = _train(accelerator, loss_model, job, newest, speed)
    _raise_peak(log, speed, measured_flops_per_s(accelerator.device) * accelerator.num_processes)
    if accelerator.is_main_process:
        rows = pa.Table.from_pylist(log, schema=RESULT["training_steps"])
        write_result(out, "training_steps", rows)
        run_id, per_step = job.identity["run_id"], preset.sequences_per_step
        reads = training_reads(job.data, run_id, n_steps=job.n_steps, per_step=per_step)
        write_result(out, "training_reads", reads)
        write_json(out / RUN_RECORD, record | {"timing": timing | speed})
        shutil.rmtree(out / "checkpoints", ignore_errors=True)
    # of the newest step: the mean over a resumed run would mix machines
    mfu = speed["model_flops"] / log[-1]["step_s"] / speed["measured_flops_per_s"]
    accelerator.print(
        f"{out / 'model'}: {job.n_steps} steps, loss {log[0]['loss']:.4f} -> {log[-1]['loss']:.4f}, "
        f"{timing['tokens_per_s']:,.0f} tokens/s, {mfu:.0%} of the measured matrix peak"
    )


def _train(
    accelerator: Accelerator,
    loss_model: torch.nn.Module,
    job: _Job,
    newest: Path | None,
    speed: dict[str, float | None],
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Run all steps from the newest checkpoint on and save the model. Return one log row per step, and the speed."""
    preset, total_steps, out = job.preset, job.n_steps, job.out
    optimizer = make_optimizer(loss_model, preset)
    writer = ModelWriter(accelerator, loss_model, job.tokenizer_file, out)
    if preset.optimizer_state == "model" and newest is None:
        _load_optimizer_state(loss_model, optimizer, job.source)
    first_step, log = 1, []
    if newest is not None:
        resumed = load_checkpoint(loss_model, optimizer, newest)
        first_step, log = resumed.step + 1, resumed.log
        accelerator.print(f"resuming after step {resumed.step}", file=sys.stderr)
    seen = log[-1]["n_tokens_seen"] if log else 0
    tokens_per_step = preset.sequences_per_step * preset.seq_len
    started = time.monotonic()
    with Progress(
        "train",
        total=total_steps * tokens_per_step,
        unit="tokens",
        done=(first_step - 1) * tokens_per_step,
        shown=accelerator.is_main_process,
        file=out / PROGRESS,
    ) as progress:
        for step in range(first_step, total_steps + 1):
            step_started = time.monotonic()
            # nothing random is carried from step to step: dropout, where a model has some, follows the step and process
            torch.manual_seed(id64("step", str(job.data.seed), str(step), str(accelerator.process_index)))
            rate = learning_rate(preset, step, total_steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss, grad_norm = accumulate_gradients(accelerator, loss_model, preset, job.data, step)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            seen += tokens_per_step
            log.append(
                {
                    "run_id": job.identity["run_id"],
                    "step": step,
                    "n_tokens_seen": seen,
                    "loss": loss,
                    "learning_rate": rate,
                    "grad_norm": grad_norm,
                    "step_s": time.monotonic() - step_started,
                    **speed,  # of the processes that took this step: a resumed run may have others
                }
            )
            progress.advance(tokens_per_step, f"step {step}, loss {loss:.4f}, lr {rate:.2e}, grad norm {grad_norm:.2f}")
            if preset.checkpoint_every_steps and step % preset.checkpoint_every_steps == 0 and step < total_steps:
                save_checkpoint(
                    accelerator,
                    loss_model,
                    optimizer,
                    out / "checkpoints",
                    step=step,
                    identity=job.identity,
                    log=log,
                    keep=preset.keep_checkpoints,
                )
            if preset.keep_models_every_steps and step % preset.keep_models_every_steps == 0:
                writer.keep(step=step, n_tokens_seen=seen)
    elapsed = time.monotonic() - started
    writer.save(optimizer if preset.save_optimizer else None)
    trained = (total_steps - first_step + 1) * tokens_per_step
    return log, {"train_s": elapsed, "tokens_per_s": trained / elapsed if trained else 0.0}


def _tokenizer_file(source: ModelSource, export: Export) -> Path:
    """Return the tokenizer to keep with the model: its own if the export was made with the same one, else the export's.

    The model's own knows what it was trained to begin texts with.
    """
    own = source.tokenizer_file
    return own if own is not None and is_same(own.read_bytes(), export.tokenizer_file) else export.tokenizer_file


def _raise_peak(log: list[dict[str, Any]], speed: dict[str, float | None], again: float) -> None:
    """Take the larger of two measured peaks: what runs beside a measurement can only lower it.

    Rows of the processes that went before, in a resumed run, keep theirs.
    """
    before = speed["measured_flops_per_s"]
    assert before is not None
    speed["measured_flops_per_s"] = max(before, again)
    for row in log:
        if row["measured_flops_per_s"] == before:
            row["measured_flops_per_s"] = speed["measured_flops_per_s"]


def _times(peak: float | None, n_devices: int) -> float | None:
    return None if peak is None else peak * n_devices


def _load_optimizer_state(loss_model: torch.nn.Module, optimizer: torch.optim.Optimizer, source: ModelSource) -> None:
    path = source.folder / "optimizer.pt" if source.folder else None
    if path is None or not path.exists():
        raise UsageError(f"optimizer_state: model, but --model {source.spec} has no optimizer.pt; set it to fresh")
    read_optimizer(loss_model, optimizer, path)


def _run_record(
    request: TrainRequest,
    export: Export,
    model: Any,
    identity: dict[str, Any],
    accelerator: Accelerator,
    *,
    is_sharded: bool,
) -> dict[str, Any]:
    """Return what run.json says about a run, before its speed is known."""
    return {
        "run_id": request.run_id,
        "kind": "train",
        "config": {"preset": request.preset.model_dump(), "model": request.model, "seed": request.seed},
        "identity": identity,
        "inputs": {"export": export.content_hash, "model": identity["model"]},
        "export_id": export.manifest["export_id"],
        "strategy": export.manifest.get("strategy"),
        "tokenizer_hash": export.manifest["tokenizer_hash"],
        "model_type": model.config.model_type,
        "n_parameters": n_parameters(model),
        "dtype": "float32 weights" + (", bfloat16 autocast" if accelerator.mixed_precision == "bf16" else ""),
        "packing": "document masks" if request.preset.document_masks else "plain causal",
        "leading_special_ids": identity.get("leading_special_ids", []),
        "device": str(accelerator.device.type),
        "n_processes": accelerator.num_processes,
        "is_sharded": is_sharded,
        "n_threads": torch.get_num_threads(),
        "versions": versions(),
    }


def _parser() -> argparse.ArgumentParser:
    """Return the parser: a request's entries, of which the regime is given as a preset file and its length."""
    parser = request_parser(TrainRequest, without=("preset",))
    parser.add_argument("--preset", type=Path, help="YAML file with a section `train` (required)")
    parser.add_argument("--max-steps", type=int, help="replaces the preset's length")
    parser.add_argument("--budget-tokens", type=int, help="replaces the preset's length")
    return parser


def _request(arguments: argparse.Namespace) -> TrainRequest:
    """Return the request of the command line. Raises UsageError with all that is wrong with it."""
    given = {name: value for name, value in vars(arguments).items() if value is not None}
    if (file := given.pop("request", None)) is not None:
        if given:
            raise UsageError(f"--request {file} says everything: give no other option")
        return read_request(file, TrainRequest)
    problems: list[str] = []
    lengths = {name: given.pop(name, None) for name in ("max_steps", "budget_tokens")}
    problems += [
        f"--{name.replace('_', '-')} must be at least 1"
        for name, value in lengths.items()
        if value is not None and value < 1
    ]
    if None not in lengths.values():
        problems.append("--max-steps and --budget-tokens exclude each other")
    if (out := given.get("out")) and out.exists() and not out.is_dir():
        problems.append(f"--out {out} is a file")
    if path := given.pop("preset", None):
        preset = _attempt(problems, lambda: read_preset(path).train)
        raise_all(problems)
        steps, budget_tokens = lengths.values()
        given["preset"] = preset.with_length(steps=steps, budget_tokens=budget_tokens) if preset else None
    raise_all(problems)
    return from_options(TrainRequest, given)


def _attempt(problems: list[str], step: Callable[[], Made]) -> Made | None:
    """Return what a step makes; if it refuses, add its problems and return None."""
    try:
        return step()
    except UsageError as problem:
        problems.extend(problem.problems)
        return None


def _check_fit(
    preset: TrainPreset, export: Export, source: ModelSource, sequences: Sequences, *, world_size: int
) -> None:
    """Raise UsageError with everything in which preset, export and model do not fit each other."""
    problems = []
    config = load_config(source)
    limit = context_length(config)
    if limit is not None and preset.seq_len > limit:
        problems.append(f"seq_len {preset.seq_len} is more than the model's {limit} positions")
    vocab_size = load_tokenizer(export.tokenizer_file).get_vocab_size()
    if vocab_size > config.vocab_size:
        problems.append(f"the export's tokenizer has {vocab_size} tokens, the model only {config.vocab_size}")
    if sequences.n_sequences == 0:
        problems.append(f"the export's {export.n_tokens} tokens do not fill one sequence of {preset.seq_len}")
    if (n_separators := count_eos(export)) != export.manifest["n_docs"]:
        problems.append(
            f"the export holds {n_separators} separators (token {export.eos_token_id}) for "
            f"{export.manifest['n_docs']} documents: its eos_token_id is another one"
        )
    if preset.sequences_per_step % world_size:
        problems.append(f"sequences_per_step {preset.sequences_per_step} is no multiple of {world_size} processes")
    raise_all(problems)


if __name__ == "__main__":
    run_program(main)
