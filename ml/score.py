"""Word translation scores (method section 6): NLL of each target word after its right source word and its distractors.

    python -m ml.score --eval-set DIR --model M --run-id ID --out DIR

Writes `<out>/results/word_scores.parquet`, `<out>/results/prompts.parquet` and `<out>/run.json`. Under
`accelerate launch` the work is divided over processes. Killed at any moment and run again, it scores only what is
missing: finished chunks are kept by the hash of all that they depend on.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from ml.common.errors import run_program
from ml.common.result_files import versions, write_json, write_result
from ml.common.token_text import is_blank
from ml.models.load import check_plain_unembedding, n_parameters, visible_length
from ml.program.arguments import add_batch_tokens, add_common, add_language_names, open_model, parse, resolve_tokenizer
from ml.program.chunks import compute_chunks, drop_chunks
from ml.program.run_folder import is_finished, join_processes
from ml.translation.eval_set import EvalSet, open_eval_set
from ml.translation.languages import language_names
from ml.translation.prompts import TEMPLATE, Prompt, PromptBuilder, PromptTokens, all_prompts
from ml.translation.shared_prefix import batch_cost, check_against_reference, target_nlls
from ml.translation.shots import N_DRAWS, N_SHOTS
from warehouse.contract.errors import UsageError
from warehouse.contract.hashing import short_hash
from warehouse.contract.result_schemas import RESULT

_CHECKED_PROMPTS = 2
_MIN_CHUNK_PROMPTS = 64


def main(argv: list[str] | None = None) -> None:
    """Check everything, score chunk by chunk, then write the tables."""
    arguments = _parse(argv)
    eval_set = open_eval_set(arguments.eval_set)
    names = language_names(eval_set.languages, arguments.language_name)
    state = join_processes(arguments.device)
    loaded = open_model(arguments)
    tokenizer_file, tokenizer = resolve_tokenizer(arguments, loaded.source, eval_set.folder)
    check_plain_unembedding(loaded.model)
    builder = PromptBuilder(eval_set, tokenizer, names)
    prompts = all_prompts(eval_set)
    assembly = builder.check(prompts)
    tokens = builder.tokenize(prompts)
    _check_lengths(tokens, loaded.model)
    identity = {
        "run_id": arguments.run_id,
        "eval_set": eval_set.content_hash,
        "model": loaded.hash,
        "tokenizer": tokenizer_file.hash,
        "dtype": loaded.dtype,
        "prompt_template": short_hash([TEMPLATE, names]),
        "n_shots": N_SHOTS,
        "n_draws": N_DRAWS,
        "batch_tokens": arguments.batch_tokens,
    }
    out: Path = arguments.out
    if is_finished(out, identity, state):
        return
    # longest first: what does not fit in memory fails at once
    order = sorted(range(len(prompts)), key=lambda place: (-tokens[place].n_tokens, prompts[place].key))
    work = [(prompts[place], tokens[place]) for place in order]
    size = chunk_prompts(arguments.batch_tokens)
    chunks = [work[start : start + size] for start in range(0, len(work), size)]
    folder = out / "results" / f".chunks-{short_hash(identity)}"
    checked = [item for _, item in work[:: max(1, len(work) // _CHECKED_PROMPTS)]][:_CHECKED_PROMPTS]
    difference = check_against_reference(loaded.model, checked)
    started = time.monotonic()
    scores = compute_chunks(
        folder,
        [len(chunk) for chunk in chunks],
        lambda number: _score_chunk(loaded.model, tokenizer, builder, chunks[number], arguments),
        what="score",
        unit="prompts",
        device=loaded.model.device,
        state=state,
    )
    elapsed = time.monotonic() - started
    if scores is None:
        return
    keys = ["item_id", "source_lang", "target_lang", "candidate", "draw"]
    scores = scores.sort_by([(key, "ascending") for key in keys])
    write_result(out, "word_scores", scores)
    write_result(out, "prompts", _prompt_rows(arguments.run_id, prompts, builder))
    record: dict[str, Any] = {
        "run_id": arguments.run_id,
        "kind": "score",
        "config": {
            "model": arguments.model,
            "seed": arguments.seed,
            "batch_tokens": arguments.batch_tokens,
            "n_shots": N_SHOTS,
            "n_draws": N_DRAWS,
            "language_names": names,
        },
        "identity": identity,
        "inputs": {"eval_set": eval_set.content_hash, "model": loaded.hash},
        "model_type": loaded.model.config.model_type,
        "n_parameters": n_parameters(loaded.model),
        "dtype": loaded.dtype,
        "device": loaded.model.device.type,
        "n_processes": state.num_processes,
        "tokenizer_hash": tokenizer_file.hash,
        "prompt_assembly": assembly,
        "leading_special_ids": builder.specials,
        "largest_difference_to_reference": difference,
        "versions": versions(),
        "timing": {"score_s": elapsed, "prompts_per_s": len(prompts) / elapsed},
    }
    write_json(out / "run.json", record)
    drop_chunks(folder)
    _print_summary(scores, eval_set)


def chunk_prompts(batch_tokens: int) -> int:
    """Return how many prompts a chunk holds, which is what a kill can cost: several batches, however large they are."""
    return max(_MIN_CHUNK_PROMPTS, batch_tokens // 64)


def _score_chunk(
    model: PreTrainedModel,
    tokenizer: Tokenizer,
    builder: PromptBuilder,
    chunk: list[tuple[Prompt, PromptTokens]],
    arguments: argparse.Namespace,
) -> pa.Table:
    """Score the prompts of a chunk in batches of similar length; return rows of `word_scores`."""
    columns: dict[str, list[Any]] = {name: [] for name in RESULT["word_scores"].names}
    for batch in _batches(chunk, lambda tokens: batch_cost(model, tokens), arguments.batch_tokens):
        nlls = target_nlls(model, [tokens for _, tokens in batch])
        for (prompt, tokens), by_candidate in zip(batch, nlls, strict=True):
            prompt_hash = builder.prompt_hash(prompt)
            for (candidate, word), suffix, values in zip(
                prompt.query.candidates, tokens.suffixes, by_candidate, strict=True
            ):
                is_spaced = len(values) > 1 and is_blank(tokenizer, suffix[-len(values)])
                without = values[1:] if is_spaced else values
                row = (
                    arguments.run_id,
                    *prompt.key[:3],
                    candidate,
                    word,
                    prompt.draw,
                    prompt_hash,
                    len(values),
                    sum(values) / len(values),
                    sum(without) / len(without),
                )
                for name, value in zip(columns, row, strict=True):
                    columns[name].append(value)
    return pa.table(columns, schema=RESULT["word_scores"])


def _batches(
    chunk: list[tuple[Prompt, PromptTokens]], cost: Callable[[PromptTokens], int], batch_tokens: int
) -> Iterator[list[tuple[Prompt, PromptTokens]]]:
    """Cut a chunk into batches of at most `batch_tokens` padded tokens (at least one prompt each)."""
    batch: list[tuple[Prompt, PromptTokens]] = []
    longest = 0
    for item in chunk:
        longest = max(longest, cost(item[1]))
        if batch and (len(batch) + 1) * longest > batch_tokens:
            yield batch
            batch, longest = [], cost(item[1])
        batch.append(item)
    if batch:
        yield batch


def _prompt_rows(run_id: str, prompts: list[Prompt], builder: PromptBuilder) -> pa.Table:
    rows = [
        {
            "run_id": run_id,
            "prompt_hash": builder.prompt_hash(prompt),
            "item_id": prompt.query.item_id,
            "source_lang": prompt.query.source_lang,
            "target_lang": prompt.query.target_lang,
            "draw": prompt.draw,
            "shot_item_ids": list(prompt.shot_item_ids),
        }
        for prompt in prompts
    ]
    return pa.Table.from_pylist(rows, schema=RESULT["prompts"])


def _check_lengths(tokens: list[PromptTokens], model: PreTrainedModel) -> None:
    """Raise UsageError when a prompt is longer than the model's context, or than its attention window."""
    longest = max(len(item.prefix) + max(map(len, item.suffixes)) for item in tokens)
    limit = visible_length(model.config)
    if limit and longest > limit:
        raise UsageError(f"the longest prompt has {longest} tokens, and the model sees only {limit} at once")


