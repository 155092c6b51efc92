"""Word scoring: shared-prefix rows against the plain batched way, same model, same prompts, one run.

    python tests/benchmarks/bench_scoring.py [--prompts 48] [--eval-set DIR --tokenizer FILE] [--device cpu]

The plain way is that of the paper's public scripts: the ten candidates of a prompt are one batch of whole prompts,
tokenised as text, padded, with logits at every position. Weights are random: speed does not depend on them, and both
ways must give the same numbers either way.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from datetime import date
from itertools import chain
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "ml")]

from making import make_eval_set  # noqa: E402

from ml.eval_set import open_eval_set  # noqa: E402
from ml.files import versions  # noqa: E402
from ml.languages import language_names  # noqa: E402
from ml.models import find_model, load_model, load_tokenizer, n_parameters, pick_device, pick_dtype  # noqa: E402
from ml.prompts import Prompt, PromptBuilder, PromptTokens, all_prompts  # noqa: E402
from ml.shared_prefix import target_nlls  # noqa: E402
from ml.workers import claimed_threads, map_in_order  # noqa: E402

NOT_RUN = """
Not run: a GPU was not at hand. The same script measures one: `--device cuda --model olmo-1b --prompts 2000`.
lm-evaluation-harness was not compared either.
"""

OLMO_59M = {
    "model_type": "olmo",
    "vocab_size": 50304,
    "hidden_size": 512,
    "intermediate_size": 2048,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": True,
    "eos_token_id": 0,
    "pad_token_id": 1,
}
OLMO_1B = OLMO_59M | {
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 16,
}


@torch.inference_mode()
def score_plainly(
    model: PreTrainedModel, tokenizer: Tokenizer, builder: PromptBuilder, prompts: list[Prompt]
) -> list[list[float]]:
    """Return the mean target NLL of each candidate, one batch of whole prompts per query, all logits."""
    result = []
    for prompt in prompts:
        answer = f" {prompt.query.target_word}"
        n_target = len(tokenizer.encode(answer, add_special_tokens=False).ids)
        prefix = "".join(builder.prefix_pieces(prompt))
        texts = [prefix + builder.word_piece(prompt, word) + answer for _, word in prompt.query.candidates]
        rows = [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]
        length = max(map(len, rows))
        tokens = torch.tensor([row + [0] * (length - len(row)) for row in rows], device=model.device)
        mask = torch.tensor([[1] * len(row) + [0] * (length - len(row)) for row in rows], device=model.device)
        logits = model(input_ids=tokens, attention_mask=mask, use_cache=False).logits.float()
        losses = torch.nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")
        result.append(
            [float(losses[place, len(row) - 1 - n_target : len(row) - 1].mean()) for place, row in enumerate(rows)]
        )
    return result


def score_shared(
    model: PreTrainedModel, builder: PromptBuilder, prompts: list[Prompt], batch_tokens: int
) -> list[list[float]]:
    """Return the same numbers by `ml.shared_prefix`, batched as `ml.score` does."""
    tokens = builder.tokenize(prompts)
    order = sorted(range(len(prompts)), key=lambda place: -tokens[place].n_tokens)
    batches: list[list[int]] = []
    while order:
        count = max(1, batch_tokens // tokens[order[0]].n_tokens)
        batches.append(order[:count])
        order = order[count:]

    def score(batch: list[int]) -> list[list[list[float]]]:
        rows: list[PromptTokens] = [tokens[place] for place in batch]
        return target_nlls(model, rows)

    result: list[list[float]] = [[] for _ in prompts]
    with claimed_threads(model.device) as n_workers:
        for batch, scored in zip(batches, map_in_order(score, batches, n_workers=n_workers, device=model.device), strict=True):
            for place, by_candidate in zip(batch, scored, strict=True):
                result[place] = [sum(nlls) / len(nlls) for nlls in by_candidate]
    return result


def timed(function, *arguments):  # type: ignore[no-untyped-def]
    """Return (seconds, result)."""
    started = time.perf_counter()
    result = function(*arguments)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started, result


def main() -> None:
    """Measure both ways in turn and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=int, default=48)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--eval-set", type=Path)
    parser.add_argument("--tokenizer", type=Path, default=ROOT / "ml" / "base_model" / "tokenizer.json")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--model", choices=["olmo-59m", "olmo-1b"], default="olmo-59m")
    arguments = parser.parse_args()
    device = pick_device(arguments.device)
    dtype = pick_dtype("auto", device)
    with tempfile.TemporaryDirectory() as scratch:
        config = Path(scratch) / "config.json"
        config.write_text(json.dumps(OLMO_1B if arguments.model == "olmo-1b" else OLMO_59M))
        model = load_model(find_model(str(config)), seed=0, dtype=dtype, device=device)
        eval_set = open_eval_set(arguments.eval_set or make_eval_set(Path(scratch) / "set", n_scored=20))
        tokenizer = load_tokenizer(arguments.tokenizer)
        builder = PromptBuilder(eval_set, tokenizer, language_names(eval_set.languages, []))
        prompts = all_prompts(eval_set)
        prompts = prompts[:: max(1, len(prompts) // arguments.prompts)][: arguments.prompts]
        builder.check(prompts)
        batch_tokens = 65_536 if device.type == "cuda" else 1_024
        score_plainly(model, tokenizer, builder, prompts[:2])
        score_shared(model, builder, prompts[:2], batch_tokens)
        plain_s, shared_s, difference = [], [], 0.0
        for _ in range(arguments.repeats):
            seconds, plain = timed(score_plainly, model, tokenizer, builder, prompts)
            plain_s.append(seconds)
            seconds, shared = timed(score_shared, model, builder, prompts, batch_tokens)
            shared_s.append(seconds)
            pairs = zip(chain.from_iterable(plain), chain.from_iterable(shared), strict=True)
            difference = max(difference, *(abs(one - other) for one, other in pairs))
        rows = builder.tokenize(prompts)
    n_candidates = sum(len(prompt.query.candidates) for prompt in prompts)
    plain_tokens = sum(len(row.prefix) + len(suffix) for row in rows for suffix in row.suffixes)
    shared_tokens = sum(row.n_tokens for row in rows)
    best_plain, best_shared = min(plain_s), min(shared_s)
    machine = torch.cuda.get_device_name() if device.type == "cuda" else f"{cpu_name()}, {os.cpu_count()} cores"
    report = f"""# Scoring words: shared prefixes against the plain way

Made by `python tests/benchmarks/bench_scoring.py --prompts {len(prompts)}`.
The plain way is that of the paper's public scripts: the ten candidates of a prompt are one batch of whole prompts with
logits at every position. Same model (random weights), same prompts, same machine, same run;
best of {arguments.repeats} turns each.

| way | tokens read | seconds | candidates/s |
|---|---|---|---|
| plain, batch of 10, all logits | {plain_tokens:,} | {best_plain:.2f} | {n_candidates / best_plain:,.1f} |
| shared prefix, logits at answers | {shared_tokens:,} | {best_shared:.2f} | {n_candidates / best_shared:,.1f} |

**Ratio {best_plain / best_shared:.1f}**; largest difference of a mean NLL between the two: {difference:.1e} nats.
The plain way reads {plain_tokens / shared_tokens:.1f} times the tokens; the rest is logits that nobody needs, and
threads that wait for each other, which is worse on a busy machine (load average below): an idle one gives less.

- Model: {arguments.model}, {n_parameters(model) / 1e6:.1f} M parameters, {model.config.vocab_size:,} tokens, {dtype}
- Work: {len(prompts)} prompts, {n_candidates} candidates; tokenizer `{arguments.tokenizer.name}`
- Machine: {machine}; {torch.get_num_threads()} threads, load average {os.getloadavg()[0]:.1f} at the end
- Versions: {", ".join(f"{name} {number}" for name, number in versions().items())}; {date.today().isoformat()}
"""
    print(report)
    if device.type == "cpu":
        (ROOT / "docs" / "benchmarks" / "scoring.md").write_text(report + NOT_RUN)


def cpu_name() -> str:
    """Return the processor's name, as the system has it."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
