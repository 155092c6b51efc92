"""Training: `ml.train` against a plain transformers Trainer, same weights, same sequences in the same order, one run.

    OMP_NUM_THREADS=2 PYTHONPATH=.:tests python -m benchmarks.bench_training [--steps 6] [--repeats 2]
    PYTHONPATH=.:tests python -m benchmarks.bench_training --model olmo-1b --steps 20        # with a GPU

Each turn is a process of its own, so that peak memory is its own. The losses of both must agree: else they do not do
the same work. On a GPU both compile nothing but what the preset says.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import yaml

from benchmarks.bench_scoring import OLMO_1B, OLMO_59M
from benchmarks.support.counting_page import machine as cpu_machine
from ml.common.result_files import versions
from ml.models.load import find_model, load_model
from ml.training.sequences import Sequences, open_export, step_indices
from support.ml_runs.inputs import make_export
from support.places import PROJECT

WAYS = ("ml.train", "Trainer")
SIZES = {  # of a step, by model
    "demo": {"seq_len": 256, "sequences_per_step": 16, "micro_batch_sequences": 16},
    "olmo-59m": {"seq_len": 256, "sequences_per_step": 8, "micro_batch_sequences": 4},
    "olmo-1b": {"seq_len": 2048, "sequences_per_step": 128, "micro_batch_sequences": 8},
}
PRESET: dict[str, Any] = {
    "document_masks": False,  # the Trainer packs plainly
    "budget_tokens": None,
    "epochs": None,
    "learning_rate": 1.0e-4,
    "schedule": "constant",
    "warmup_steps": 0,
    "final_lr_share": 1.0,
    "weight_decay": 0.0,  # the two decay different parameters
    "beta1": 0.9,
    "beta2": 0.95,
    "eps": 1.0e-8,
    "clip_norm": 1.0,
    "gradient_checkpointing": False,
    "compile_blocks": False,
    "checkpoint_every_steps": None,
    "keep_checkpoints": 1,
    "optimizer_state": "fresh",
    "save_optimizer": False,
}
NOT_RUN = """
Not run: a GPU was not at hand. The same script measures one: `--model olmo-1b --steps 20`, 2,048 tokens a sequence,
bf16 autocast, against 989 TFLOP/s of the data sheet and against the matrix product measured beside it.
"""


def run_ours(work: Path) -> dict[str, Any]:
    """Train with `ml.train`; return seconds and loss of every step."""
    import pyarrow.parquet as pq

    import ml.train

    request = ["--export", work / "export", "--model", work / "model", "--preset", work / "preset.yml", "--seed", 0]
    out = Path(tempfile.mkdtemp(dir=work))
    ml.train.main([str(word) for word in [*request, "--run-id", "bench", "--out", out]])
    rows = pq.read_table(out / "results" / "training_steps.parquet").to_pylist()
    flops = {name: rows[0][name] for name in ("model_flops", "measured_flops_per_s", "published_flops_per_s")}
    return {"step_s": [row["step_s"] for row in rows], "losses": [row["loss"] for row in rows]} | flops


def run_trainer(work: Path) -> dict[str, Any]:
    """Train with a transformers Trainer as its documentation shows it; return seconds and loss of every step."""
    from torch.utils.data import Dataset, SequentialSampler
    from transformers import AutoModelForCausalLM, Trainer, TrainerCallback, TrainingArguments

    values = yaml.safe_load((work / "preset.yml").read_text())["train"]
    export = open_export(work / "export")
    sequences = Sequences(export, values["seq_len"])
    per_step, micro = values["sequences_per_step"], values["micro_batch_sequences"]
    order = [
        index
        for step in range(values["steps"])
        for index in step_indices(export.content_hash, 0, step, per_step=per_step, n_sequences=sequences.n_sequences)
    ]

    class Packed(Dataset[dict[str, torch.Tensor]]):
        def __len__(self) -> int:
            return len(order)

        def __getitem__(self, place: int) -> dict[str, torch.Tensor]:
            ids = torch.as_tensor(sequences.stack([order[place]])[0], dtype=torch.long)
            return {"input_ids": ids, "labels": ids}

    class InOrder(Trainer):
        def _get_train_sampler(self, *arguments: Any, **options: Any) -> SequentialSampler:
            return SequentialSampler(Packed())

    class Clock(TrainerCallback):
        starts: list[float] = []  # noqa: RUF012
        seconds: list[float] = []  # noqa: RUF012

        def on_step_begin(self, *arguments: Any, **options: Any) -> None:
            self.starts.append(time.monotonic())

        def on_step_end(self, *arguments: Any, **options: Any) -> None:
            self.seconds.append(time.monotonic() - self.starts[-1])

    on_gpu = torch.cuda.is_available()
    trainer = InOrder(
        model=AutoModelForCausalLM.from_pretrained(work / "model", dtype=torch.float32),
        train_dataset=Packed(),
        callbacks=[Clock()],
        args=TrainingArguments(
            output_dir=str(work / "trainer"),
            max_steps=values["steps"],
            per_device_train_batch_size=micro,
            gradient_accumulation_steps=per_step // micro,
            learning_rate=values["learning_rate"],
            lr_scheduler_type="constant",
            weight_decay=0.0,
            adam_beta1=values["beta1"],
            adam_beta2=values["beta2"],
            adam_epsilon=values["eps"],
            max_grad_norm=values["clip_norm"],
            optim="adamw_torch_fused",
            bf16=on_gpu,
            use_cpu=not on_gpu,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
    )
    trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    return {"step_s": Clock.seconds, "losses": [float(loss) for loss in losses]}


def prepare(work: Path, model: str, steps: int) -> None:
    """Write model, export and preset."""
    sizes = SIZES[model]
    demo = json.loads((PROJECT / "profiles" / "base-model.json").read_text())
    # its padding token is its separator, which the Trainer would not learn
    values = {"demo": demo | {"pad_token_id": None}, "olmo-59m": OLMO_59M, "olmo-1b": OLMO_1B}[model]
    config = work / "config.json"
    config.write_text(json.dumps(values))
    loaded = load_model(find_model(str(config)), seed=0, dtype="float32", device=torch.device("cpu"))
    loaded.save_pretrained(work / "model")
    make_export(work / "export", n_docs=2 * sizes["seq_len"] * sizes["sequences_per_step"] // 8)
    (work / "preset.yml").write_text(yaml.safe_dump({"train": PRESET | sizes | {"steps": steps}}))


def take_turns(model: str, steps: int, repeats: int) -> dict[str, list[dict[str, Any]]]:
    """Return what each turn of each way measured; the ways alternate."""
    turns: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as scratch:
        prepare(Path(scratch), model, steps)
        for _ in range(repeats):
            for way in WAYS:
                command = [sys.executable, __file__, "--turn", way, "--work", scratch]
                finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                turns[way].append(json.loads(finished.stdout.splitlines()[-1]))
    return turns


def section(model: str, turns: dict[str, list[dict[str, Any]]]) -> str:
    """Return one model's table and ratio."""
    sizes = SIZES[model]
    tokens = sizes["seq_len"] * sizes["sequences_per_step"]
    # the first step allocates; ratios pair the turns that ran one after the other
    seconds = {way: [statistics.median(turn["step_s"][1:]) for turn in turns[way]] for way in WAYS}
    pairs = zip(seconds["ml.train"], seconds["Trainer"], strict=True)
    ratios = sorted(theirs / ours for ours, theirs in pairs)
    losses = zip(turns["ml.train"][0]["losses"], turns["Trainer"][0]["losses"], strict=True)
    difference = max(abs(one - other) for one, other in losses)
    assert difference < 5e-3, f"the two do not learn the same: losses differ by {difference}"
    ours = turns["ml.train"][0]
    mfu = ours["model_flops"] / statistics.median(seconds["ml.train"]) / ours["measured_flops_per_s"]
    memory = "gpu_mib" if torch.cuda.is_available() else "peak_mib"
    rows = "\n".join(
        f"| {way} | {tokens / statistics.median(seconds[way]):,.0f} | {statistics.median(seconds[way]):.2f} | "
        f"{max(turn[memory] for turn in turns[way]):,.0f} |"
        for way in WAYS
    )
    return f"""## {model}

{ours["model_flops"] / tokens / 1e6:,.1f} MFLOP a token; a step is {sizes["sequences_per_step"]} sequences of \
{sizes["seq_len"]}, in micro-batches of {sizes["micro_batch_sequences"]}.

| way | tokens/s | seconds a step | peak MiB |
|---|---|---|---|
{rows}

**Ratio {statistics.median(ratios):.2f}** (turns from {ratios[0]:.2f} to {ratios[-1]:.2f}). Largest difference of a
step's loss between the two: {difference:.1e} nats. `ml.train` reaches {mfu:.0%} of what a matrix product reached on the
same device: MFU against a measured peak of {ours["measured_flops_per_s"] / 1e9:,.0f} GFLOP/s.
"""