def _print_summary(scores: pa.Table, eval_set: EvalSet) -> None:
    """Print, per direction, the mean NLL of targets after the right word and after distractors."""
    means: dict[tuple[str, str, bool], list[float]] = {}
    columns = (scores[name].to_pylist() for name in ("source_lang", "target_lang", "candidate", "nll_mean"))
    for source, target, candidate, nll in zip(*columns, strict=True):
        means.setdefault((source, target, candidate == 0), []).append(nll)
    directions = sorted({(query.source_lang, query.target_lang) for query in eval_set.queries})
    print(f"{'direction':<10} {'prompts':>8} {'NLL right':>10} {'NLL distractors':>16}")
    for source, target in directions:
        right, wrong = means[source, target, True], means.get((source, target, False), [])
        other = f"{sum(wrong) / len(wrong):16.4f}" if wrong else f"{'none':>16}"
        print(f"{source}->{target:<6} {len(right):>8} {sum(right) / len(right):>10.4f} {other}")
    sys.stdout.flush()


def _parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ml.score", description="Score word translations of an evaluation set.")
    parser.add_argument("--eval-set", type=Path, required=True, help="evaluation set folder")
    add_common(parser)
    add_batch_tokens(parser, on_cpu=1_024, on_gpu=65_536)
    add_language_names(parser)
    return parse(parser, argv)


if __name__ == "__main__":
    run_program(main)
