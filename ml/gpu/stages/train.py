"""How fast is training at the shape of OLMo-1B, and what does each idea bring?

Every variant is the product's own step with one part switched, against the preset as it is, on the same model. What
gains more than a hundredth is then switched on together. Where the target is missed, the profile of the best follows.
"""

import sys
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from ml.gpu.inputs import BASE_MODEL, make_preset, random_export, write_preset
from ml.gpu.profiles import hottest
from ml.gpu.programs import run_here, train_arguments
from ml.gpu.sizes import Sizes, sizes_of
from ml.gpu.timing import free_memory
from ml.gpu.training_rig import TrainingRig, tokens_of
from ml.models.flops import published_flops_per_s
from warehouse.contract.stage_answers import Answers, StageArguments, failed, start_stage

TARGET_MFU = 0.55
TARGET_TOKENS_PER_S = 68_000  # at 1.2 B parameters on an H100 or H200
_GAIN = 1.01  # below it a difference is noise
_FLOAT8_NATS = 0.02  # float8 holds quality when no step's loss differs more from bf16's
_ANCHORS = "nanochat reports 50 %, llm-foundry 42 %, OLMo-core 55,000 tokens/s on H100s"


@dataclass(frozen=True)
class Variant:
    """One change of the training: values of the preset, and switches of the rig."""

    name: str
    changes: dict[str, Any] = field(default_factory=dict)
    switches: dict[str, Any] = field(default_factory=dict)
    combines: bool = True  # may be part of the best; a cost or another kind of attention is not


def variants(sizes: Sizes) -> list[Variant]:
    """Return what is tried, in the order of what it is expected to tell."""
    others = [micro for micro in sizes.micro_batches if micro != sizes.micro_batch]
    return [
        Variant("the preset as it is"),
        Variant("blocks not compiled", {"compile_blocks": False}, combines=False),
        Variant("kernels need not be deterministic", switches={"deterministic": False}),
        *(Variant(f"{micro} sequences per pass", {"micro_batch_sequences": micro}) for micro in others),
        Variant("document masks, dense", {"document_masks": True}, combines=False),
        Variant("document masks, flex attention", {"document_masks": True}, {"masks": "flex"}, combines=False),
        Variant("document masks, varlen attention", {"document_masks": True}, {"masks": "varlen"}, combines=False),
        *(Variant(f"{n >> 20} MiB of logits at a time", switches={"chunk_bytes": n}) for n in sizes.chunk_bytes),
        Variant("AdamW not fused", switches={"fused_adamw": False}, combines=False),
        Variant("batches read ahead, pinned", switches={"overlap": True}),
        Variant("linear layers in float8", switches={"float8": True}, combines=False),
        Variant("gradient checkpointing", {"gradient_checkpointing": True}, combines=False),
    ]  # fmt: skip


def main() -> int:
    """Answer."""
    arguments, answers = start_stage()
    sizes = sizes_of(arguments.sizes)
    rig = TrainingRig(arguments.work, sizes)
    needs_s = 25.0 if rig.device.type == "cuda" else 0.5
    tried = variants(sizes)
    found = {
        variant.name: answers.item(variant.name, partial(_measure, rig, variant), needs_s=needs_s) for variant in tried
    }
    base = found[tried[0].name]
    if failed(base):
        return 0
    best = _best(tried, found)
    found[best.name] = answers.item(best.name, lambda: _measure(rig, best), needs_s=needs_s)
    winner = max((v for v in (tried[0], best) if not failed(found[v.name])), key=lambda v: _rate(found[v.name]))
    _report(answers, rig, [*tried, best], found, winner)
    _float8_quality(answers, arguments, sizes, needs_s)
    _program(answers, arguments, sizes, rig)
    return 0


def _rate(found: dict[str, float]) -> float:
    return found["tokens_per_s"]


def _measure(rig: TrainingRig, variant: Variant) -> dict[str, Any]:
    preset = rig.preset(**variant.changes)
    sizes = rig.sizes
    try:
        with rig.variant(preset, **variant.switches):
            timed = rig.time(preset, warm_up=sizes.warm_up_steps, repeats=sizes.timed_steps)
            passes = rig.passes_only(preset, warm_up=0, repeats=1)
    finally:
        free_memory(rig.device)
    tokens = tokens_of(preset)
    return {
        "tokens_per_s": tokens / timed.median,
        "spread": timed.spread,
        # a step of the preset is 64 times as long: the optimiser's part of it is small
        "tokens_per_s_of_passes": tokens / passes.median,
        "peak_gib": None if timed.peak_bytes is None else timed.peak_bytes / 2**30,
        "tokens_of_step": tokens,
    }