def main() -> None:
    """Take turns, check that both learn the same, and write docs/benchmarks/training.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=SIZES, action="append", help="again for several [default: demo, olmo-59m]")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--turn", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turn:
        turn = run_ours(options.work) if options.turn == "ml.train" else run_trainer(options.work)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        on_gpu = torch.cuda.is_available()
        print(
            json.dumps(turn | {"peak_mib": peak, "gpu_mib": torch.cuda.max_memory_reserved() / 2**20 if on_gpu else 0})
        )
        return
    models = options.model or ["demo", "olmo-59m"]
    sections = "\n".join(section(model, take_turns(model, options.steps, options.repeats)) for model in models)
    on_gpu = torch.cuda.is_available()
    machine = torch.cuda.get_device_name() if on_gpu else cpu_machine()
    command = (
        f"PYTHONPATH=.:tests python -m benchmarks.bench_training --steps {options.steps} --repeats {options.repeats}"
    )
    text = f"""# Training: `ml.train` against a plain transformers Trainer

Made by `OMP_NUM_THREADS={torch.get_num_threads()} {command}`.
Same weights, same packed sequences in the same order, AdamW, clipping at 1, no document masks; {options.repeats} turns
each, one after the other; medians over the steps after the first. FLOPs are 6 N + 12 L H Q T a token.

{sections}
Machine: {machine}; {torch.get_num_threads()} threads, load average {os.getloadavg()[0]:.1f} at the end.
Versions: {", ".join(f"{name} {number}" for name, number in versions().items())}.
"""
    print(text)
    if not on_gpu:
        (PROJECT / "docs" / "benchmarks" / "training.md").write_text(text + NOT_RUN)


if __name__ == "__main__":
    main()
