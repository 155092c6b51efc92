"""Word scoring: shared prefixes against the scripts' way and lm-evaluation-harness, same model, same prompts, one run.

    PYTHONPATH=.:tests python -m benchmarks.bench_scoring   # on a CPU: writes the docs page
    PYTHONPATH=.:tests python -m benchmarks.bench_scoring --device cuda --model olmo-1b --prompts 2000 \\
      --slow-prompts 200
    PYTHONPATH=.:tests python -m benchmarks.bench_scoring --device cuda --model olmo-1b --full   # all prompts

Weights are random: speed does not depend on them, and all ways must give the same numbers either way. The ways take
turns, ratios are medians over turns, and a turn that other programs disturbed is dropped. The harness is compared
where it can be imported (`pip install lm_eval==0.4.13` beside this project).
"""

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

import torch

import ml.score
import ml.trace
from benchmarks.support.scoring_ways import Scores, Task, harness, shared_prefixes, whole_prompts
from ml.common.result_files import read_json, versions
from ml.models.load import find_model, load_model, load_tokenizer, n_parameters, pick_device, pick_dtype
from ml.translation.eval_set import open_eval_set
from ml.translation.languages import language_names
from ml.translation.prompts import PromptBuilder, all_prompts
from support.ml_runs.inputs import WORDS, make_eval_set
from support.places import PROJECT
from warehouse.contract.hashing import file_hash

PAGE = PROJECT / "docs" / "benchmarks" / "scoring.md"
OLMO_59M: dict[str, Any] = {
    "model_type": "olmo",
    "vocab_size": 50304,
    "hidden_size": 512,
    "intermediate_size": 2048,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": True,
    "eos_token_id": 0,
    "pad_token_id": None,
}
OLMO_1B = OLMO_59M | {
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 16,
}
MODELS = {"olmo-59m": OLMO_59M, "olmo-1b": OLMO_1B}
_DISTURBED = 0.05  # share of the machine that others use during a turn that counts, at most
_MOST_TURNS = 6  # times the turns wanted
NOT_RUN = """
## Not run: a GPU

No GPU was at hand, so these targets are not measured: ten times the scripts' rate with 1.2 B parameters; on an H100 the
full list (2,000 words, 12 directions, 5 draws, 10 candidates: 1.2 M prompts) within 3 minutes, and 24,000 traces within
one. The script measures them as it stands; what `--full` runs are the programs `ml.score` and `ml.trace` themselves:

```
PYTHONPATH=.:tests python -m benchmarks.bench_scoring --device cuda --model olmo-1b --prompts 2000 --slow-prompts 200
PYTHONPATH=.:tests python -m benchmarks.bench_scoring --device cuda --model olmo-1b --full
```
"""