def _best(tried: list[Variant], found: dict[str, Any]) -> Variant:
    """Return everything together that gained on its own; of several sizes of one thing the best."""
    base = _rate(found[tried[0].name])
    changes: dict[str, Any] = {}
    switches: dict[str, Any] = {}
    taken = []
    gainers = [v for v in tried[1:] if v.combines and not failed(found[v.name]) and _rate(found[v.name]) > _GAIN * base]
    for variant in sorted(gainers, key=lambda v: -_rate(found[v.name])):
        if not (variant.changes.keys() & changes.keys() or variant.switches.keys() & switches.keys()):
            changes |= variant.changes
            switches |= variant.switches
            taken.append(variant.name)
    return Variant(f"together: {', '.join(taken)}" if taken else "together: nothing gained", changes, switches)


def _report(answers: Answers, rig: TrainingRig, tried: list[Variant], found: dict[str, Any], winner: Variant) -> None:
    peak = published_flops_per_s(rig.device)
    flops = rig.flops_per_token()
    base = _rate(found[tried[0].name])

    def mfu(name: str) -> float | None:
        return None if peak is None else _rate(found[name]) * flops / peak

    rows = [
        [v.name, _rate(found[v.name]), _rate(found[v.name]) / base, mfu(v.name), found[v.name]["spread"],
         found[v.name]["peak_gib"]]
        for v in tried
        if not failed(found.get(v.name))
    ]  # fmt: skip
    answers.table(
        f"Training, {rig.sizes.seq_len} tokens, steps of {rig.sizes.batches_per_step} passes",
        ["variant", "tokens/s", "times the preset", "MFU (data sheet)", "spread of the timings", "peak GiB"],
        rows,
    )
    answers.note(f"FLOPs are 6 N + 12 L H Q T a token, {flops / 1e9:.2f} GFLOP here. {_ANCHORS}.")
    rate, share = _rate(found[winner.name]), mfu(winner.name)
    is_fast = None if peak is None else rate >= TARGET_TOKENS_PER_S
    is_used = None if share is None else share >= TARGET_MFU
    answers.check(f"training tokens/s ({winner.name})", rate, f"at least {TARGET_TOKENS_PER_S:,}", is_within=is_fast)
    answers.check(f"MFU ({winner.name})", share, f"at least {TARGET_MFU:.0%}", is_within=is_used)
    if not is_used:
        preset = rig.preset(**winner.changes)
        with rig.variant(preset, **winner.switches):
            rig.step(preset)
            answers.profile(f"a step, {winner.name}", hottest(lambda: rig.step(preset), rig.device))
        free_memory(rig.device)


def _float8_quality(answers: Answers, arguments: StageArguments, sizes: Sizes, needs_s: float) -> None:
    """Train the same steps in bf16 and in float8: float8 counts only if the losses stay together."""

    def losses(float8: bool) -> list[float]:
        rig = TrainingRig(arguments.work / "float8", sizes)
        preset = rig.preset(micro_batch_sequences=2, sequences_per_step=2, compile_blocks=False, learning_rate=1e-4)
        with rig.variant(preset, float8=float8):
            return [rig.step(preset) for _ in range(sizes.train_steps)]

    def measure() -> dict[str, float]:
        plain, small = losses(False), losses(True)
        return {"largest": max(abs(a - b) for a, b in zip(plain, small, strict=True)), "last": plain[-1]}

    found = answers.item("float8 quality", measure, needs_s=2 * needs_s)
    free_memory(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    if not failed(found):
        answers.check(
            f"float8 against bf16, loss of any of {sizes.train_steps} steps",
            found["largest"],
            f"at most {_FLOAT8_NATS} nats, or float8 is out",
            is_within=found["largest"] <= _FLOAT8_NATS,
        )


def _program(answers: Answers, arguments: StageArguments, sizes: Sizes, rig: TrainingRig) -> None:
    """Run `ml.train` whole on the base model's shape: its own rate, files and checks included."""

    def measure() -> dict[str, float]:
        work, out = arguments.work / "program", arguments.work / "program" / "out"
        tokens = sizes.batches_per_step * sizes.micro_batch * 128
        export = random_export(work / "export", n_tokens=40 * tokens, vocab_size=3840)
        preset = make_preset(
            seq_len=128,
            sequences_per_step=sizes.batches_per_step * sizes.micro_batch,
            micro_batch_sequences=sizes.micro_batch,
            steps=sizes.train_steps,
            checkpoint_every_steps=None,
            compile_blocks=False,
        )
        path = write_preset(work / "preset.yml", preset)
        request = train_arguments(export=export, model=BASE_MODEL, preset=path, seed=0, run_id="speed", out=out)
        timing: dict[str, float] = run_here("train", request, out)["timing"]
        return timing

    answers.item("ml.train as a program, the demo's model", measure, needs_s=10 if rig.device.type == "cuda" else 1)
    answers.save()


if __name__ == "__main__":
    sys.exit(main())
