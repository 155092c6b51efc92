"""Does the GPU compute what the CPU computes? Scores, lenses, losses, resuming; attention kernels; memory by shape.

The bounds are stated beside every figure. On bf16: eight bits of mantissa round every product's inputs by up to 0.4 %,
which the product allows a quarter of a nat for on one token; means are held to a fifth of that.
"""

import shutil
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch
from safetensors.torch import load_file
from transformers import PreTrainedModel

from ml.gpu.inputs import (
    BASE_MODEL,
    TOKENIZER,
    known_words,
    make_preset,
    pick_device,
    random_export,
    random_model,
    write_preset,
)
from ml.gpu.profiles import attention_used
from ml.gpu.programs import ProgramFailed, run_apart, run_here, start, train_arguments
from ml.gpu.sizes import Sizes, sizes_of
from ml.gpu.timing import free_memory
from ml.gpu.training_rig import TrainingRig
from ml.models.lens import LayerReader
from ml.models.load import find_model, load_model, load_tokenizer
from ml.translation.eval_set import open_eval_set
from ml.translation.languages import language_names
from ml.translation.prompts import PromptBuilder, PromptTokens, all_prompts
from ml.translation.score_reference import candidate_nlls
from ml.translation.shared_prefix import target_nlls
from warehouse.contract.stage_answers import Answers, StageArguments, failed, start_stage

FP32_NATS = 1e-3  # GPU fp32 against CPU fp32, largest difference of a token
BF16_NATS_MAX, BF16_NATS_MEAN = 0.25, 0.05
BF16_PROBABILITY = 0.05  # largest difference of a probability of a lens
LOSS_NATS = 0.02  # bf16 training against fp32, any step
RESUMED_NATS = 5e-3  # after a kill, on a GPU; a CPU gives the same bits
WANTED_ATTENTION = ("flash", "memory-efficient", "cudnn")
_POLL_S = 0.02
_KILL_S = 120


def main() -> int:
    """Answer."""
    arguments, answers = start_stage()
    sizes, device = sizes_of(arguments.sizes), pick_device()
    prompts = _prompts(arguments.work, sizes)
    _compare_scores(answers, device, prompts)
    _compare_lenses(answers, device, prompts)
    _attention(answers, device, sizes, arguments.work, prompts)
    _compare_training(answers, device, sizes, arguments)
    _resume(answers, device, sizes, arguments)
    _memory(answers, device, sizes, arguments.work)
    answers.save()
    return 0