def others_share() -> Callable[[], float]:
    """Start watching; the function returned says which share of the machine other programs used since."""

    def read() -> tuple[float, float]:
        fields = [float(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        idle = fields[3] + fields[4]
        own = sum(os.times()[:4]) * os.sysconf("SC_CLK_TCK")
        return sum(fields), sum(fields) - idle - own

    total, foreign = read()

    def share() -> float:
        now_total, now_foreign = read()
        return (now_foreign - foreign) / max(now_total - total, 1.0)

    return share


def timed(way: Callable[[Task], Scores], task: Task) -> tuple[float, Scores]:
    """Return (seconds, scores)."""
    started = time.perf_counter()
    scores = way(task)  # ends with numbers on the CPU, so nothing is left to wait for
    return time.perf_counter() - started, scores


def compare(task: Task, ways: dict[str, Callable[[Task], Scores]], *, turns: int, slow_prompts: int) -> dict[str, Any]:
    """Let each other way and ours take turns; return pairs of seconds per prompt (ours, theirs) by the other way's
    name, the largest difference of a mean NLL, and the number of turns that were dropped.

    The other ways score only the first `slow_prompts` prompts.
    """
    ours, *others = ways
    few = replace(task, prompts=task.prompts[:slow_prompts])
    for way in ways.values():  # caches, kernels, page faults
        way(replace(task, prompts=task.prompts[:2]))
    pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in others}
    difference, n_dropped = 0.0, 0
    for turn in range(_MOST_TURNS * turns):
        for name in (name for name in others if len(pairs[name]) < turns):
            share = others_share()
            taken: dict[str, tuple[float, Scores]] = {}
            for way in (ours, name) if turn % 2 else (name, ours):
                taken[way] = timed(ways[way], task if way == ours else few)
            (own, scores), (other, other_scores) = taken[ours], taken[name]
            pair = (own / len(task.prompts), other / len(few.prompts))
            flat = zip(chain.from_iterable(other_scores), chain.from_iterable(scores), strict=False)
            difference = max(difference, *(abs(one - two) for one, two in flat))
            is_counted = (busy := share()) <= _DISTURBED
            print(f"{name}: {pair[1] / pair[0]:.1f}, others {busy:.0%}{'' if is_counted else ', dropped'}", flush=True)
            if is_counted:
                pairs[name].append(pair)
            else:
                n_dropped += 1
    if missing := [name for name in others if len(pairs[name]) < turns]:
        raise SystemExit(f"too few undisturbed turns of {', '.join(missing)}: try on an idle machine")
    return {"pairs": pairs, "difference": difference, "n_dropped": n_dropped}


def report(task: Task, found: dict[str, Any], arguments: argparse.Namespace) -> str:
    """Return the page of a comparison."""
    pairs, difference = found["pairs"], found["difference"]
    rows = task.builder.tokenize(task.prompts)
    per_prompt = sum(len(prompt.query.candidates) for prompt in task.prompts) / len(task.prompts)
    shared = sum(row.n_tokens for row in rows) / len(rows)
    whole = sum(len(row.prefix) + len(suffix) for row in rows for suffix in row.suffixes) / len(rows)
    seconds = {"this project": [own for of_way in pairs.values() for own, _ in of_way]}
    seconds |= {name: [other for _, other in of_way] for name, of_way in pairs.items()}
    described = {
        "this project": ("shared prefixes, logits at answers only", shared),
        "the scripts": ("whole prompts in batches of 10, all logits", whole),
        "the harness": (f"lm-evaluation-harness, loglikelihood requests, batch size {arguments.harness_batch}", whole),
    }
    table = "\n".join(
        f"| {name}: {described[name][0]} | {described[name][1]:,.0f} | {median(taken):.4f} "
        f"| {per_prompt / median(taken):,.1f} |"
        for name, taken in seconds.items()
    )
    ratios = {name: sorted(other / own for own, other in of_way) for name, of_way in pairs.items()}
    said = "\n".join(
        f"- against {name}: **{median(own):.1f} times** the candidates per second ({own[0]:.1f} to {own[-1]:.1f})"
        for name, own in ratios.items()
    )
    device = task.model.device
    machine = torch.cuda.get_device_name() if device.type == "cuda" else f"{os.cpu_count()}-core {platform.machine()}"
    dtype = str(task.model.dtype).removeprefix("torch.")
    millions = n_parameters(task.model) / 1e6
    n_slow = min(arguments.slow_prompts, len(task.prompts))
    tokenizer = "/".join(task.tokenizer_file.parts[-2:])
    names = versions() | ({"lm_eval": harness_version()} if "the harness" in pairs else {})
    return f"""# Scoring words

Made by `PYTHONPATH=.:tests python -m benchmarks.bench_scoring{given_options(arguments)}`.
Same model (random weights), same
prompts, same process. Each other way and this project's take turns, {arguments.turns} each, and a ratio is the median
of the turns' ratios. Turns in which other programs used more than {_DISTURBED:.0%} of the machine were dropped
({found["n_dropped"]} of them).

| way | tokens read per prompt | seconds per prompt | candidates/s |
|---|---|---|---|
{table}

{said}

A prompt is one item, direction and draw with its {per_prompt:.0f} candidates. The largest difference of a candidate's
mean NLL between the ways is {difference:.1e} nats. The other ways read {whole / shared:.1f} times the tokens; the rest
is logits that nobody needs, and threads that wait for each other where here each core has a batch of its own.

- Model: {arguments.model}, {millions:.1f} M parameters, {task.model.config.vocab_size:,} tokens, {dtype}
- Work: {len(task.prompts)} prompts a turn ({n_slow} for the other ways); tokenizer `{tokenizer}`
- Machine: {machine}; {torch.get_num_threads()} threads
- Versions: {", ".join(f"{name} {number}" for name, number in names.items())}
"""


def given_options(arguments: argparse.Namespace) -> str:
    """Return the options that differ from their defaults, as typed."""
    parser = _parser()
    chosen = {name: value for name, value in vars(arguments).items() if value != parser.get_default(name)}
    return "".join(f" --{name.replace('_', '-')} {value}" for name, value in chosen.items())


def harness_version() -> str:
    """Return the version of lm-evaluation-harness."""
    from importlib.metadata import version

    return version("lm_eval")


def full_run(scratch: Path, config: Path, arguments: argparse.Namespace) -> str:
    """Score and trace a list of the size of CLWTD by the programs themselves; return what they took."""
    words = {lang: [f"{own[n % len(own)]}{n}" for n in range(arguments.items)] for lang, own in WORDS.items()}
    eval_set = arguments.eval_set or make_eval_set(scratch / "full", n_scored=arguments.items, words=words)
    manifest = read_json(eval_set / "manifest.json")
    if not arguments.eval_set:  # the made set names the tokenizer of the tests
        manifest["tokenizer_hash"] = file_hash(arguments.tokenizer)
        (eval_set / "manifest.json").write_text(json.dumps(manifest))
    lines = []
    for program, main, unit in (("score", ml.score.main, "prompts"), ("trace", ml.trace.main, "prompts")):
        out = scratch / program
        common = ["--model", str(config), "--tokenizer", str(arguments.tokenizer), "--device", arguments.device]
        started = time.perf_counter()
        main(["--eval-set", str(eval_set), *common, "--run-id", program, "--out", str(out)])
        elapsed = time.perf_counter() - started
        timing = read_json(out / "run.json")["timing"]
        inner = timing[f"{program}_s"]
        lines.append(
            f"{program}: {elapsed:.1f} s in all, {inner:.1f} s reading, {timing['prompts_per_s']:,.0f} {unit}/s"
        )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=int, default=40, help="prompts that this project's way scores in a turn")
    parser.add_argument("--slow-prompts", type=int, default=4, help="prompts that the other ways score in a turn")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--harness-batch", type=int, default=10)
    parser.add_argument("--eval-set", type=Path)
    parser.add_argument("--tokenizer", type=Path, default=PROJECT / "ml" / "base_model" / "tokenizer.json")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--model", choices=sorted(MODELS), default="olmo-59m")
    parser.add_argument("--full", action="store_true", help="no comparison: score and trace a whole list")
    parser.add_argument("--items", type=int, default=2000, help="items of the whole list")
    return parser


