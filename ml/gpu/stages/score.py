"""How fast are scoring and tracing with a model of OLMo-1B's shape, and what does each idea bring?

Variants are timed on a sample of the list's prompts, by the product's own functions with one part switched; then the
programs `ml.score` and `ml.trace` read the whole list.
"""

import contextlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from ml.common.workers import claimed_threads, map_in_order
from ml.gpu.inputs import TOKENIZER, long_list, pick_device, saved_random_model
from ml.gpu.profiles import hottest
from ml.gpu.programs import run_here, score_arguments
from ml.gpu.sizes import Sizes, sizes_of
from ml.gpu.switches.fixed_shapes import fixed_shapes
from ml.gpu.switches.masks import flex_rows
from ml.gpu.switches.packed_rows import packed_rows
from ml.gpu.timing import free_memory, time_runs
from ml.models.decoder import decoder_blocks
from ml.models.load import find_model, load_model, load_tokenizer, pick_dtype
from ml.translation.eval_set import open_eval_set
from ml.translation.languages import language_names
from ml.translation.prompts import PromptBuilder, PromptTokens, all_prompts
from ml.translation.score_reference import candidate_nlls
from ml.translation.shared_prefix import batch_cost, target_nlls
from warehouse.contract.stage_answers import Answers, StageArguments, failed, start_stage

TARGET_LIST_S = 180
TARGET_RATIO = 10
TARGET_TRACES_S = 60
_BF16_NATS = 0.25
_LIST_WORDS = 2000  # of the whole list: 24,000 prompts are traced


def main() -> int:
    """Answer."""
    arguments, answers = start_stage()
    sizes, device = sizes_of(arguments.sizes), pick_device()
    folder = saved_random_model(arguments.work / "model", sizes.large)
    eval_set = long_list(arguments.work / "list", n_words=sizes.list_words)
    on_gpu = device.type == "cuda"
    sample = _sample(eval_set, sizes)
    rates, one_by_one = _with_model(answers, _load(folder, device), sample, sizes, needs_s=12 if on_gpu else 0.5)
    if not failed(one_by_one) and rates:
        ratio = max(rates.values()) / one_by_one["prompts_per_s"]
        _check(answers, sizes, "prompts/s, times those of one candidate at a time", ratio, f"at least {TARGET_RATIO}",
               ratio >= TARGET_RATIO)  # fmt: skip
    best = max(sizes.batch_tokens, key=lambda tokens: rates.get(_batches_of(tokens), 0.0))
    free_memory(device)
    _whole_list(answers, arguments, sizes, folder, eval_set, best)
    _profile(answers, device, folder, sample, best)
    answers.save()
    return 0


def _load(folder: Path, device: torch.device) -> PreTrainedModel:
    return load_model(find_model(str(folder)), seed=0, dtype=pick_dtype("auto", device), device=device)


def _with_model(
    answers: Answers, model: PreTrainedModel, sample: list[PromptTokens], sizes: Sizes, *, needs_s: float
) -> tuple[dict[str, float], Any]:
    """Measure everything that needs the model here; its memory is free afterwards."""
    rates = _variants(answers, model, sample, sizes, needs_s=needs_s)
    return rates, answers.item("one prompt at a time", lambda: _one_by_one(model, sample, sizes), needs_s=5)


def _check(answers: Answers, sizes: Sizes, name: str, value: float, bound: str, is_within: bool) -> None:
    """State a target, which is one for the list's full length only."""
    is_full = sizes.list_words == _LIST_WORDS
    answers.check(name, value, bound, is_within=is_within if is_full else None)