def _prompts(work: Path, sizes: Sizes) -> list[PromptTokens]:
    """Return a few prompts of ten candidates, spread over directions."""
    eval_set = open_eval_set(known_words(work / "list"))
    builder = PromptBuilder(eval_set, load_tokenizer(TOKENIZER), language_names(eval_set.languages, []))
    every = all_prompts(eval_set, draws=[0])
    chosen = every[:: max(1, len(every) // sizes.cpu_prompts)][: sizes.cpu_prompts]
    builder.check(chosen)
    return builder.tokenize(chosen)


def _base(dtype: str, device: torch.device) -> PreTrainedModel:
    """Return the demo's base model: trained weights, whose numbers are not those of a guess."""
    return load_model(find_model(str(BASE_MODEL)), seed=0, dtype=dtype, device=device)


def _flat(nlls: list[list[list[float]]]) -> torch.Tensor:
    return torch.tensor([value for prompt in nlls for candidate in prompt for value in candidate])


def _compare_scores(answers: Answers, device: torch.device, prompts: list[PromptTokens]) -> None:
    def measure() -> dict[str, float]:
        cpu = torch.device("cpu")
        reference = _flat([candidate_nlls(_base("float32", cpu), prompt) for prompt in prompts])
        found: dict[str, float] = {}
        for dtype in ("float32", "bfloat16"):
            apart = (_flat(target_nlls(_base(dtype, device), prompts)) - reference).abs()
            found |= {f"{dtype}_max": float(apart.max()), f"{dtype}_mean": float(apart.mean())}
        return found

    found = answers.item("scores", measure, needs_s=10)
    if failed(found):
        return
    bounds = {"float32_max": FP32_NATS, "bfloat16_max": BF16_NATS_MAX, "bfloat16_mean": BF16_NATS_MEAN}
    for name, bound in bounds.items():
        dtype, which = name.split("_")
        answers.check(
            f"target NLL, {dtype} on the device against fp32 on the CPU one candidate at a time, {which}",
            found[name],
            f"at most {bound:g} nats",
            is_within=found[name] <= bound,
        )


def _compare_lenses(answers: Answers, device: torch.device, prompts: list[PromptTokens]) -> None:
    def read(dtype: str, where: torch.device) -> list[torch.Tensor]:
        layers = []
        with LayerReader(_base(dtype, where)) as reader:
            for prompt in prompts:
                tokens = torch.tensor([prompt.prefix + prompt.suffixes[0]], device=where)
                layers.append(torch.stack([log_probs[0].exp().cpu() for log_probs in reader.read(tokens)]))
        return layers

    def measure() -> dict[str, float]:
        reference = torch.stack(read("float32", torch.device("cpu")))
        found = {}
        for dtype in ("float32", "bfloat16"):
            own = torch.stack(read(dtype, device))
            found[f"{dtype}_max"] = float((own - reference).abs().max())
            found[f"{dtype}_same_top"] = float((own.argmax(-1) == reference.argmax(-1)).float().mean())
        return found

    found = answers.item("lenses", measure, needs_s=10)
    if failed(found):
        return
    for dtype, bound in (("float32", 1e-4), ("bfloat16", BF16_PROBABILITY)):
        answers.check(
            f"lens, {dtype} on the device against fp32 on the CPU, largest difference of a probability",
            found[f"{dtype}_max"],
            f"at most {bound:g}",
            is_within=found[f"{dtype}_max"] <= bound,
        )
    answers.check(
        "lens, bfloat16: layers whose top token is the same",
        found["bfloat16_same_top"],
        "no bound: early layers hardly prefer any token",
        is_within=None,
    )


def _attention(answers: Answers, device: torch.device, sizes: Sizes, work: Path, prompts: list[PromptTokens]) -> None:
    """Which attention runs under each of the product's masks, in its dtype, at the shape whose speed counts."""
    dtype = "bfloat16" if device.type == "cuda" else "float32"

    def scoring() -> list[str]:
        model = random_model(work / "attention", sizes.large, dtype=dtype, device=device)
        return attention_used(lambda: target_nlls(model, prompts), device)

    def lens() -> list[str]:
        model = random_model(work / "attention", sizes.large, dtype=dtype, device=device)
        tokens = torch.tensor([prompts[0].prefix], device=device)
        with LayerReader(model) as reader:
            return attention_used(lambda: list(reader.read(tokens)), device)

    def training(document_masks: bool, compile_blocks: bool) -> list[str]:
        rig = TrainingRig(work / "attention", sizes)
        preset = rig.preset(document_masks=document_masks, compile_blocks=compile_blocks)
        with rig.variant(preset):
            rig.step(preset)
            return attention_used(lambda: rig.step(preset), device)

    wanted = {
        "scoring, shared-prefix rows": scoring,
        "lens, plain causal": lens,
        "training, plain causal": lambda: training(False, False),
        "training, document masks": lambda: training(True, False),
    }
    if device.type == "cuda":
        wanted["training, plain causal, compiled blocks"] = lambda: training(False, True)
        wanted["training, document masks, compiled blocks"] = lambda: training(True, True)
    for name, measure in wanted.items():
        used = answers.item(f"attention: {name}", measure, needs_s=12 if device.type == "cuda" else 1)
        free_memory(device)
        if not failed(used):
            answers.check(
                f"attention of {name}",
                ", ".join(used) or "none seen",
                "flash, memory-efficient or cudnn, no fallback",
                is_within=bool(used) and all(kind in WANTED_ATTENTION for kind in used),
            )


def _small_preset(sizes: Sizes, work: Path, **changes: Any) -> Path:
    """Write the regime in which a small model is trained for comparisons."""
    values = {
        "seq_len": 128,
        "sequences_per_step": 8,
        "micro_batch_sequences": 4,
        "document_masks": True,
        "steps": sizes.train_steps,
        "learning_rate": 1.0e-3,
        "schedule": "constant",
        "warmup_steps": 2,
        "compile_blocks": False,
        "checkpoint_every_steps": None,
    } | changes
    return write_preset(work / "preset.yml", make_preset(**values))


def _every(sizes: Sizes) -> int:
    return max(2, sizes.train_steps // 3)


def _losses(out: Path) -> list[float]:
    column: list[float] = pq.read_table(out / "results" / "training_steps.parquet")["loss"].to_pylist()
    return column


def _train(arguments: StageArguments, sizes: Sizes, name: str, *, without_gpu: bool = False, **changes: Any) -> Path:
    """Train the base model on random documents by the product's trainer; return the run's folder."""
    work = arguments.work / "training"
    out = work / name
    if not (out / "run.json").exists():
        shutil.rmtree(out, ignore_errors=True)
        request = _request(sizes, work, out, **changes)
        if without_gpu and torch.cuda.is_available():
            run_apart("train", request, out, without_gpu=True)
        else:
            run_here("train", request, out)
    return out


def _request(sizes: Sizes, work: Path, out: Path, **changes: Any) -> list[str]:
    export = random_export(work / "export", n_tokens=200_000, vocab_size=3840)
    preset = _small_preset(sizes, work / f"preset-{out.name}", **changes)
    return train_arguments(export=export, model=BASE_MODEL, preset=preset, seed=1, run_id="compare", out=out)


def _compare_training(answers: Answers, device: torch.device, sizes: Sizes, arguments: StageArguments) -> None:
    def measure() -> dict[str, Any]:
        there = _losses(_train(arguments, sizes, "device", checkpoint_every_steps=_every(sizes)))
        here = _losses(_train(arguments, sizes, "cpu", without_gpu=True))
        compiled = _losses(_train(arguments, sizes, "compiled", compile_blocks=True)) if device.type == "cuda" else here
        apart = [abs(a - b) for a, b in zip(there, here, strict=True)]
        with_compiled = [abs(a - b) for a, b in zip(compiled, here, strict=True)]
        return {"largest": max(apart), "largest_compiled": max(with_compiled), "first": here[0], "last": here[-1]}

    found = answers.item("losses", measure, needs_s=40 if device.type == "cuda" else 1)
    if failed(found):
        return
    for name, what in (("largest", "bf16 autocast"), ("largest_compiled", "bf16 autocast, compiled blocks")):
        answers.check(
            f"training loss, {what} on the device against fp32 on the CPU, any of {sizes.train_steps} steps",
            found[name],
            f"at most {LOSS_NATS:g} nats (it falls from {found['first']:.3f} to {found['last']:.3f})",
            is_within=found[name] <= LOSS_NATS,
        )


def _resume(answers: Answers, device: torch.device, sizes: Sizes, arguments: StageArguments) -> None:
    def measure() -> dict[str, float]:
        whole = _train(arguments, sizes, "device", checkpoint_every_steps=_every(sizes))
        work = arguments.work / "training"
        out = work / "killed"
        shutil.rmtree(out, ignore_errors=True)
        request = _request(sizes, work, out, checkpoint_every_steps=_every(sizes))
        process = start("train", request)
        until = time.monotonic() + _KILL_S
        while not list(out.glob("checkpoints/step-*")) and process.poll() is None and time.monotonic() < until:
            time.sleep(_POLL_S)
        was_running = process.poll() is None
        process.kill()
        process.communicate()
        if not was_running or (out / "run.json").exists():
            raise ProgramFailed("the training ended before it could be killed")
        kept = len(list(out.glob("checkpoints/step-*")))
        run_here("train", request, out)
        weights = [load_file(folder / "model" / "model.safetensors") for folder in (whole, out)]
        apart = max(float((weights[0][name] - weights[1][name]).abs().max()) for name in weights[0])
        losses = [abs(a - b) for a, b in zip(_losses(whole), _losses(out), strict=True)]
        return {"largest": max(losses), "weights": apart, "checkpoints": kept}

    found = answers.item("resume", measure, needs_s=30 if device.type == "cuda" else 1)
    if failed(found):
        return
    bound = RESUMED_NATS if device.type == "cuda" else 0.0
    answers.check(
        "training killed and resumed against one that was not: loss of any step",
        found["largest"],
        f"at most {bound:g} nats",
        is_within=found["largest"] <= bound,
    )
    answers.check("the same: largest difference of a weight", found["weights"], "the same bits on a CPU",
                  is_within=None if device.type == "cuda" else found["weights"] == 0.0)  # fmt: skip


def _memory(answers: Answers, device: torch.device, sizes: Sizes, work: Path) -> None:
    """Peak memory of a training step by sequences per pass, with and without gradient checkpointing."""
    rows = []
    for checkpointing in (False, True):
        for micro in sizes.micro_batches:
            name = f"memory: {micro} x {sizes.seq_len}{', gradient checkpointing' if checkpointing else ''}"

            def measure(micro: int = micro, checkpointing: bool = checkpointing) -> dict[str, float | None]:
                rig = TrainingRig(work / "memory", sizes)
                preset = rig.preset(
                    micro_batch_sequences=micro,
                    sequences_per_step=micro,
                    gradient_checkpointing=checkpointing,
                    compile_blocks=False,
                )
                with rig.variant(preset):
                    timed = rig.time(preset, warm_up=1, repeats=1)
                return {"gib": None if timed.peak_bytes is None else timed.peak_bytes / 2**30}

            found = answers.item(name, measure, needs_s=15 if device.type == "cuda" else 1)
            free_memory(device)
            if not failed(found):
                rows.append([micro, "yes" if checkpointing else "no", found["gib"]])
    answers.table(
        f"Peak memory of a training step, sequences of {sizes.seq_len} tokens",
        ["sequences per pass", "gradient checkpointing", "GiB"],
        rows,
    )


if __name__ == "__main__":
    sys.exit(main())