def main() -> None:
    """Compare the ways, or score a whole list."""
    arguments = _parser().parse_args()
    device = pick_device(arguments.device)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        config = scratch / "config.json"
        config.write_text(json.dumps(MODELS[arguments.model]))
        if arguments.full:
            print(full_run(scratch, config, arguments))
            return
        model = load_model(find_model(str(config)), seed=0, dtype=pick_dtype("auto", device), device=device)
        eval_set = open_eval_set(arguments.eval_set or make_eval_set(scratch / "set", n_scored=20))
        tokenizer = load_tokenizer(arguments.tokenizer)
        builder = PromptBuilder(eval_set, tokenizer, language_names(eval_set.languages, []))
        prompts = all_prompts(eval_set)
        prompts = prompts[:: max(1, len(prompts) // arguments.prompts)][: arguments.prompts]
        # the other ways' few prompts are spread over the lengths too
        stride = max(1, len(prompts) // arguments.slow_prompts)
        prompts = [prompt for start in range(stride) for prompt in prompts[start::stride]]
        builder.check(prompts)
        batch_tokens = 65_536 if device.type == "cuda" else 1_024
        task = Task(model, tokenizer, arguments.tokenizer, builder, prompts, batch_tokens)
        ways: dict[str, Callable[[Task], Scores]] = {"this project": shared_prefixes, "the scripts": whole_prompts}
        try:
            ways["the harness"] = harness(task, batch_size=arguments.harness_batch)
        except ImportError as missing:
            print(f"without lm-evaluation-harness: {missing}")
        found = compare(task, ways, turns=arguments.turns, slow_prompts=arguments.slow_prompts)
        page = report(task, found, arguments)
    print(page)
    if device.type == "cpu":
        PAGE.write_text(page + NOT_RUN)


if __name__ == "__main__":
    main()