def _sample(eval_set: Path, sizes: Sizes) -> list[PromptTokens]:
    """Return prompts spread over the whole list, longest first, as the program reads them."""
    opened = open_eval_set(eval_set)
    builder = PromptBuilder(opened, load_tokenizer(TOKENIZER), language_names(opened.languages, []))
    every = all_prompts(opened, draws=[0])
    chosen = every[:: max(1, len(every) // sizes.sample_prompts)][: sizes.sample_prompts]
    builder.check(chosen)
    return sorted(builder.tokenize(chosen), key=lambda tokens: -tokens.n_tokens)


def _cut(model: PreTrainedModel, sample: list[PromptTokens], batch_tokens: int) -> list[list[PromptTokens]]:
    """Cut prompts, longest first, into batches of at most `batch_tokens` padded tokens, as the program does."""
    batches, start = [], 0
    while start < len(sample):
        count = max(1, batch_tokens // batch_cost(model, sample[start]))
        batches.append(sample[start : start + count])
        start += count
    return batches


def _read(model: PreTrainedModel, batches: list[list[PromptTokens]], *, n_workers: int | None = None) -> list[Any]:
    """Score batches side by side as the program does; return the NLLs of all prompts."""
    with claimed_threads(model.device) as n_threads:
        read = map_in_order(
            lambda batch: target_nlls(model, batch),
            batches,
            n_workers=n_workers or n_threads,
            device=model.device,
        )
        return [nlls for batch in read for nlls in batch]


def _batches_of(tokens: int) -> str:
    return f"batches of {tokens:,} tokens"


@contextlib.contextmanager
def _compiled(model: PreTrainedModel, batch_tokens: int) -> Any:
    with fixed_shapes(model, batch_tokens=batch_tokens, graphs=False):
        for block in decoder_blocks(model):
            block.compile(dynamic=False)
        try:
            yield
        finally:
            for block in decoder_blocks(model):
                block._compiled_call_impl = None
            torch._dynamo.reset()


def _variants(
    answers: Answers, model: PreTrainedModel, sample: list[PromptTokens], sizes: Sizes, *, needs_s: float
) -> dict[str, float]:
    """Time every variant; return prompts/s of those that could be measured and gave the product's numbers."""
    default = sizes.default_batch_tokens
    nothing: Callable[[], AbstractContextManager[Any]] = contextlib.nullcontext
    tried: dict[str, tuple[Callable[[], AbstractContextManager[Any]], int, int | None]] = {
        _batches_of(tokens): (nothing, tokens, None) for tokens in sizes.batch_tokens
    }
    tried |= {
        "one batch at a time": (nothing, default, 1),
        "flex attention": (lambda: flex_rows(model), default, None),
        "flex attention, rows packed without padding": (lambda: packed_rows(model), default, None),
        "fixed shapes": (lambda: fixed_shapes(model, batch_tokens=default, graphs=False), default, 1),
        "fixed shapes, CUDA graphs": (lambda: fixed_shapes(model, batch_tokens=default, graphs=True), default, 1),
        "fixed shapes, compiled blocks": (lambda: _compiled(model, default), default, 1),
    }
    reference = _flat(_read(model, _cut(model, sample, default)))
    bound = _BF16_NATS if model.dtype == torch.bfloat16 else 1e-3
    rates, rows = {}, []
    for name, (switch, batch_tokens, n_workers) in tried.items():
        if name.endswith("compiled blocks") and model.device.type != "cuda":
            continue  # minutes of compiling on a CPU, for nothing that it says of a GPU
        batches = _cut(model, sample, batch_tokens)

        def measure(
            switch: Callable[[], AbstractContextManager[Any]] = switch,
            batches: list[list[PromptTokens]] = batches,
            n_workers: int | None = n_workers,
        ) -> dict[str, float | None]:
            with switch():
                apart = (_flat(_read(model, batches, n_workers=n_workers)) - reference).abs()
                timed = time_runs(
                    lambda: _read(model, batches, n_workers=n_workers), model.device, warm_up=0, repeats=2
                )
            free_memory(model.device)
            peak = None if timed.peak_bytes is None else timed.peak_bytes / 2**30
            return {"prompts_per_s": len(sample) / timed.median, "apart": float(apart.max()), "peak_gib": peak}

        found = answers.item(name, measure, needs_s=needs_s)
        if failed(found):
            continue
        rows.append([name, found["prompts_per_s"], _padding(batches), found["apart"], found["peak_gib"]])
        if found["apart"] <= bound:
            rates[name] = found["prompts_per_s"]
    first = rates.get(_batches_of(default))
    rows = [[row[0], row[1], row[1] / first if first else None, *row[2:]] for row in rows]
    columns = [
        "variant",
        "prompts/s",
        "times the default",
        "padding in its batches",
        "largest difference, nats",
        "peak GiB",
    ]
    answers.table(f"Scoring, {len(sample):,} prompts of ten candidates", columns, rows)
    return rates


def _padding(batches: list[list[PromptTokens]]) -> float:
    """Return the share of a batch's places that hold no token, over all batches."""
    places = sum(len(batch) * max(tokens.n_tokens for tokens in batch) for batch in batches)
    return 1 - sum(tokens.n_tokens for batch in batches for tokens in batch) / places


def _flat(nlls: list[Any]) -> torch.Tensor:
    return torch.tensor([value for prompt in nlls for candidate in prompt for value in candidate])


def _one_by_one(model: PreTrainedModel, sample: list[PromptTokens], sizes: Sizes) -> dict[str, float]:
    few = sample[:: max(1, len(sample) // sizes.reference_prompts)][: sizes.reference_prompts]
    timed = time_runs(lambda: [candidate_nlls(model, prompt) for prompt in few], model.device, warm_up=1, repeats=2)
    return {"prompts_per_s": len(few) / timed.median}


def _whole_list(
    answers: Answers, arguments: StageArguments, sizes: Sizes, model: Path, eval_set: Path, batch_tokens: int
) -> None:
    """Score and trace everything by the programs themselves."""
    n_prompts = 12 * sizes.list_words * 5
    for program, target in (("score", TARGET_LIST_S), ("trace", TARGET_TRACES_S)):
        out = arguments.work / program

        def measure(program: str = program, out: Path = out) -> dict[str, float]:
            request = score_arguments(
                eval_set=eval_set, model=model, run_id=program, out=out, batch_tokens=batch_tokens
            )
            record = run_here(program, request, out)
            return {"seconds": record["timing"][f"{program}_s"], "per_s": record["timing"]["prompts_per_s"]}

        found = answers.item(
            f"ml.{program}, the whole list", measure, needs_s=target if arguments.sizes == "full" else 1
        )
        if not failed(found):
            n_read = n_prompts if program == "score" else 12 * sizes.list_words
            _check(answers, sizes, f"ml.{program}, {n_read:,} prompts, seconds", found["seconds"],
                   f"at most {target} s", found["seconds"] <= target)  # fmt: skip


def _profile(
    answers: Answers, device: torch.device, folder: Path, sample: list[PromptTokens], batch_tokens: int
) -> None:
    """Keep the profile of a few batches when a target was missed, or when there is none to miss."""
    model = _load(folder, device)
    batches = _cut(model, sample, batch_tokens)[:3]
    answers.profile("scoring, three batches", hottest(lambda: _read(model, batches, n_workers=1), device))


if __name__ == "__main__":
    sys.exit(main())
